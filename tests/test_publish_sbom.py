"""The SBOM of an image comes after it and before any file that names it, once, and is never written over."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from archives import NAME
from ecr_fixtures import LocalEcr, MemoryBlob
from publish_fixtures import COMMIT, SDIST, VERSION, Place, place_at, record, sbom_of

from kfp_release.attached_sbom import attached_sbom
from kfp_release.built import BuiltRelease
from kfp_release.errors import ReleaseError
from kfp_release.manifest import Manifest
from kfp_release.progress import Silent
from kfp_release.rebuilt import Rebuilt
from kfp_release.rebuilt_part import Verdict
from kfp_release.rebuilt_sbom import image_sbom_part
from kfp_release.record import PinnedImage
from kfp_release.referrer import EMPTY, EMPTY_CONFIG, Referrer
from kfp_release.referrers import Attachment, attach, attached
from kfp_release.sbom import SBOM_TYPE, BadSbom, Sbom
from kfp_release.source import Source
from kfp_release.upload import upload_blobs


@pytest.fixture
def place(local: LocalEcr, tmp_path: Path, request: pytest.FixtureRequest) -> Place:
    return place_at(local, tmp_path, request.node.name)


def pinned(place: Place) -> PinnedImage:
    return record(place).pins.images[0]


def manifest(place: Place) -> Manifest:
    return BuiltRelease.read(place.folder).image(pinned(place)).manifest


def there(place: Place) -> list[bytes]:
    return [one.data for one in attached(place.store, pinned(place).ref.digest, SBOM_TYPE)]


def ours(place: Place) -> bytes:
    return (place.folder / "demo.cdx.json").read_bytes()


def fail_at(place: Place, monkeypatch: pytest.MonkeyPatch, is_it: Callable[[str, dict[str, Any]], bool]) -> None:
    """Publish, cut off at the first such call to ECR; afterwards it works again."""
    call = place.store.call.__func__  # type: ignore[attr-defined]

    def cut(self: Any, operation: str, **parameters: Any) -> Any:
        if is_it(operation, parameters):
            raise ReleaseError("the machine is gone")
        return call(self, operation, **parameters)

    with monkeypatch.context() as patch:
        patch.setattr(type(place.store), "call", cut)
        with pytest.raises(ReleaseError, match="the machine is gone"):
            place.publish()


def is_sbom(operation: str, parameters: dict[str, Any]) -> bool:
    return operation == "put_image" and "subject" in json.loads(parameters["imageManifest"])


def test_a_release_that_was_cut_off_between_image_and_sbom_is_completed(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_at(place, monkeypatch, is_sbom)
    assert place.store.find("1.2") is not None
    assert (there(place), place.index.uploaded) == ([], [])
    published = place.publish()
    assert [outcome.state for outcome in published.outcomes] == ["already there", "sent", "sent", "sent", "sent"]
    assert there(place) == [ours(place)]
    assert place.index.uploaded == [SDIST, NAME]


def test_the_blobs_of_an_sbom_that_was_cut_off_are_not_sent_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_at(place, monkeypatch, is_sbom)
    published = place.publish()
    assert published.bytes_sent == len(published.provenance.to_bytes())


def test_a_release_that_was_cut_off_between_sbom_and_wheel_is_completed(place: Place) -> None:
    place.index.loses = [ReleaseError("the index is down")]
    with pytest.raises(ReleaseError, match="the index is down"):
        place.publish()
    assert (there(place), place.index.uploaded) == ([ours(place)], [])
    published = place.publish()
    assert [outcome.state for outcome in published.outcomes] == [
        "already there",
        "already there",
        "already there",
        "sent",
        "sent",
    ]
    assert there(place) == [ours(place)]


def test_one_that_other_tools_wrote_will_do(place: Place) -> None:
    value = json.loads(ours(place))
    value["metadata"]["tools"]["components"][0]["version"] = "99"
    (place.folder / "demo.cdx.json").write_text(json.dumps(value))
    place.publish()
    (place.folder / "demo.cdx.json").write_bytes(sbom_of(pinned(place)).data)
    assert not place.publish().changed
    assert len(there(place)) == 1


def test_another_one_is_refused_before_anything_is_sent(place: Place) -> None:
    image = pinned(place)
    place.index.loses = [ReleaseError("the index is down")]
    with pytest.raises(ReleaseError, match="the index is down"):
        place.publish()
    (place.folder / "demo.cdx.json").write_bytes(sbom_of(image, packages=("bash",)).data)
    with pytest.raises(ReleaseError, match="has another SBOM attached: sha256") as caught:
        place.publish()
    assert "nothing is overwritten" in caught.value.remedy
    assert (len(there(place)), place.index.uploaded) == (1, [])


def test_what_is_attached_is_found_and_verified(place: Place) -> None:
    assert attached_sbom(place.store, pinned(place).ref.digest) is None
    place.publish()
    assert attached_sbom(place.store, pinned(place).ref.digest) == Sbom.parse(ours(place))
    verified = place.verify()
    assert (verified.problems, verified.components) == ((), {"demo": 3})
    assert verified.to_json()["sboms"] == {"demo": 3}


def without_an_sbom(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Publish as an older version did."""
    with monkeypatch.context() as patch:
        patch.setattr("kfp_release.pending_image.evidence_of", lambda *_: ())
        place.publish()


def test_a_release_of_an_older_version_has_none_and_is_in_order(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    without_an_sbom(place, monkeypatch)
    verified = place.verify()
    assert (verified.problems, verified.components) == ((), {})
    assert verified.to_json()["sboms"] == {"demo": None}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            lambda place: ours(place).replace(b'"serialNumber":"urn', b'"serialNumber":"none'),
            "attached as its SBOM: it is no SBOM in CycloneDX",
        ),
        (
            lambda place: ours(place).replace(pinned(place).ref.digest.hex.encode(), b"0" * 64),
            f"attached as its SBOM, and that is of sha256:{'0' * 64}",
        ),
        (
            lambda place: ours(place).replace(b'"alg":"SHA-256"', b'"alg":"SHA-1"'),
            "attached as its SBOM, and that is of tests/test-",
        ),
    ],
    ids=["no SBOM", "of another image", "of no image"],
)
def test_what_is_none_of_the_image_is_a_problem(
    place: Place, monkeypatch: pytest.MonkeyPatch, data: Callable[[Place], bytes], said: str
) -> None:
    without_an_sbom(place, monkeypatch)
    beside(place, data(place))
    with pytest.raises(BadSbom, match="see who attached it") as caught:
        attached_sbom(place.store, pinned(place).ref.digest)
    assert said in str(caught.value)
    (line,) = place.verify().problems
    assert said in line


def beside(place: Place, data: bytes) -> None:
    """Attach another one as anybody can who may push."""
    wanted = Attachment("SBOM", SBOM_TYPE, SBOM_TYPE, data, lambda _: False, is_rival=lambda _: False)
    attach(place.store, manifest(place), wanted, progress=Silent())


def test_of_two_the_same_is_taken_every_time(place: Place) -> None:
    sbom = sbom_of(pinned(place))
    other = Sbom.parse(sbom.data.replace(b'"version":"1"}]}', b'"version":"2"}]}'))
    place.publish()
    beside(place, other.data)
    assert len(there(place)) == 2
    lowest = min(attached(place.store, pinned(place).ref.digest, SBOM_TYPE), key=lambda one: one.digest)
    assert attached_sbom(place.store, pinned(place).ref.digest) == Sbom.parse(lowest.data)


@pytest.mark.parametrize("number", range(4))
def test_one_that_differs_beside_it_is_told_whichever_comes_first(place: Place, number: int) -> None:
    place.publish()
    forged = json.dumps({**json.loads(ours(place)), "components": [], "version": 1 + number}).encode()
    beside(place, forged)
    with pytest.raises(BadSbom, match=r"has SBOMs attached that differ: sha256:.*, sha256:") as caught:
        attached_sbom(place.store, pinned(place).ref.digest)
    assert "see who attached it" in caught.value.remedy
    (line,) = place.verify().problems
    assert "has SBOMs attached that differ" in line


OTHERS = [
    b'{"bomFormat":"CycloneDX","metadata":{"component":{"name":"demo","type":"container"}}}',
    b'{"bomFormat":"CycloneDX","metadata":{}}',
    b"no JSON",
]


@pytest.mark.parametrize("other", OTHERS, ids=["of another tool", "without a subject", "no JSON"])
def test_what_other_tools_attach_is_left_alone(place: Place, monkeypatch: pytest.MonkeyPatch, other: bytes) -> None:
    fail_at(place, monkeypatch, is_sbom)
    beside(place, other)
    assert attached_sbom(place.store, pinned(place).ref.digest) is None
    place.publish()
    assert sorted(there(place)) == sorted([other, ours(place)])
    assert (place.verify().problems, place.verify().components) == ((), {"demo": 3})
    assert not place.publish().changed


def test_a_rebuilt_one_is_held_against_the_attached_one(place: Place) -> None:
    place.publish()
    digest, sbom = pinned(place).ref.digest, sbom_of(pinned(place))
    part = image_sbom_part(place.store, digest, sbom, name="demo")
    assert (part.verdict, part.published, part.text) == (Verdict.IDENTICAL, part.rebuilt, "")
    tools = Sbom.parse(sbom.data.replace(b'"name":"kfp-release"', b'"name":"another-tool"', 1))
    assert image_sbom_part(place.store, digest, tools, name="demo").verdict is Verdict.SAME_CONTENT
    other = image_sbom_part(place.store, digest, sbom_of(pinned(place), packages=("bash",)), name="demo")
    assert (other.verdict, other.text) == (Verdict.DIFFERS, "SBOM of demo: base-files 1, bash 1")
    assert "other tools may give other bytes" in other.remedy
    time = Sbom.parse(sbom.data.replace(b"2027-01-15", b"2027-01-16"))
    assert image_sbom_part(place.store, digest, time, name="demo").text.endswith("and other facts of them")


def test_what_agrees_with_the_runtimes_attached_one_is_not_rebuilt(place: Place) -> None:
    place.publish()
    digest, sbom = pinned(place).ref.digest, sbom_of(pinned(place))
    part = image_sbom_part(place.store, digest, sbom, name="demo", anew=False)
    assert (part.verdict, part.published) == (Verdict.NOT_REBUILT, part.rebuilt)
    assert "the runtime, whose layers cannot be read" in part.text
    assert "--rebuild-runtime" in part.remedy
    other = sbom_of(pinned(place), packages=("bash",))
    assert image_sbom_part(place.store, digest, other, name="demo", anew=False).verdict is Verdict.DIFFERS
    tag = Source(VERSION, "v1.2", COMMIT, 0)
    rebuilt = Rebuilt(place.verify(), tag, (part,), {})
    assert (rebuilt.is_proved, rebuilt.remedies) == (False, (part.remedy,))


def test_to_rebuild_a_release_without_one_is_no_failure(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    without_an_sbom(place, monkeypatch)
    part = image_sbom_part(place.store, pinned(place).ref.digest, sbom_of(pinned(place)), name="demo")
    assert (part.verdict, part.published) == (Verdict.ABSENT, "none")
    assert "a release of an older kfp-release has none" in part.text


def test_to_rebuild_one_that_is_none_is_a_difference(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    without_an_sbom(place, monkeypatch)
    beside(place, ours(place).replace(b'"alg":"SHA-256"', b'"alg":"SHA-1"'))
    part = image_sbom_part(place.store, pinned(place).ref.digest, sbom_of(pinned(place)), name="demo")
    assert part.verdict is Verdict.DIFFERS
    assert "see who attached it" in part.remedy


def unreadable_beside(place: Place) -> None:
    """Attach one that says to have more bytes than it has."""
    image = manifest(place)
    blob = replace(image.config, media_type=SBOM_TYPE, size=1 << 40)
    upload_blobs(place.store, [MemoryBlob(EMPTY, EMPTY_CONFIG)], progress=Silent())
    place.store.put(Referrer.of(SBOM_TYPE, image.descriptor, blob, {}).manifest, None)


def test_one_that_cannot_be_read_hides_nothing(place: Place) -> None:
    place.publish()
    unreadable_beside(place)
    assert attached_sbom(place.store, pinned(place).ref.digest) == Sbom.parse(ours(place))
    assert place.verify().problems == ()


def test_one_that_cannot_be_read_and_stands_alone_is_a_problem(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    without_an_sbom(place, monkeypatch)
    unreadable_beside(place)
    (line,) = place.verify().problems
    assert "has something attached as an SBOM that cannot be read: sha256:" in line
