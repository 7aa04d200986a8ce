"""Blobs from expiring URLs: asked again where that helps, told each time, and the URL never shown."""

from __future__ import annotations

import socket
import time
import traceback
from contextlib import ExitStack

import pytest
from scripted import ANY, Answer, scripted

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


@pytest.mark.parametrize(
    "url",
    [
        "http://a..b/secret",
        f"https://{'a' * 64}.example.com/secret",
        "http://[secret",
        "http://127.0.0.1:secret/",
        "ftp://127.0.0.1/secret",
        "http://127.0.0.1/sec ret/secret",
        "http://127.0.0.1/\x00secret",
        "secret",
    ],
)
def test_a_url_that_nobody_can_be_asked_at_is_refused_at_once_and_not_shown(url: str) -> None:
    waits: list[float] = []
    with pytest.raises(EcrError, match="ECR answers with a URL that is none of http") as caught:
        download(url, CONFIG, where="team/demo", retry=Retry(sleep=waits.append))
    assert "secret" not in "".join(traceback.format_exception(caught.value))
    assert waits == []


@pytest.mark.parametrize("location", ["/there", "{url}/there"])
def test_a_redirect_is_followed(location: str) -> None:
    answers: dict[str, Answer] = {"/there": GOOD}
    with scripted(answers) as (url, asked):
        answers[PATH] = (307, {"Location": location.format(url=url)}, b"elsewhere")
        assert download(url + PATH, CONFIG, where="team/demo", retry=Retry()) == DATA
    assert [path for path, _ in asked] == [PATH, "/there"]


@pytest.mark.parametrize(
    "location", [PATH, "ftp://127.0.0.1/nobody-may-see", "file:///nobody-may-see", "http://a..b/x"]
)
def test_a_redirect_that_leads_nowhere_is_an_error_at_once(location: str) -> None:
    answer = (302, {"Location": location}, b"")
    with scripted({ANY: answer}) as (url, asked), pytest.raises(EcrError) as caught:
        download(url + PATH, CONFIG, where="team/demo", retry=Retry(sleep=lambda _: pytest.fail("asked again")))
    assert len(asked) < 12
    assert "nobody-may-see" not in "".join(traceback.format_exception(caught.value))


class Hasty(Patience):
    """Waits for a connection as short as no user may say."""

    @property
    def connect(self) -> float:
        return 0.2


def test_connecting_has_a_bound_of_its_own() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, ExitStack() as queue:
        for _ in range(3):  # more than the queue of a server holds that takes none
            waiting = queue.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}{PATH}"
        began = time.monotonic()
        with pytest.raises(EcrError, match="timed out"):
            download(url, CONFIG, where="team/demo", retry=Retry(Hasty(attempts=1, seconds=20)))
        assert time.monotonic() - began < 10


def test_bytes_have_the_bound_of_the_user() -> None:
    with scripted({PATH: GOOD}, delay=0.5) as (url, _):
        assert download(url + PATH, CONFIG, where="team/demo", retry=Retry(Hasty(attempts=1, seconds=20))) == DATA
