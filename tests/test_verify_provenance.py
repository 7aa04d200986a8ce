"""What is attached as the provenance of a public version, seen from outside: who signed it, and is it right."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from archives import NAME
from ecr_fixtures import LocalEcr
from publish_fixtures import COMMIT, PROJECT, SDIST, VERSION, MemoryIndex, Place, place_at, record
from signing_fixtures import LocalKey

from kfp_release.attestation import ARTIFACT_TYPE, Attestor
from kfp_release.built import BuiltRelease
from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository
from kfp_release.ecr_errors import EcrError
from kfp_release.envelope import Envelope
from kfp_release.image_ref import Repository
from kfp_release.index import IndexFile
from kfp_release.manifest import OCI_MANIFEST, Descriptor, Manifest
from kfp_release.progress import Silent
from kfp_release.provenance import Provenance
from kfp_release.public_key import PublicKey
from kfp_release.referrers import Attachment, attach, attached
from kfp_release.run import Run
from kfp_release.sbom import SBOM_TYPE
from kfp_release.statement import Subject
from kfp_release.verify import verify
from kfp_release.verify_provenance import VerifiedProvenance, verify_provenance

KEY, OTHER = LocalKey(), LocalKey()
RUN = Run("https://ci/builder", "https://ci/runs/1/attempts/1")


@pytest.fixture
def place(local: LocalEcr, tmp_path: Path, request: pytest.FixtureRequest) -> Place:
    return place_at(local, tmp_path, request.node.name)


@pytest.fixture
def signed(place: Place) -> Place:
    place.publish(attestor=Attestor(RUN, KEY))
    return place


def look(place: Place, *keys: LocalKey, **changes: Any) -> VerifiedProvenance:
    public: list[PublicKey] = [key.public_key for key in keys]
    arguments = {"index": place.index, "stores": place.stores, **changes}
    return verify_provenance(place.verify(), keys=public, **arguments)


def ref(place: Place) -> str:
    return record(place).pins.images[0].pin


def image(place: Place) -> Manifest:
    return BuiltRelease.read(place.folder).image(record(place).pins.images[0]).manifest


def envelope(place: Place) -> Envelope:
    return Envelope.parse((place.folder / "provenance.intoto.jsonl").read_bytes())


def remove(place: Place) -> None:
    found = attached(place.store, image(place).digest, ARTIFACT_TYPE)
    place.store.call("batch_delete_image", imageIds=[{"imageDigest": str(one.digest)} for one in found])


def put(place: Place, data: bytes) -> str:
    """Attach `data` instead, as whoever may push can; how a line about it begins."""
    remove(place)
    return beside(place, data)


def evidence(data: bytes) -> Attachment:
    return Attachment("provenance", ARTIFACT_TYPE, "application/json", data, lambda _: False)


def beside(place: Place, data: bytes) -> str:
    referrer = evidence(data).referrer(image(place))
    for blob in (data, b"{}"):
        upload(place, blob)
    place.store.put(referrer.manifest, None)
    return f"{ref(place)}: its provenance {Digest.of(data)}: "


def upload(place: Place, data: bytes) -> None:
    if place.store.missing([Digest.of(data)]):
        begun = place.store.call("initiate_layer_upload")["uploadId"]
        place.store.call(
            "upload_layer_part", uploadId=begun, partFirstByte=0, partLastByte=len(data) - 1, layerPartBlob=data
        )
        place.store.call("complete_layer_upload", uploadId=begun, layerDigests=[str(Digest.of(data))])


def said(place: Place, key: LocalKey = KEY, **changes: Any) -> bytes:
    """What it says, changed, and signed with `key`."""
    made = Provenance.parse(envelope(place).statement)
    return key.sign(Envelope.around(replace(made, **changes).statement())).to_bytes()


def test_what_is_signed_and_right_has_no_line(signed: Place) -> None:
    found = look(signed, KEY)
    assert (found.problems, found.notes) == ((), ())
    (one,) = found.seen
    assert found.images == {"demo": (one.digest,)}
    assert found.to_json() == {
        "attached": {"demo": [str(one.digest)]},
        "checked_keys": [KEY.public_key.keyid],
        "envelopes": [
            {
                "digest": str(one.digest),
                "claims_keys": [KEY.public_key.keyid],
                "signed_by": KEY.public_key.keyid,
                "builder": "https://ci/builder",
                "invocation": "https://ci/runs/1/attempts/1",
                "problems": [],
            }
        ],
        "notes": [],
    }


def test_of_several_keys_one_must_have_signed(signed: Place) -> None:
    found = look(signed, OTHER, KEY)
    assert found.problems == ()
    assert found.checked_keys == (OTHER.public_key.keyid, KEY.public_key.keyid)
    assert [one.signed_by for one in found.seen] == [KEY.public_key.keyid]


def test_without_a_key_it_is_told_who_says_to_have_signed_it_and_that_nobody_checked(signed: Place) -> None:
    found = look(signed)
    assert found.problems == ()
    claim, unchecked = found.notes
    keyid = KEY.public_key.keyid[:16]
    assert f"says to be signed by {keyid}…, made by https://ci/runs/1/attempts/1" in claim
    assert unchecked == "no signature was checked: --key names the key to check it with"
    assert (found.checked_keys, [one.signed_by for one in found.seen]) == ((), [None])


def test_a_wrong_key_is_a_line(signed: Place) -> None:
    found = look(signed, OTHER)
    assert [one.signed_by for one in found.seen] == [None]
    (line,) = found.problems
    given, named = OTHER.public_key.keyid[:16], KEY.public_key.keyid[:16]
    assert line.endswith(f"it is not signed by {given}…, the key that was given; it says to be signed by {named}…")
    assert line.startswith(f"{ref(signed)}: its provenance sha256:")


def test_a_changed_statement_is_no_longer_signed(signed: Place) -> None:
    changed = replace(Provenance.parse(envelope(signed).statement), commit="d" * 40)
    forged = replace(envelope(signed), payload=changed.statement().to_bytes())
    begin = put(signed, forged.to_bytes())
    first, second = look(signed, KEY).problems
    assert first.startswith(f"{begin}it is not signed by {KEY.public_key.keyid[:16]}…")
    assert second == f"{begin}its commit is {'d' * 40}, and the published pins say {COMMIT}"


def test_a_signature_that_was_stripped_is_a_line(signed: Place) -> None:
    begin = put(signed, replace(envelope(signed), signatures=()).to_bytes())
    assert look(signed, KEY).problems == (f"{begin}it is not signed",)
    claim, _ = look(signed).notes
    assert "is unsigned, made by" in claim


def test_a_missing_one_is_a_line_with_a_key_and_a_note_without(signed: Place) -> None:
    remove(signed)
    missing = f"{ref(signed)}: no provenance is attached to it"
    assert look(signed, KEY).problems == (missing,)
    assert look(signed).problems == ()
    assert look(signed).notes[0] == missing


def test_the_envelope_of_another_version_is_told_from_what_it_names(signed: Place) -> None:
    subjects = (Subject(str(record(signed).pins.images[0].repository), Digest.of(b"1.3")),)
    begin = put(signed, said(signed, tag="v1.3", commit="d" * 40, subjects=subjects))
    lines = [line.removeprefix(begin) for line in look(signed, KEY).problems]
    assert lines == [
        "its tag is 'v1.3', and the version's is 'v1.2'",
        f"its commit is {'d' * 40}, and the published pins say {COMMIT}",
        f"it does not name {NAME}, which is public",
        f"it does not name {SDIST}, which is public",
        f"it names {subjects[0].name} with {subjects[0].digest}, and public is {image(signed).digest}",
    ]


def test_a_referrer_that_was_moved_here_from_another_image_does_not_count(signed: Place) -> None:
    (there,) = attached(signed.store, image(signed).digest, ARTIFACT_TYPE)
    value = json.loads(there.referrer.manifest.data)
    value["subject"] = Descriptor(OCI_MANIFEST, Digest.of(b"another image"), 12).to_json()
    remove(signed)
    signed.store.put(Manifest.parse(json.dumps(value).encode(), OCI_MANIFEST), None)
    assert look(signed, KEY).problems == (f"{ref(signed)}: no provenance is attached to it",)


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"\xff", "it is not JSON: "),
        (b"[" * 100_000, "it is not JSON: "),
        (b"[]", "a part of it is missing or of another type"),
        (b'{"payload": "", "payloadType": "text/plain", "signatures": []}', "it is not signed"),
        (b'{"payload": "\xf0\x9f\x98\x80", "payloadType": "x", "signatures": []}', "'😀' is not base64"),
    ],
)
def test_whatever_is_attached_is_a_line_and_no_crash(signed: Place, data: bytes, line: str) -> None:
    begin = put(signed, data)
    assert look(signed, KEY).problems[0].startswith(begin + line)


def test_a_right_one_beside_another_is_enough_and_the_other_is_noted(signed: Place) -> None:
    begin = beside(signed, said(signed, OTHER))
    found = look(signed, KEY)
    assert found.problems == ()
    (note,) = found.notes
    assert note.startswith(f"{begin}it is not signed by")


def test_one_that_cannot_be_read_beside_a_right_one_is_noted(signed: Place) -> None:
    unreadable_beside(signed)
    found = look(signed, KEY)
    assert found.problems == ()
    (note,) = found.notes
    assert note.startswith(f"{ref(signed)}: what is attached to it cannot be read: sha256:")


def unreadable_beside(place: Place) -> None:
    """Attach one whose blob nobody can hold."""
    (there,) = attached(place.store, image(place).digest, ARTIFACT_TYPE)
    value = json.loads(there.referrer.manifest.data)
    value["layers"][0]["size"] = 1 << 40
    place.store.put(Manifest.parse(json.dumps(value).encode(), OCI_MANIFEST), None)


def test_an_sbom_that_was_put_in_the_place_of_the_signed_one_is_a_line(signed: Place) -> None:
    (there,) = attached(signed.store, image(signed).digest, SBOM_TYPE)
    forged = {**json.loads(there.data), "components": []}
    signed.store.call("batch_delete_image", imageIds=[{"imageDigest": str(there.digest)}])
    data = json.dumps(forged).encode()
    attach(signed.store, image(signed), replace(evidence(data), artifact_type=SBOM_TYPE), progress=Silent())
    (line,) = look(signed, KEY).problems
    assert line.endswith(f"image demo: its SBOM is {Digest.of(there.data)}, and attached is {Digest.of(data)}")


def refusing(place: Place) -> Callable[[Repository], EcrRepository]:
    def stores(repository: Repository) -> EcrRepository:
        store = place.stores(repository)
        call = store.call

        def refused(operation: str, **parameters: Any) -> dict[str, Any]:
            if operation == "list_image_referrers":
                raise EcrError("ECR refused list_image_referrers", code="AccessDeniedException")
            return call(operation, **parameters)

        store.call = refused  # type: ignore[method-assign]
        return store

    return stores


def test_who_may_not_list_what_is_attached_is_told_so_and_without_a_key_that_is_no_fault(signed: Place) -> None:
    with pytest.raises(EcrError, match="refused list_image_referrers"):
        look(signed, KEY, stores=refusing(signed))
    found = look(signed, stores=refusing(signed))
    assert found.problems == ()
    assert found.notes == ("whether a provenance is attached cannot be told: ECR refused list_image_referrers",)


def test_that_an_sbom_cannot_be_looked_for_is_told_and_no_fault(signed: Place) -> None:
    found = verify(VERSION, distribution=PROJECT, index=signed.index, stores=refusing(signed))
    assert (found.problems, found.components) == ((), {})
    (note,) = found.notes
    assert note == f"whether an SBOM is attached to {ref(signed)} cannot be told: ECR refused list_image_referrers"
    assert found.to_json()["notes"] == [note]


@dataclass
class TwoProjects(MemoryIndex):
    """An index with the files of another project besides."""

    more: Mapping[str, IndexFile] = field(default_factory=dict)

    def files(self, project: str) -> Mapping[str, IndexFile]:
        return super().files(project) if project == PROJECT else self.more


def test_files_of_other_projects_are_asked_for_by_their_names(signed: Place) -> None:
    tool, digest = "kfp_release-1.2.tar.gz", Digest.of(b"the tool")
    subjects = Provenance.parse(envelope(signed).statement).subjects
    put(signed, said(signed, subjects=(*subjects, Subject(tool, digest))))
    index = TwoProjects(signed.index.contents, more={tool: IndexFile(tool, "https://index/x", digest.hex)})
    assert look(signed, KEY, index=index).problems == ()
    (line,) = look(signed, KEY, index=TwoProjects(signed.index.contents)).problems
    assert line.endswith(f"it names '{tool}', which is not public with this version")


@pytest.mark.parametrize(
    ("signer", "keys"), [(KEY, ()), (OTHER, (KEY,))], ids=["nobody checks", "another key than the given one"]
)
def test_the_index_is_not_asked_for_names_that_no_given_key_vouches_for(
    signed: Place, signer: LocalKey, keys: tuple[LocalKey, ...]
) -> None:
    subjects = Provenance.parse(envelope(signed).statement).subjects
    named = tuple(Subject(f"victim{number}-1.2.tar.gz", Digest.of(b"x")) for number in range(300))
    put(signed, said(signed, signer, subjects=(*subjects, *named)))
    # It raises for every project but the version's own.
    found = look(signed, *keys, index=signed.index)
    assert [len(one.problems) for one in found.seen] == [len(keys)]


def test_a_key_vouches_for_so_many_names_and_not_for_more(signed: Place) -> None:
    subjects = Provenance.parse(envelope(signed).statement).subjects
    named = tuple(Subject(f"other{number}-1.2.tar.gz", Digest.of(b"x")) for number in range(201))
    put(signed, said(signed, subjects=(*subjects, *named)))
    (line,) = look(signed, KEY).problems
    assert line.endswith("it names 201 files of other projects, and 200 are the most")


def test_a_version_of_which_nothing_is_there_is_not_signed(place: Place) -> None:
    (line,) = look(place, KEY).problems
    assert line.startswith("no provenance can be looked for: no pins say")
    assert look(place) == VerifiedProvenance()


def test_pins_without_digests_are_not_signed(signed: Place) -> None:
    verified = signed.verify()
    assert verified.pins is not None
    tags = tuple(replace(one, pin=one.pin.partition("@")[0]) for one in verified.pins.images)
    for images in (tags, ()):
        unpinned = replace(verified, pins=replace(verified.pins, images=images))
        found = verify_provenance(unpinned, keys=[KEY.public_key], index=signed.index, stores=signed.stores)
        assert len(found.problems) == 1


def test_a_referrer_whose_blob_is_no_config_s_size_is_a_line(signed: Place) -> None:
    (there,) = attached(signed.store, image(signed).digest, ARTIFACT_TYPE)
    value = json.loads(there.referrer.manifest.data)
    value["layers"][0]["size"] = 1 << 40
    remove(signed)
    signed.store.put(Manifest.parse(json.dumps(value).encode(), OCI_MANIFEST), None)
    first, second = look(signed, KEY).problems
    assert first.startswith(f"{ref(signed)}: what is attached to it cannot be read: ")
    assert "1099511627776 bytes" in first
    assert second == f"{ref(signed)}: no provenance is attached to it"
    assert look(signed).problems == ()
