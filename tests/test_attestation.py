"""What `publish` says of a release: signed before anything is sent, the same on each image, whoever was cut off."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from archives import NAME, wheel_packed_anew
from ecr_fixtures import LocalEcr
from publish_fixtures import COMMIT, MATERIALS, SDIST, Place, packed_anew, place_at, record
from signing_fixtures import LocalKey, lead_to, running_kms

from kfp_release.attestation import ARTIFACT_TYPE, Attestor
from kfp_release.built import BuiltRelease
from kfp_release.commands.tables import signed_note
from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository
from kfp_release.ecr_errors import EcrError
from kfp_release.envelope import Envelope
from kfp_release.errors import ReleaseError
from kfp_release.kms import KmsKey
from kfp_release.kms_key_name import KmsKeyName
from kfp_release.manifest import OCI_MANIFEST, Manifest
from kfp_release.progress import Silent
from kfp_release.provenance import Provenance
from kfp_release.publish import Published
from kfp_release.referrers import Attached, Attachment, attach, attached, look_at_attached
from kfp_release.run import Run
from kfp_release.sandbox.kms import KmsServer
from kfp_release.sbom import SBOM_TYPE

FIRST, SECOND = Run(invocation="https://ci/runs/1/attempts/1"), Run(invocation="https://ci/runs/1/attempts/2")
KEY = LocalKey()


@pytest.fixture(scope="module")
def kms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KmsServer]:
    with running_kms(tmp_path_factory.mktemp("kms") / "kms") as server:
        yield server


@pytest.fixture
def place(local: LocalEcr, tmp_path: Path, request: pytest.FixtureRequest) -> Place:
    return place_at(local, tmp_path, request.node.name)


def image(place: Place) -> Manifest:
    return BuiltRelease.read(place.folder).image(record(place).pins.images[0]).manifest


def there(place: Place) -> list[Attached]:
    return attached(place.store, image(place).digest, ARTIFACT_TYPE)


def kept(place: Place) -> bytes:
    return (place.folder / "provenance.intoto.jsonl").read_bytes()


def cut_off(place: Place, attestor: Attestor) -> bytes:
    """A run that ends when the sdist should go. What it attached; nothing of it is left here."""
    place.index.loses = [ReleaseError("cut off")]
    with pytest.raises(ReleaseError, match="cut off"):
        place.publish(attestor=attestor)
    (one,) = there(place)
    (place.folder / "provenance.intoto.jsonl").unlink()
    return one.data


def attach_to(place: Place, data: bytes) -> None:
    wanted = Attachment("provenance", ARTIFACT_TYPE, "application/json", data, lambda _: False)
    attach(place.store, image(place), wanted, progress=Silent())


def states(published: Published) -> list[str]:
    return [outcome.state for outcome in published.outcomes]


def test_a_key_in_kms_signs_what_is_attached_and_kept(
    place: Place, kms: KmsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead_to(kms.url, monkeypatch)
    key = KmsKey(KmsKeyName.parse(kms.key))
    published = place.publish(attestor=Attestor(FIRST, key))
    (one,) = there(place)
    assert one.referrer.manifest.annotations == {"in-toto.io/predicate-type": "https://slsa.dev/provenance/v1"}
    assert one.referrer.blob.media_type == "application/vnd.dsse.envelope.v1+json"
    assert kept(place) == one.data + b"\n"
    assert published.provenance.to_bytes() == one.data
    assert published.provenance.is_signed_by(key.public_key)
    made = Provenance.parse(published.provenance.statement)
    pinned = record(place).pins.images[0]
    files = {item.filename: Digest(item.sha256) for item in record(place).distributions}
    assert {one.name: one.digest for one in made.subjects} == {str(pinned.repository): pinned.ref.digest, **files}
    assert (made.commit, made.tag, made.run) == (COMMIT, "v1.2", FIRST)
    assert made.images["demo"].materials == MATERIALS
    runtime = place.store.find(f"runtime-{pinned.runtime_key}")
    assert runtime is not None
    assert made.images["demo"].runtime == runtime.digest


def test_a_release_that_is_done_is_left_as_it_was_signed(place: Place) -> None:
    first = place.publish(attestor=Attestor(FIRST, KEY))
    again = place.publish(attestor=Attestor(SECOND, KEY))
    assert not again.changed
    assert again.provenance == first.provenance
    assert len(there(place)) == 1


def test_what_a_run_that_was_cut_off_attached_is_the_releases(place: Place) -> None:
    earlier = cut_off(place, Attestor(FIRST, KEY))
    published = place.publish(attestor=Attestor(SECOND, KEY))
    assert states(published) == ["already there", "already there", "already there", "sent", "sent"]
    assert kept(place) == earlier + b"\n"
    assert Provenance.parse(published.provenance.statement).run == FIRST


def test_without_a_key_it_is_attached_unsigned_and_resumed_likewise(place: Place) -> None:
    earlier = cut_off(place, Attestor(FIRST))
    assert json.loads(earlier)["signatures"] == []
    assert place.publish(attestor=Attestor(SECOND)).provenance.to_bytes() == earlier


def test_a_key_that_signs_nothing_leaves_nothing_half_way(
    place: Place, kms: KmsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead_to(kms.url, monkeypatch)
    lost = KmsKey(KmsKeyName.parse(f"{kms.key[:-4]}0000"))
    with pytest.raises(ReleaseError, match="NotFoundException"):
        place.publish(attestor=Attestor(signer=lost))
    assert place.store.find("1.2") is None
    assert place.index.uploaded == []
    assert not (place.folder / "provenance.intoto.jsonl").exists()


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        (KEY, LocalKey(), "it is not signed by [0-9a-f]{16}…, the key that is set"),
        (None, KEY, "it is unsigned"),
        (KEY, None, "it is signed, and no signing-key is set"),
    ],
)
def test_what_another_key_has_signed_is_refused_before_anything_is_sent(
    place: Place, first: LocalKey | None, second: LocalKey | None, why: str
) -> None:
    cut_off(place, Attestor(FIRST, first))
    with pytest.raises(ReleaseError, match=rf"has another provenance attached, sha256:[0-9a-f]+: {why}") as caught:
        place.publish(attestor=Attestor(SECOND, second))
    assert "nothing is overwritten and nothing was sent: release with the key" in caught.value.remedy
    assert place.index.uploaded == []
    assert len(there(place)) == 1


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"commit": "d" * 40}, "it names other files, images or materials"),
        ({"tag": "v1.3"}, "it names other files, images or materials"),
        ({"subjects": ()}, "it names other files, images or materials"),
    ],
)
def test_what_says_something_else_is_refused(place: Place, change: dict[str, Any], why: str) -> None:
    made = Provenance.parse(Envelope.parse(cut_off(place, Attestor(FIRST, KEY))).statement)
    remove_evidence(place)
    attach_to(place, KEY.sign(Envelope.around(replace(made, **change).statement())).to_bytes())
    with pytest.raises(ReleaseError, match=why):
        place.publish(attestor=Attestor(SECOND, KEY))


def test_what_is_no_provenance_is_refused(place: Place) -> None:
    cut_off(place, Attestor(FIRST, KEY))
    remove_evidence(place)
    attach_to(place, b"no JSON")
    with pytest.raises(ReleaseError, match=r"has another provenance attached, .*: it is not JSON"):
        place.publish(attestor=Attestor(SECOND, KEY))


def test_what_was_attached_before_its_image_is_refused_before_anything_is_sent(place: Place) -> None:
    attach_to(place, b"no JSON")
    with pytest.raises(ReleaseError, match=r"has another provenance attached, .*: it is not JSON"):
        place.publish(attestor=Attestor(FIRST, KEY))
    assert place.store.find("1.2") is None


@pytest.mark.parametrize("code", ["ImageNotFoundException", "AccessDeniedException"])
def test_who_may_not_list_is_told_before_anything_is_sent_and_that_there_is_no_image_yet_is_no_fault(
    place: Place, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    call = EcrRepository.call

    def refused(self: EcrRepository, operation: str, **parameters: Any) -> dict[str, Any]:
        if operation == "list_image_referrers" and self.find("1.2") is None:
            raise EcrError("ECR refused list_image_referrers", code=code)
        return call(self, operation, **parameters)

    monkeypatch.setattr(EcrRepository, "call", refused)
    if code == "ImageNotFoundException":
        assert place.publish(attestor=Attestor(FIRST, KEY)).changed
    else:
        with pytest.raises(EcrError, match="refused list_image_referrers"):
            place.publish(attestor=Attestor(FIRST, KEY))
        assert place.store.find("1.2") is None


def test_one_that_cannot_be_read_does_not_hide_the_right_one_and_alone_it_is_refused(place: Place) -> None:
    earlier = cut_off(place, Attestor(FIRST, KEY))
    value = json.loads(there(place)[0].referrer.manifest.data)
    value["layers"][0]["size"] = 1 << 40
    place.store.put(Manifest.parse(json.dumps(value).encode(), OCI_MANIFEST), None)
    assert place.publish(attestor=Attestor(SECOND, KEY)).provenance.to_bytes() == earlier
    place.store.call("batch_delete_image", imageIds=[{"imageDigest": str(right(place).digest)}])
    with pytest.raises(
        ReleaseError, match=r"something attached as its provenance that cannot be read: sha256:"
    ) as caught:
        place.publish(attestor=Attestor(SECOND, KEY))
    assert "nothing was sent: see who attached it" in caught.value.remedy


def right(place: Place) -> Attached:
    return look_at_attached(place.store, image(place).digest, ARTIFACT_TYPE).read[0]


def test_it_names_the_sbom_that_is_attached_although_other_tools_wrote_it(place: Place) -> None:
    path = place.folder / "demo.cdx.json"
    written = path.read_bytes()
    value = json.loads(written)
    value["metadata"]["tools"]["components"][0]["version"] = "99"
    path.write_text(json.dumps(value))
    cut_off(place, Attestor(FIRST, KEY))
    (sbom,) = attached(place.store, image(place).digest, SBOM_TYPE)
    path.write_bytes(written)
    remove_evidence(place)
    named = place.publish(attestor=Attestor(SECOND, KEY)).provenance.provenance.images["demo"].sbom
    assert named == Digest.of(sbom.data) != Digest.of(written)


def test_an_earlier_one_that_names_another_sbom_is_refused(place: Place) -> None:
    made = Envelope.parse(cut_off(place, Attestor(FIRST, KEY))).provenance
    remove_evidence(place)
    other = replace(made, images={"demo": replace(made.images["demo"], sbom=Digest.of(b"x"))}, tools={"python": "3.9"})
    attach_to(place, KEY.sign(Envelope.around(other.statement())).to_bytes())
    with pytest.raises(ReleaseError, match=r"it names another SBOM of image demo; it was built with python 3\.9"):
        place.publish(attestor=Attestor(SECOND, KEY))


def remove_evidence(place: Place) -> None:
    digests = [{"imageDigest": str(one.digest)} for one in there(place)]
    place.store.call("batch_delete_image", imageIds=digests)


def test_what_another_run_attaches_meanwhile_is_the_releases(place: Place) -> None:
    earlier = cut_off(place, Attestor(FIRST, KEY))
    remove_evidence(place)
    slower = LocalKey(KEY.private, before=lambda: attach_to(place, earlier))
    published = place.publish(attestor=Attestor(SECOND, slower))
    assert [one.data for one in there(place)] == [earlier]
    assert published.provenance.to_bytes() == earlier
    assert kept(place) == earlier + b"\n"


def test_a_file_that_the_index_has_packed_anew_is_named_as_it_is_public(place: Place) -> None:
    place.index.contents = {NAME: wheel_packed_anew((place.folder / NAME).read_bytes())}
    published = place.publish(attestor=Attestor(FIRST, KEY))
    named = {one.name: one.digest for one in published.provenance.statement.subjects}
    assert named[NAME] == Digest.of(place.index.contents[NAME])
    assert named[SDIST] == Digest.of((place.folder / SDIST).read_bytes())
    assert published.packed_anew == ()
    assert not place.publish(attestor=Attestor(SECOND, KEY)).changed


def test_a_file_that_the_index_packs_anew_as_it_takes_it_does_not_hold_up_a_re_run(place: Place) -> None:
    place.index.packs = {NAME: wheel_packed_anew}
    first = place.publish(attestor=Attestor(FIRST, KEY))
    assert first.packed_anew == (NAME,)
    assert f"; the index has packed {NAME} anew since, which verify --key refuses" in signed_note(None, first)
    assert place.publish(attestor=Attestor(SECOND, KEY)).provenance == first.provenance


def test_an_image_that_another_tool_packed_names_no_runtime_that_it_does_not_stand_on(place: Place) -> None:
    packed_anew(place.folder)
    release = BuiltRelease.read(place.folder)
    made = Attestor().attest(release, (), {})
    runtime = Provenance.parse(Envelope.parse(made.data).statement).images["demo"].runtime
    found = place.store.find(f"runtime-{MATERIALS.key}")
    assert found is not None
    assert runtime == found.digest


def test_a_build_that_does_not_say_what_it_is_made_of_is_built_again(place: Place) -> None:
    path = place.folder / "release.json"
    value = json.loads(path.read_bytes())
    path.write_text(json.dumps({**value, "materials": {}}))
    with pytest.raises(ReleaseError, match=r"release\.json does not say what image demo is made of") as caught:
        place.publish()
    assert caught.value.remedy == "build again: kfp-release build"
    value["materials"]["demo"]["platform"] = "linux/arm64"
    path.write_text(json.dumps(value))
    with pytest.raises(ReleaseError, match=f"give the runtime key [0-9a-f]+, and it is pinned with {MATERIALS.key}"):
        place.publish()
    assert place.store.find("1.2") is None


def test_a_file_that_cannot_be_written_is_told_before_anything_is_sent(place: Place) -> None:
    (place.folder / "provenance.intoto.jsonl").mkdir()
    with pytest.raises(ReleaseError, match=r"provenance\.intoto\.jsonl cannot be written") as caught:
        place.publish()
    assert caught.value.remedy == "see that it can be written to"
    assert place.store.find("1.2") is None


def test_what_is_kept_is_json_a_line_that_others_read(place: Place) -> None:
    place.publish(attestor=Attestor(FIRST, KEY))
    (line,) = kept(place).splitlines()
    statement = json.loads(base64.b64decode(json.loads(line)["payload"]))
    assert statement["predicate"]["runDetails"]["metadata"]["invocationId"] == FIRST.invocation


def test_all_that_it_names_is_kept_as_sha256sum_writes_it(place: Place) -> None:
    place.publish()
    pinned = record(place).pins.images[0]
    image_line, *files = (place.folder / "subjects.sha256").read_text().splitlines()
    assert image_line == f"{pinned.ref.digest.hex}  {pinned.repository}"
    checked = subprocess.run(
        ["sha256sum", "--check", "--quiet"], input="\n".join(files), cwd=place.folder, text=True, check=False
    )
    assert (len(files), checked.returncode) == (2, 0)
