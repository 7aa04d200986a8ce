"""Promoting between two accounts: stand-ins for ECR before real registries, each with what it holds."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from ecr_fixtures import ACCESS_KEY, REGION, SECRET_KEY, Told, noise, pushed
from promote_fixtures import MIB, OTHER_HOST, SMALL, Accounts, Shipped, two_accounts
from test_remote_blob import Storage, serving

from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository
from kfp_release.ecr_errors import EcrError
from kfp_release.errors import Problems, ReleaseError
from kfp_release.image_ref import Registry, Repository
from kfp_release.manifest import Manifest
from kfp_release.progress import Silent
from kfp_release.promotion import Deed, Promoted, promotions
from kfp_release.retry import Retry
from kfp_release.upload import upload_blobs

HASTY = Retry(sleep=lambda _: None)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Accounts]:
    with two_accounts(tmp_path_factory.mktemp("accounts")) as accounts:
        yield accounts


@pytest.fixture
def accounts(running: Accounts) -> Accounts:
    """With nothing asked of the second one yet."""
    running.sent.clear()
    return running


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A folder of repositories for this test alone."""
    return "tests/" + re.sub("[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[-60:].strip("-")


@pytest.fixture(scope="module")
def once(running: Accounts) -> Shipped:
    """A version of small images, which no test changes."""
    return running.ship("team", layers=SMALL)


@pytest.fixture
def shipped(once: Shipped, name: str) -> Shipped:
    """That version, which goes to where no other test has it go."""
    return replace(once, to=f"{OTHER_HOST}/{name}")


@pytest.fixture
def own(accounts: Accounts, name: str) -> Shipped:
    """Such a version of this test alone."""
    return accounts.ship(name, layers=SMALL)


def target(accounts: Accounts, shipped: Shipped, image: str = "demo") -> EcrRepository:
    """Where one of the images goes, for a test that looks or was there before."""
    (pinned,) = (one for one in shipped.pins.images if one.name == image)
    return accounts.targets(pinned.declared.at_registry(Registry.parse(shipped.to)))


def found(accounts: Accounts, shipped: Shipped, image: str) -> Manifest | None:
    """What is public under the version's tag."""
    return target(accounts, shipped, image).find("1.2")


def untouched(accounts: Accounts, shipped: Shipped, *images: str) -> bool:
    """Whether nothing of it was sent or made."""
    states = [target(accounts, shipped, image).describe() for image in images or SMALL]
    changing = {"CreateRepository", "InitiateLayerUpload", "PutImage"}
    return states == [None] * len(states) and not {operation for operation, _, _ in accounts.sent} & changing


# What is copied


def test_images_arrive_with_their_digests_tags_and_bytes(accounts: Accounts, name: str) -> None:
    shipped = accounts.ship(name)
    promoted = accounts.promote(shipped)
    assert [(one.deed, one.is_new_repository) for one in promoted.images] == [(Deed.COPIED, True)] * 2
    assert sum(one.bytes_copied for one in promoted.images) == shipped.size > 21 * MIB
    for image, manifest in shipped.manifests.items():
        assert found(accounts, shipped, image) == manifest
        expected = {blob.descriptor.digest: blob.data for blob in shipped.blobs[image]}
        assert accounts.pulled(f"{name}/{image}", manifest.digest) == {manifest.digest: manifest.data, **expected}
        state = target(accounts, shipped, image).describe()
        assert state is not None
        assert state.mutability == "IMMUTABLE"
    assert accounts.calls("UploadLayerPart") == 3 + 2 + 3  # one layer goes in three parts


def test_every_call_names_the_account_and_the_region_of_the_host(accounts: Accounts, shipped: Shipped) -> None:
    accounts.promote(shipped)
    registries = {asked.get("registryId") or asked["registryIds"][0] for _, asked, _ in accounts.sent}
    assert registries == {"111122223333"}
    assert {region for _, _, region in accounts.sent} == {"eu-west-1"}


def test_tags_come_last_in_the_order_of_the_configuration(accounts: Accounts, name: str) -> None:
    shipped = accounts.ship(name, layers={name: SMALL[name] for name in ("training", "demo")})
    accounts.promote(shipped)
    puts = [asked["repositoryName"] for operation, asked, _ in accounts.sent if operation == "PutImage"]
    assert puts == [f"{name}/training", f"{name}/demo"]
    operations = [operation for operation, _, _ in accounts.sent]
    assert max(i for i, each in enumerate(operations) if each == "CompleteLayerUpload") < operations.index("PutImage")


def test_a_second_time_nothing_is_sent(accounts: Accounts, shipped: Shipped) -> None:
    assert accounts.promote(shipped).changed
    accounts.sent.clear()
    again = accounts.promote(shipped)
    assert not again.changed
    assert [(one.deed, one.bytes_missing, one.bytes_copied) for one in again.images] == [(Deed.LEFT, 0, 0)] * 2
    assert (
        accounts.calls("InitiateLayerUpload") == accounts.calls("PutImage") == accounts.calls("CreateRepository") == 0
    )


def test_what_is_there_already_needs_no_source(accounts: Accounts, own: Shipped) -> None:
    accounts.promote(own)
    for pinned in own.pins.images:
        accounts.sources(pinned.repository).call("batch_delete_image", imageIds=[{"imageTag": "1.2"}])
    assert not accounts.promote(own).changed


def test_only_what_is_missing_is_sent(accounts: Accounts, shipped: Shipped) -> None:
    store = target(accounts, shipped)
    store.create()
    upload_blobs(store, [shipped.blobs["demo"][0]], progress=Silent())
    demo, training = accounts.promote(shipped).images
    assert (demo.blobs, demo.blobs_missing, demo.is_new_repository) == (3, 2, False)
    assert demo.bytes_copied == demo.bytes_missing == sum(one.descriptor.size for one in shipped.blobs["demo"][1:])
    assert training.blobs_missing == training.blobs == 2


def test_the_next_version_sends_its_own_layer_alone(accounts: Accounts, name: str) -> None:
    accounts.promote(accounts.ship(name, layers=SMALL))
    later = accounts.ship(name, version="1.3", layers={**SMALL, "demo": (SMALL["demo"][0], noise(500, 9))})
    demo, training = accounts.promote(later).images
    config = later.manifests["demo"].config.size
    assert (demo.blobs_missing, demo.bytes_copied) == (2, 500 + config)
    assert (training.deed, training.blobs_missing) == (Deed.COPIED, 0)  # another tag on the same layers


def test_a_prefix_comes_before_the_repositorys_name(accounts: Accounts, shipped: Shipped, name: str) -> None:
    accounts.promote(shipped)
    manifest = shipped.manifests["demo"]
    assert manifest.digest in accounts.pulled(f"{name}/team/demo", manifest.digest)


def test_within_one_registry_a_prefix_is_another_place(accounts: Accounts, shipped: Shipped) -> None:
    to = Registry(accounts.first.registry.host, "production")
    promoter = accounts.promoter(targets=accounts.sources)
    assert promoter.promote(promotions(shipped.pins, to)).changed
    store = accounts.sources(shipped.pins.images[0].declared.at_registry(to))
    assert store.find("1.2") == shipped.manifests["demo"]


def test_it_is_copied_on_from_where_it_was_copied_to(accounts: Accounts, shipped: Shipped) -> None:
    accounts.promote(shipped)
    onward = promotions(shipped.pins, Registry(accounts.first.registry.host, "onward"), Registry.parse(shipped.to))
    promoter = accounts.promoter(sources=accounts.targets, targets=accounts.sources)
    assert [one.bytes_copied for one in promoter.promote(onward).images] == [
        sum(blob.descriptor.size for blob in blobs) for blobs in shipped.blobs.values()
    ]


def test_a_dry_run_tells_all_and_changes_nothing(accounts: Accounts, shipped: Shipped) -> None:
    promoted = accounts.promote(shipped, dry_run=True)
    assert promoted.changed
    assert [(one.deed, one.blobs_missing, one.is_new_repository) for one in promoted.images] == [
        (Deed.PLANNED, 3, True),
        (Deed.PLANNED, 2, True),
    ]
    assert promoted.to_json()["bytes_missing"] == shipped.size
    assert promoted.to_json()["bytes_copied"] == 0
    assert untouched(accounts, shipped)


def test_a_connection_that_is_lost_in_the_middle_of_a_layer_is_continued(accounts: Accounts, name: str) -> None:
    data = noise(11 * MIB, 5)
    shipped = accounts.ship(name, layers={"demo": (data,)})
    large = str(Digest.of(data))
    client = accounts.first.client()

    def elsewhere(parsed: dict[str, Any], **_: Any) -> None:
        if parsed["layerDigest"] == large:
            parsed["downloadUrl"] = f"{storage.url}/{len(storage.asked)}"

    client.meta.events.register("after-call.ecr.GetDownloadUrlForLayer", elsewhere)
    with serving(Storage(data, cuts=[MIB, 4 * MIB])) as storage:
        accounts.promote(shipped, sources=lambda repository: EcrRepository(client, repository, retry=HASTY))
    assert storage.asked == [("/0", ""), ("/1", f"bytes={MIB}-"), ("/2", f"bytes={5 * MIB}-")]
    digest = shipped.manifests["demo"].digest
    assert accounts.pulled(f"{name}/demo", digest)[Digest.of(data)] == data


def test_progress_tells_bytes_and_steps(accounts: Accounts, shipped: Shipped) -> None:
    told = Told()
    accounts.promote(shipped, progress=told)
    name = target(accounts, shipped).repository.name
    size = sum(blob.descriptor.size for blob in shipped.blobs["demo"])
    assert (f"3 layers to {name}", size, size) in told.told
    tags = [f"{target(accounts, shipped, image).repository}:1.2" for image in ("demo", "training")]
    assert told.steps[-2:] == [f"commit {tag}" for tag in tags]
    again = Told()
    accounts.promote(shipped, progress=again)
    assert again.steps == ["look at both registries", *(f"read back {tag}" for tag in tags)]


def test_lifecycle_rules_that_would_take_it_away_are_told(accounts: Accounts, shipped: Shipped) -> None:
    store = target(accounts, shipped)
    store.create()
    rule = {
        "rulePriority": 1,
        "selection": {
            "tagStatus": "any",
            "countType": "sinceImagePushed",
            "countUnit": "days",
            "countNumber": 14,
        },
        "action": {"type": "expire"},
    }
    store.call("put_lifecycle_policy", lifecyclePolicyText=json.dumps({"rules": [rule]}))
    (warning,) = accounts.promote(shipped).warnings
    assert warning.path == str(store.repository)
    assert "expires images 14 days after their push, and would take away 1.2" in warning.message


def test_two_at_once_both_succeed(accounts: Accounts, shipped: Shipped) -> None:
    ended: list[Promoted | Exception] = []
    barrier = threading.Barrier(2)

    def work() -> None:
        barrier.wait()
        try:
            ended.append(accounts.promote(shipped))
        except Exception as error:  # noqa: BLE001 - told below
            ended.append(error)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [type(end) for end in ended] == [Promoted, Promoted], ended
    assert found(accounts, shipped, "training") == shipped.manifests["training"]


# What is refused


def refused(accounts: Accounts, shipped: Shipped, message: str, **options: Any) -> ReleaseError:
    with pytest.raises(ReleaseError, match=message) as caught:
        accounts.promote(shipped, **options)
    remedies = (
        [each.remedy for each in caught.value.problems] if isinstance(caught.value, Problems) else [caught.value.remedy]
    )
    assert all(remedies)
    return caught.value


def test_another_image_under_the_tag_is_refused_before_a_byte(accounts: Accounts, shipped: Shipped) -> None:
    store = target(accounts, shipped, "training")
    store.create()
    other = pushed(store, "1.2")
    accounts.sent.clear()
    release = shipped.manifests["training"].digest
    refused(accounts, shipped, f"/training:1.2 is there already as {other.digest}, and the release has {release}")
    assert untouched(accounts, shipped, "demo")
    assert found(accounts, shipped, "training") == other


def test_a_repository_is_created_only_if_it_is_asked_for(accounts: Accounts, shipped: Shipped) -> None:
    error = refused(accounts, shipped, "ECR has no repository", create=False)
    assert "--create-repository" in str(error)
    assert isinstance(error, Problems)  # of both images
    assert len(error.problems) == 2
    assert untouched(accounts, shipped)


def test_a_repository_whose_tags_can_be_moved_is_refused_unless_that_is_meant(
    accounts: Accounts, shipped: Shipped
) -> None:
    store = target(accounts, shipped)
    store.create()
    store.call("put_image_tag_mutability", imageTagMutability="MUTABLE")
    accounts.sent.clear()
    error = refused(accounts, shipped, "is MUTABLE: tag 1.2 could be moved")
    assert "put-image-tag-mutability" in error.remedy
    assert untouched(accounts, shipped, "training")
    assert "mutable-tags" not in refused(accounts, shipped, "is MUTABLE", mutable=None).remedy
    assert accounts.promote(shipped, mutable={"demo"}).changed


@pytest.fixture
def lose(accounts: Accounts, name: str) -> Callable[[str, Digest], None]:
    """Has the first registry forget a blob, and keep the image that needs it."""

    def forget(image: str, digest: Digest) -> None:
        path = f"registry/**/repositories/{name}/{image}/_layers/sha256/{digest.hex}/link"
        (link,) = accounts.folder.glob(path)
        link.unlink()

    return forget


def test_a_source_that_lacks_a_layer_is_refused_before_a_byte(
    accounts: Accounts, own: Shipped, lose: Callable[[str, Digest], None]
) -> None:
    layer = own.manifests["training"].layers[0].digest
    lose("training", layer)
    error = refused(accounts, own, f"cannot be copied: its source lacks 1 of its layers, {layer} for one")
    assert "kfp-release verify 1.2" in error.remedy
    assert untouched(accounts, own)


@contextmanager
def damaged(accounts: Accounts, digest: Digest) -> Iterator[None]:
    (path,) = accounts.folder.glob(f"registry/**/sha256/??/{digest.hex}/data")
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    try:
        yield
    finally:
        path.write_bytes(data)


def test_bytes_that_are_not_those_of_the_digest_never_become_a_layer(accounts: Accounts, shipped: Shipped) -> None:
    layer = shipped.manifests["training"].layers[0].digest
    with damaged(accounts, layer):
        error = refused(accounts, shipped, f"/training hands out other bytes than it should: blob {layer} is damaged")
        assert "--from" in error.remedy
        store = target(accounts, shipped, "training")
        assert store.missing([layer]) == {layer}
        assert [store.find("1.2"), found(accounts, shipped, "demo")] == [None, None]
    assert accounts.promote(shipped).changed


def test_a_source_that_hands_out_a_damaged_config_is_seen_before_a_byte(accounts: Accounts, shipped: Shipped) -> None:
    config = shipped.manifests["training"].config.digest
    with damaged(accounts, config):
        refused(accounts, shipped, f"{config} of .*/training: the .* bytes from .* have the digest")
    assert untouched(accounts, shipped)


def test_a_digest_that_the_source_lacks_is_refused(accounts: Accounts, own: Shipped) -> None:
    pinned = own.pins.images[0]
    accounts.sources(pinned.repository).call("batch_delete_image", imageIds=[{"imageDigest": str(pinned.ref.digest)}])
    refused(accounts, own, f"@{pinned.ref.digest} cannot be copied: ECR has no image of this digest")
    assert untouched(accounts, own)


def test_a_source_without_the_repository_is_refused(accounts: Accounts, shipped: Shipped) -> None:
    wanted = promotions(shipped.pins, Registry.parse(shipped.to), Registry(accounts.first.registry.host, "nowhere"))
    with pytest.raises(ReleaseError, match=r"nowhere/.*cannot be copied: .*RepositoryNotFoundException") as caught:
        accounts.promoter().promote(wanted)
    assert "--create-repository" not in str(caught.value)
    assert untouched(accounts, shipped)


@pytest.mark.parametrize("side", ["source", "target"])
def test_an_archived_image_is_refused(accounts: Accounts, shipped: Shipped, side: str) -> None:
    if side == "target":
        accounts.promote(shipped)
    digest = shipped.manifests["demo"].digest
    store = accounts.sources(shipped.pins.images[0].repository) if side == "source" else target(accounts, shipped)
    image = {"imageId": {"imageDigest": str(digest)}}
    store.call("update_image_storage_class", **image, targetStorageClass="ARCHIVE")
    error = refused(accounts, shipped, "ARCHIVED in ECR and cannot be pulled")
    assert "restore" in error.remedy
    store.call("update_image_storage_class", **image, targetStorageClass="STANDARD")
    assert accounts.promote(shipped).changed is (side == "source")


@pytest.mark.parametrize("operation", ["DescribeRepositories", "InitiateLayerUpload", "PutImage"])
def test_a_target_that_refuses_is_named_with_the_permission(
    accounts: Accounts, shipped: Shipped, operation: str
) -> None:
    def denied(**_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        said = f"User: ci is not authorized to perform: ecr:{operation} because no resource-based policy allows it"
        error = {"Error": {"Code": "AccessDeniedException", "Message": said}, "ResponseMetadata": {}}
        return AWSResponse("", 400, HTTPHeaders(), None), error

    def targets(repository: Repository) -> EcrRepository:
        client = accounts.second.client()
        client.meta.events.register(f"before-call.ecr.{operation}", denied)
        return EcrRepository(client, repository)

    error = refused(accounts, shipped, f"ecr:{operation} because", targets=targets)
    assert OTHER_HOST in str(error)
    assert "in the repository's account too" in str(error)
    assert accounts.promote(shipped).changed  # by one who may


def test_a_host_that_is_no_ecr_is_refused_where_aws_is_asked(accounts: Accounts, shipped: Shipped) -> None:
    at_aws = partial(asked_at_aws, accounts)
    error = refused(accounts, shipped, r"ghcr\.io is not the host of an ECR", to="ghcr.io/team", targets=at_aws)
    assert "<account>.dkr.ecr.<region>.amazonaws.com" in error.remedy
    assert "--to-profile" in error.remedy
    assert not isinstance(error, EcrError)


def test_a_source_that_is_no_ecr_is_refused_where_aws_is_asked(accounts: Accounts, shipped: Shipped) -> None:
    wanted = promotions(shipped.pins, Registry.parse(OTHER_HOST), Registry.parse("nowhere.example"))
    promoter = accounts.promoter(sources=partial(asked_at_aws, accounts))
    with pytest.raises(ReleaseError, match=r"nowhere\.example is not the host of an ECR") as caught:
        promoter.promote(wanted)
    assert "--from-profile" in str(caught.value)
    assert untouched(accounts, shipped)


def asked_at_aws(accounts: Accounts, repository: Repository) -> EcrRepository:
    client = accounts.first.session.client(
        "ecr", region_name=REGION, aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY
    )
    return EcrRepository(client, repository)


def test_an_endpoint_of_another_registry_than_the_host_is_refused(accounts: Accounts, shipped: Shipped) -> None:
    target(accounts, shipped).create()
    accounts.sent.clear()
    error = refused(accounts, shipped, f"pulled from {OTHER_HOST}", to=shipped.to.replace("1111", "4444", 1))
    assert isinstance(error, Problems)  # also of the repository that would have to be made
    assert [problem.path for problem in error.problems] == ["demo", "training"]
    assert "endpoint_url" in str(error)
    assert untouched(accounts, shipped, "training")
