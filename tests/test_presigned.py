"""Blobs from expiring URLs: asked again where that helps, told each time, and the URL never shown."""

from __future__ import annotations

import pytest
from scripted import Answer, scripted

from kfp_release.digest import Digest
from kfp_release.ecr_errors import EcrError
from kfp_release.errors import ReleaseError
from kfp_release.manifest import OCI_CONFIG, Descriptor
from kfp_release.patience import Patience
from kfp_release.presigned import download, require
from kfp_release.retry import Retry

DATA = b"a config of an image"
CONFIG = Descriptor(OCI_CONFIG, Digest.of(DATA), len(DATA))
PATH = "/layers/a-path-that-nobody-may-see"
GOOD: Answer = (200, {}, DATA)
SHORT: Answer = (200, {"Content-Length": str(len(DATA)), "Connection": "close"}, DATA[:5])


def ask(*answers: Answer, attempts: int = 4) -> tuple[bytes, list[str], list[float]]:
    """What comes of a server that gives one answer after the other, with what was told and waited."""
    notes: list[str] = []
    waits: list[float] = []
    left = {PATH: answers[0]}
    following = iter(answers[1:])

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        left[PATH] = next(following, answers[-1])

    with scripted(left) as (url, _):
        try:
            data = download(url + PATH, CONFIG, where="team/demo", retry=Retry(Patience(attempts), notes.append, sleep))
        finally:
            assert "nobody-may-see" not in "".join(notes)
    return data, notes, waits


@pytest.mark.parametrize(
    ("first", "why"),
    [
        ((503, {}, b""), "answered 503"),
        ((429, {}, b""), "answered 429"),
        (SHORT, "ended after 5 of 20 bytes"),
        ((200, {"Content-Length": "x", "Connection": "close"}, DATA), None),
    ],
)
def test_what_may_pass_is_asked_again_and_told(first: Answer, why: str | None) -> None:
    data, notes, waits = ask(first, GOOD)
    assert data == DATA
    assert notes == (
        [f"127.0.0.1: the download of {CONFIG.digest} {why}, tried again in 0.5 s (2 of 4)"] if why else []
    )
    assert waits == ([0.5] if why else [])


def test_the_wait_that_the_answer_asks_for_is_taken() -> None:
    assert ask((503, {"Retry-After": "7"}, b""), GOOD)[2] == [7.0]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((503, {}, b""), "HTTP 503"),
        (SHORT, "it ends after 5 of 20 bytes"),
        ((403, {}, b""), "HTTP 403"),
    ],
)
def test_what_cannot_be_had_is_an_error_of_ecr_that_does_not_show_the_url(answer: Answer, message: str) -> None:
    with pytest.raises(
        EcrError, match=rf"cannot download {CONFIG.digest} of team/demo from 127\.0\.0\.1: {message}"
    ) as caught:
        ask(answer)
    assert "nobody-may-see" not in str(caught.value) + repr(caught.value.__cause__)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((404, {}, b""), "is gone"),
        ((200, {}, DATA[:-1] + b"!"), "not the 20 bytes of that digest"),
        ((200, {}, DATA[:-1]), "not the 20 bytes of that digest"),
        ((200, {}, DATA * 2), "not the 20 bytes of that digest"),
    ],
)
def test_what_is_gone_or_other_bytes_is_told_at_once(answer: Answer, message: str) -> None:
    with pytest.raises(ReleaseError, match=message) as caught:
        ask(answer, GOOD)
    assert not isinstance(caught.value, EcrError)


@pytest.mark.parametrize("data", [b"", DATA, DATA * 100_000])
def test_a_blob_of_any_length_is_read_without_being_held(data: bytes) -> None:
    layer = Descriptor(OCI_CONFIG, Digest.of(data), len(data))
    other = data + b"!"
    with scripted({PATH: (200, {}, data), "/other": (200, {}, other)}) as (url, _):
        require(url + PATH, layer, where="team/demo", retry=Retry())
        with pytest.raises(ReleaseError, match=f"the {len(other)} bytes from 127.0.0.1 have the digest"):
            require(f"{url}/other", layer, where="team/demo", retry=Retry())
