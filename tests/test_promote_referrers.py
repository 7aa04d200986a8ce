"""What refers to images goes with them to another account: of any type and tool, by digest, never written over."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from ecr_fixtures import MemoryBlob, Told, noise
from promote_fixtures import SMALL, Accounts, Shipped, two_accounts
from scans import denied

from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository
from kfp_release.errors import Problems, ReleaseError
from kfp_release.image_ref import Registry
from kfp_release.manifest import OCI_MANIFEST, Descriptor, Manifest, canonical_json
from kfp_release.progress import Silent
from kfp_release.promotion import Deed, Promoted
from kfp_release.referrer import EMPTY, EMPTY_CONFIG
from kfp_release.referrers import Attachment, attach, referrers_of
from kfp_release.upload import upload_blobs

SBOM, BUNDLE = "application/vnd.cyclonedx+json", "application/vnd.dev.sigstore.bundle.v0.3+json"


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Accounts]:
    with two_accounts(tmp_path_factory.mktemp("accounts")) as accounts:
        yield accounts


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    return "tests/" + re.sub("[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[-60:].strip("-")


@pytest.fixture
def own(accounts: Accounts, name: str) -> Shipped:
    """A version of this test alone, whose image demo has an SBOM of ours and a bundle of two blobs of another tool."""
    shipped = accounts.ship(name, layers=SMALL)
    store, demo = source(accounts, shipped), shipped.manifests["demo"]
    attach(store, demo, sbom(), progress=Silent())
    attach_foreign(store, demo)
    return shipped


def sbom(data: bytes = b'{"bomFormat":"CycloneDX"}') -> Attachment:
    return Attachment("SBOM", SBOM, SBOM, data, lambda _: False)


def attach_foreign(store: EcrRepository, subject: Manifest, **changes: Any) -> Manifest:
    """As another tool does: two blobs, a config of its own type and no artifactType."""
    blobs = [MemoryBlob(noise(200, 7)), MemoryBlob(noise(300, 8)), MemoryBlob(EMPTY, EMPTY_CONFIG)]
    config = Descriptor(BUNDLE, EMPTY_CONFIG.digest, EMPTY_CONFIG.size)
    value = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": config.to_json(),
        "layers": [blob.descriptor.to_json() for blob in blobs[:2]],
        "subject": subject.descriptor.to_json(),
        **changes,
    }
    upload_blobs(store, blobs, progress=Silent())
    data = canonical_json(value)
    store.call("put_image", imageManifest=data.decode(), imageManifestMediaType=OCI_MANIFEST)
    return Manifest.parse(data, OCI_MANIFEST)


def source(accounts: Accounts, shipped: Shipped, image: str = "demo") -> EcrRepository:
    (pinned,) = (one for one in shipped.pins.images if one.name == image)
    return accounts.sources(pinned.repository)


def target(accounts: Accounts, shipped: Shipped, image: str = "demo") -> EcrRepository:
    (pinned,) = (one for one in shipped.pins.images if one.name == image)
    return accounts.targets(pinned.declared.at_registry(Registry.parse(shipped.to)))


def told(promoted: Promoted) -> dict[str, tuple[str, int]]:
    """By type: what was done, and the bytes sent."""
    return {one.artifact_type: (one.deed.value, one.bytes_copied) for one in promoted.images[0].referrers}


def test_artifacts_of_every_type_arrive_with_their_digests_and_bytes(
    accounts: Accounts, own: Shipped, name: str
) -> None:
    progress = Told()
    promoted = accounts.promote(own, progress=progress)
    there, others = referrers_of(target(accounts, own), own.manifests["demo"].digest)
    assert (there, others) == referrers_of(source(accounts, own), own.manifests["demo"].digest)
    assert {one.artifact_type for one in there} == {SBOM, BUNDLE}
    for referrer in there:
        pulled = accounts.pulled(f"{name}/demo", referrer.manifest.digest)
        assert all(Digest.of(data) == digest for digest, data in pulled.items())
    sizes = told(promoted)
    assert {deed for deed, _ in sizes.values()} == {"copied"}
    assert sum(size for _, size in sizes.values()) == len(b'{"bomFormat":"CycloneDX"}') + len(EMPTY) + 500
    assert promoted.images[1].referrers == ()
    steps = progress.steps
    assert (
        steps.index("copy 2 artifacts that refer to demo")
        == steps.index(f"commit {target(accounts, own).repository}:1.2") + 1
    )


def test_a_dry_run_tells_them_and_sends_nothing(accounts: Accounts, own: Shipped) -> None:
    planned = accounts.promote(own, dry_run=True)
    assert told(planned) == {SBOM: ("would be copied", 0), BUNDLE: ("would be copied", 0)}
    assert planned.bytes_missing == accounts.promote(own).bytes_copied
    assert planned.to_json()["images"]["demo"]["referrers"][0]["state"] == "would be copied"


def test_again_nothing_is_copied_and_what_came_since_is(accounts: Accounts, own: Shipped) -> None:
    accounts.promote(own)
    accounts.sent.clear()
    again = accounts.promote(own)
    assert not again.changed
    assert told(again) == {SBOM: ("already there", 0), BUNDLE: ("already there", 0)}
    assert accounts.calls("PutImage") == accounts.calls("InitiateLayerUpload") == 0
    attach(source(accounts, own, "training"), own.manifests["training"], sbom(b"late"), progress=Silent())
    late = accounts.promote(own)
    assert [one.deed for one in late.images] == [Deed.LEFT, Deed.LEFT]
    assert [one.deed for one in late.images[1].referrers] == [Deed.COPIED]
    assert late.changed


def test_what_the_target_has_attached_besides_is_left_alone(accounts: Accounts, own: Shipped) -> None:
    accounts.promote(replace(own))
    store, demo = target(accounts, own), own.manifests["demo"]
    attach_foreign(store, demo, annotations={"of": "the target"})
    accounts.promote(own)
    assert len(referrers_of(store, demo.digest)[0]) == 3
    assert len(referrers_of(source(accounts, own), demo.digest)[0]) == 2


def test_cut_off_between_image_and_artifact_it_is_completed(accounts: Accounts, own: Shipped) -> None:
    puts: list[str] = []

    def cut(params: Any, **_: Any) -> None:
        puts.append(params["body"].decode() if isinstance(params["body"], bytes) else params["body"])
        if "subject" in puts[-1]:
            raise ReleaseError("cut off")

    client = accounts.second.client(region_name="eu-west-1")
    client.meta.events.register("before-call.ecr.PutImage", cut)
    with pytest.raises(ReleaseError, match="cut off"):
        accounts.promote(own, targets=lambda repository: EcrRepository(client, repository))
    demo = own.manifests["demo"]
    assert target(accounts, own).find("1.2") == demo
    assert referrers_of(target(accounts, own), demo.digest) == ([], [])
    done = accounts.promote(own)
    assert {deed for deed, _ in told(done).values()} == {"copied"}
    assert len(referrers_of(target(accounts, own), demo.digest)[0]) == 2


def test_what_is_no_artifact_of_blobs_is_told_and_not_copied(accounts: Accounts, own: Shipped) -> None:
    store, demo = source(accounts, own), own.manifests["demo"]
    archived = attach_foreign(store, demo, annotations={"kept": "no"})
    listed = {"referrers": [{"digest": str(archived.digest), "artifactType": BUNDLE}]}
    store.call(
        "update_image_storage_class", imageId={"imageDigest": str(archived.digest)}, targetStorageClass="ARCHIVE"
    )
    client = accounts.first.client()
    client.meta.events.register("after-call.ecr.ListImageReferrers", lambda parsed, **_: parsed.update(listed))
    promoted = accounts.promote(own, sources=lambda repository: EcrRepository(client, repository))
    assert [str(archived.digest) in str(warning) for warning in promoted.warnings] == [True, True]
    assert promoted.images[0].referrers == ()


def test_a_source_that_may_not_be_asked_is_refused_before_a_byte(accounts: Accounts, own: Shipped) -> None:
    client = accounts.first.client()
    client.meta.events.register("before-call.ecr.ListImageReferrers", lambda **_: denied())
    accounts.sent.clear()

    def sources(repository: Any) -> EcrRepository:
        return EcrRepository(client, repository)

    with pytest.raises(Problems, match="list_image_referrers") as caught:
        accounts.promote(own, sources=sources)
    assert {problem.remedy for problem in caught.value.problems} == {
        "give the role this permission, in the repository's account too"
    }
    assert accounts.calls("PutImage") == accounts.calls("CreateRepository") == 0
    accounts.promote(own)
    again = accounts.promote(own, sources=sources)
    assert not again.changed
    assert len(again.warnings) == 2
    assert "what refers to it cannot be looked up, and is not copied" in again.warnings[0].message


def test_a_registry_without_referrers_has_none(accounts: Accounts, own: Shipped) -> None:
    client = accounts.first.client()

    def unknown(**_: Any) -> Any:
        answer, parsed = denied()
        return answer, json.loads(json.dumps(parsed).replace("AccessDeniedException", "UnknownOperationException"))

    client.meta.events.register("before-call.ecr.ListImageReferrers", unknown)
    promoted = accounts.promote(own, sources=lambda repository: EcrRepository(client, repository))
    assert [one.deed for one in promoted.images] == [Deed.COPIED, Deed.COPIED]
    assert "UnknownOperationException" in promoted.warnings[0].message
