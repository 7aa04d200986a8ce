"""The ECR stand-in, asked through boto3 as ECR is asked, before a real registry."""

from __future__ import annotations

import json
import re
import socket
import urllib.error
import urllib.request
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from ecr_fixtures import (
    ACCESS_KEY,
    PASSWORD,
    SECRET_KEY,
    LocalEcr,
    MemoryBlob,
    image_of,
    noise,
    pushed,
)

from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository
from kfp_release.errors import ReleaseError
from kfp_release.manifest import OCI_MANIFEST, Manifest
from kfp_release.sandbox.ecr import EcrStandIn
from kfp_release.sandbox.registry_api import RegistryApi

MIB = 1024 * 1024
OTHER = "sha256:" + "0" * 64


@pytest.fixture
def client(local: LocalEcr) -> Any:
    return local.client()


@pytest.fixture
def store(local: LocalEcr, request: pytest.FixtureRequest) -> EcrRepository:
    """An immutable repository for this test alone."""
    return local.repository("tests/" + re.sub("[^a-z0-9]+", "-", request.node.name.lower()).strip("-"))


def _refusal(call: Callable[[], Any]) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def _code(call: Callable[[], Any]) -> str:
    return _refusal(call)[0]


def pushed_anyhow(client: Any, store: EcrRepository, tag: str, *, seed: int) -> None:
    """Put an image as a program would that looks at nothing first."""
    manifest = pushed(store, None, seed=seed)
    client.put_image(repositoryName=store.repository.name, imageManifest=manifest.data.decode(), imageTag=tag)


def _moves(client: Any, store: EcrRepository, tag: str) -> bool:
    try:
        pushed_anyhow(client, store, tag, seed=99)
    except client.exceptions.ImageTagAlreadyExistsException:
        return False
    return True


class TestSignatures:
    @pytest.mark.parametrize(
        ("given", "code"),
        [
            ({"aws_access_key_id": "AKIAOTHER"}, "UnrecognizedClientException"),
            ({"aws_secret_access_key": "another"}, "InvalidSignatureException"),
            ({"aws_session_token": "a token"}, "UnrecognizedClientException"),
        ],
    )
    def test_other_credentials_are_refused(self, local: LocalEcr, given: dict[str, str], code: str) -> None:
        said = _refusal(local.client(**given).describe_repositories)
        assert said[0] == code
        assert SECRET_KEY not in said[1]

    def test_an_unsigned_call_is_refused(self, local: LocalEcr) -> None:
        unsigned = local.client(config=Config(signature_version=UNSIGNED))
        assert _code(unsigned.describe_repositories) == "MissingAuthenticationTokenException"

    @pytest.mark.parametrize(
        ("header", "value", "code"),
        [
            ("X-Amz-Date", "20200101T000000Z", "InvalidSignatureException"),
            ("X-Amz-Date", "today", "IncompleteSignatureException"),
            ("X-Amz-Target", "AmazonEC2ContainerRegistry_V20150921.CreateRepository", "InvalidSignatureException"),
            ("Authorization", "AWS4-HMAC-SHA256 nonsense", "IncompleteSignatureException"),
        ],
    )
    def test_a_header_that_was_changed_after_signing_is_noticed(
        self, client: Any, header: str, value: str, code: str
    ) -> None:
        def change(request: Any, **_: Any) -> None:
            del request.headers[header]
            request.headers[header] = value

        client.meta.events.register("before-send.ecr.*", change)
        assert _code(client.describe_repositories) == code

    def test_a_body_that_was_changed_after_signing_is_noticed(self, client: Any) -> None:
        def change(request: Any, **_: Any) -> None:
            request.body = request.body.replace(b"one", b"two")

        client.meta.events.register("before-send.ecr.*", change)
        assert _code(lambda: client.create_repository(repositoryName="one")) == "InvalidSignatureException"


class TestRequests:
    @pytest.mark.parametrize(
        ("operation", "parameters"),
        [
            ("create_repository", {"repositoryName": "Upper"}),
            ("create_repository", {"repositoryName": "some", "imageTagMutability": "SOMETIMES"}),
            ("describe_images", {"repositoryName": "some", "imageIds": [{"imageTag": str(n)} for n in range(101)]}),
            ("batch_get_image", {"repositoryName": "some", "imageIds": [{"imageTag": str(n)} for n in range(101)]}),
            ("batch_check_layer_availability", {"repositoryName": "some", "layerDigests": [OTHER] * 101}),
            ("describe_images", {"repositoryName": "some", "maxResults": 1001}),
            ("put_image", {"repositoryName": "some", "imageManifest": "{}", "imageTag": "t" * 301}),
            ("put_image", {"repositoryName": "some", "imageManifest": " " * (4 * MIB + 1)}),
            ("describe_images", {"repositoryName": "some", "registryId": "12"}),
        ],
    )
    def test_the_limits_of_the_api_hold(self, client: Any, operation: str, parameters: dict[str, Any]) -> None:
        code, message = _refusal(lambda: getattr(client, operation)(**parameters))
        assert code == "InvalidParameterException"
        assert "failed to satisfy constraint" in message

    def test_a_call_that_a_release_has_no_use_for_is_unknown(self, client: Any) -> None:
        assert _code(client.describe_registry) == "UnknownOperationException"

    def test_a_repository_that_is_not_there_is_named(self, client: Any) -> None:
        code, message = _refusal(lambda: client.describe_images(repositoryName="none", registryId="533211398604"))
        assert code == "RepositoryNotFoundException"
        assert "'none' does not exist in the registry with id '533211398604'" in message

    def test_a_connection_that_says_nothing_holds_up_nobody(self, local: LocalEcr, client: Any) -> None:
        address = urlsplit(local.stand_in.url)
        with socket.create_connection((address.hostname, address.port)):
            assert "repositories" in client.describe_repositories()


class TestRepositories:
    def test_one_is_made_once(self, local: LocalEcr, client: Any) -> None:
        made = client.create_repository(repositoryName="tests/once", imageTagMutability="IMMUTABLE")["repository"]
        assert made["repositoryUri"] == f"{local.registry.host}/tests/once"
        assert made["imageTagMutability"] == "IMMUTABLE"
        assert client.describe_repositories(repositoryNames=["tests/once"])["repositories"] == [made]
        again = _code(lambda: client.create_repository(repositoryName="tests/once"))
        assert again == "RepositoryAlreadyExistsException"

    @pytest.mark.parametrize(
        ("mutability", "filters", "moves"),
        [
            ("MUTABLE", [], {"1.0": True, "dev-1": True}),
            ("IMMUTABLE", [], {"1.0": False, "dev-1": False}),
            ("IMMUTABLE_WITH_EXCLUSION", ["dev-*", "*-test"], {"1.0": False, "dev-1": True, "a-test": True}),
            ("MUTABLE_WITH_EXCLUSION", ["dev-*", "1.*"], {"1.0": False, "dev-1": False, "100": True}),
        ],
    )
    def test_mutability_decides_which_tags_move(
        self, store: EcrRepository, client: Any, mutability: str, filters: list[str], moves: dict[str, bool]
    ) -> None:
        name = store.repository.name
        client.put_image_tag_mutability(repositoryName=name, imageTagMutability="MUTABLE")
        for number, tag in enumerate(moves):
            pushed_anyhow(client, store, tag, seed=number)
        wildcards = [{"filterType": "WILDCARD", "filter": each} for each in filters]
        exclusions = {"imageTagMutabilityExclusionFilters": wildcards} if filters else {}
        client.put_image_tag_mutability(repositoryName=name, imageTagMutability=mutability, **exclusions)
        state = store.describe()
        assert state is not None
        assert (state.mutability, list(state.exclusions)) == (mutability, filters)
        moved = {tag: _moves(client, store, tag) for tag in moves}
        assert moved == moves

    @pytest.mark.parametrize(("mutability", "filters"), [("IMMUTABLE", ["a"]), ("MUTABLE_WITH_EXCLUSION", [])])
    def test_filters_and_mutability_must_agree(
        self, store: EcrRepository, client: Any, mutability: str, filters: list[str]
    ) -> None:
        wildcards = [{"filterType": "WILDCARD", "filter": each} for each in filters]
        given = {"imageTagMutabilityExclusionFilters": wildcards} if filters else {}
        assert (
            _code(
                lambda: client.put_image_tag_mutability(
                    repositoryName=store.repository.name, imageTagMutability=mutability, **given
                )
            )
            == "InvalidParameterException"
        )

    def test_a_lifecycle_policy_is_kept_until_it_is_deleted(self, store: EcrRepository, client: Any) -> None:
        name = store.repository.name
        assert _code(lambda: client.get_lifecycle_policy(repositoryName=name)) == "LifecyclePolicyNotFoundException"
        policy = json.dumps({"rules": [{"rulePriority": 1, "description": "d" * 100}]})
        client.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=policy)
        assert client.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"] == policy
        wrong = '{"no": "rules", "and": "some text, so that it is long enough for AWS, whose least is a hundred"}' * 2
        assert (
            _code(lambda: client.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=wrong))
            == "InvalidParameterException"
        )
        assert client.delete_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"] == policy
        assert _code(lambda: client.delete_lifecycle_policy(repositoryName=name)) == "LifecyclePolicyNotFoundException"


class TestLayers:
    def _begin(self, store: EcrRepository) -> str:
        return str(store.call("initiate_layer_upload")["uploadId"])

    def _part(self, client: Any, store: EcrRepository, upload: str, first: int, data: bytes) -> Any:
        return client.upload_layer_part(
            repositoryName=store.repository.name,
            uploadId=upload,
            partFirstByte=first,
            partLastByte=first + len(data) - 1,
            layerPartBlob=data,
        )

    def _complete(self, client: Any, store: EcrRepository, upload: str, digest: str) -> Any:
        name = store.repository.name
        return client.complete_layer_upload(repositoryName=name, uploadId=upload, layerDigests=[digest])

    def test_parts_make_a_layer_that_the_registry_has(self, local: LocalEcr, store: EcrRepository, client: Any) -> None:
        data = noise(11 * MIB)
        begun = store.call("initiate_layer_upload")
        assert begun["partSize"] == 10 * MIB
        for first in (0, 6 * MIB):
            answer = self._part(client, store, begun["uploadId"], first, data[first : first + 6 * MIB])
            assert answer["lastByteReceived"] == min(first + 6 * MIB, len(data)) - 1
        self._complete(client, store, begun["uploadId"], str(Digest.of(data)))
        api = RegistryApi(local.registry.url, "AWS", PASSWORD)
        assert b"".join(api.blob(store.repository.name, str(Digest.of(data)))) == data
        api.close()

    @pytest.mark.parametrize(("first", "size"), [(0, 5), (6, 5), (100, 5)])
    def test_a_part_that_does_not_follow_is_refused(
        self, store: EcrRepository, client: Any, first: int, size: int
    ) -> None:
        upload = self._begin(store)
        self._part(client, store, upload, 0, b"12345")
        with pytest.raises(client.exceptions.InvalidLayerPartException) as caught:
            self._part(client, store, upload, first, b"x" * size)
        assert caught.value.response["lastValidByteReceived"] == 4
        assert caught.value.response["uploadId"] == upload

    def test_a_part_of_another_length_than_it_says_is_refused(self, store: EcrRepository, client: Any) -> None:
        name, upload = store.repository.name, self._begin(store)
        call = {"repositoryName": name, "uploadId": upload, "partFirstByte": 0, "partLastByte": 9}
        refused = _code(lambda: client.upload_layer_part(**call, layerPartBlob=b"12345"))
        assert refused == "InvalidLayerPartException"

    def test_only_the_last_part_may_be_small(self, store: EcrRepository, client: Any) -> None:
        upload = self._begin(store)
        self._part(client, store, upload, 0, b"123")
        self._part(client, store, upload, 3, b"456")
        digest = str(Digest.of(b"123456"))
        assert _code(lambda: self._complete(client, store, upload, digest)) == "LayerPartTooSmallException"

    def test_an_empty_layer_is_refused(self, store: EcrRepository, client: Any) -> None:
        upload = self._begin(store)
        digest = str(Digest.of(b""))
        assert _code(lambda: self._complete(client, store, upload, digest)) == "EmptyUploadException"

    def test_other_bytes_than_the_digest_says_are_refused(self, store: EcrRepository, client: Any) -> None:
        upload = self._begin(store)
        self._part(client, store, upload, 0, b"some")
        assert _code(lambda: self._complete(client, store, upload, OTHER)) == "InvalidLayerException"

    def test_a_layer_that_is_there_is_not_taken_again(self, store: EcrRepository, client: Any) -> None:
        digest = str(Digest.of(b"twice"))
        uploads = [self._begin(store), self._begin(store)]
        for upload in uploads:
            self._part(client, store, upload, 0, b"twice")
        self._complete(client, store, uploads[0], digest)
        assert _code(lambda: self._complete(client, store, uploads[1], digest)) == "LayerAlreadyExistsException"

    def test_an_upload_that_is_over_or_lost_is_not_found(
        self, local: LocalEcr, store: EcrRepository, client: Any
    ) -> None:
        upload = self._begin(store)
        local.stand_in.forget_uploads()
        assert _code(lambda: self._part(client, store, upload, 0, b"x")) == "UploadNotFoundException"
        assert _code(lambda: self._complete(client, store, upload, OTHER)) == "UploadNotFoundException"

    def test_availability_tells_each_digest_apart(self, store: EcrRepository, client: Any) -> None:
        there = str(pushed(store, "1.0").layers[0].digest)
        answer = client.batch_check_layer_availability(
            repositoryName=store.repository.name, layerDigests=[there, OTHER, "md5:no"]
        )
        found = {layer["layerDigest"]: layer["layerAvailability"] for layer in answer["layers"]}
        assert found == {there: "AVAILABLE", OTHER: "UNAVAILABLE"}
        assert [failure["failureCode"] for failure in answer["failures"]] == ["InvalidLayerDigest"]


class TestDownloads:
    def _url(self, client: Any, store: EcrRepository, digest: object) -> str:
        answer = client.get_download_url_for_layer(repositoryName=store.repository.name, layerDigest=str(digest))
        return str(answer["downloadUrl"])

    def test_a_layer_of_an_image_can_be_had_by_a_url_that_nobody_guesses(
        self, store: EcrRepository, client: Any
    ) -> None:
        layer = pushed(store, "1.0").layers[0]
        urls = [self._url(client, store, layer.digest) for _ in range(2)]
        assert urls[0] != urls[1]
        with urllib.request.urlopen(urls[0]) as answer:  # noqa: S310 - loopback
            assert Digest.of(answer.read()) == layer.digest
        with pytest.raises(urllib.error.HTTPError, match="403") as caught:
            urllib.request.urlopen(urls[0][:-4] + "AAAA")  # noqa: S310 - loopback
        caught.value.close()

    def test_a_download_can_begin_at_any_byte(self, store: EcrRepository, client: Any) -> None:
        layer = pushed(store, "1.0").layers[0]
        url = self._url(client, store, layer.digest)
        with urllib.request.urlopen(url) as answer:  # noqa: S310 - loopback
            data = answer.read()
        request = urllib.request.Request(url, headers={"Range": "bytes=600-"})  # noqa: S310 - loopback
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - loopback
            assert (answer.status, answer.read()) == (206, data[600:])
            assert answer.headers["Content-Range"] == f"bytes 600-{layer.size - 1}/{layer.size}"
        request.add_header("Range", f"bytes={layer.size}-")
        with pytest.raises(urllib.error.HTTPError, match="416") as caught:
            urllib.request.urlopen(request)  # noqa: S310 - loopback
        caught.value.close()

    def test_a_layer_of_no_image_cannot_be_had(self, store: EcrRepository, client: Any) -> None:
        pushed(store, "1.0")
        upload = store.call("initiate_layer_upload")["uploadId"]
        store.call("upload_layer_part", uploadId=upload, partFirstByte=0, partLastByte=3, layerPartBlob=b"some")
        digest = Digest.of(b"some")
        store.call("complete_layer_upload", uploadId=upload, layerDigests=[str(digest)])
        assert _code(lambda: self._url(client, store, digest)) == "LayerInaccessibleException"
        assert _code(lambda: self._url(client, store, OTHER)) == "LayersNotFoundException"


class TestImages:
    def _put(self, client: Any, store: EcrRepository, manifest: Manifest, **more: str) -> Any:
        return client.put_image(repositoryName=store.repository.name, imageManifest=manifest.data.decode(), **more)

    def test_a_manifest_whose_layers_are_missing_is_refused(self, store: EcrRepository, client: Any) -> None:
        manifest, _ = image_of([MemoryBlob(b"never sent")])
        code, message = _refusal(lambda: self._put(client, store, manifest))
        assert code == "LayersNotFoundException"
        assert str(manifest.layers[0].digest) in message

    def test_an_index_whose_images_are_missing_is_refused(self, store: EcrRepository, client: Any) -> None:
        media_type = "application/vnd.oci.image.index.v1+json"
        index = {"schemaVersion": 2, "mediaType": media_type, "manifests": [{"digest": OTHER, "size": 1}]}
        call = {"repositoryName": store.repository.name, "imageManifest": json.dumps(index)}
        assert _code(lambda: client.put_image(**call)) == "ReferencedImagesNotFoundException"

    @pytest.mark.parametrize("text", ["no json", "[]", '{"layers": [], "config": {}}', '{"schemaVersion": 2}'])
    def test_what_is_no_manifest_is_refused(self, store: EcrRepository, client: Any, text: str) -> None:
        call = {"repositoryName": store.repository.name, "imageManifest": text}
        assert _code(lambda: client.put_image(**call)) == "InvalidParameterException"

    def test_another_digest_than_the_manifests_is_refused(self, store: EcrRepository, client: Any) -> None:
        manifest = pushed(store, None)
        assert (
            _code(lambda: self._put(client, store, manifest, imageDigest=OTHER)) == "ImageDigestDoesNotMatchException"
        )

    def test_the_media_type_is_asked_for_where_the_manifest_has_none(self, store: EcrRepository, client: Any) -> None:
        manifest = pushed(store, None)
        bare = json.loads(manifest.data)
        del bare["mediaType"]
        call = {"repositoryName": store.repository.name, "imageManifest": json.dumps(bare)}
        assert _code(lambda: client.put_image(**call)) == "InvalidParameterException"
        got = client.put_image(**call, imageManifestMediaType=OCI_MANIFEST)["image"]
        assert (got["imageManifest"], got["imageManifestMediaType"]) == (call["imageManifest"], OCI_MANIFEST)

    def test_the_same_image_again_is_told_by_what_its_tag_allows(self, store: EcrRepository, client: Any) -> None:
        manifest = pushed(store, "1.0")
        assert _code(lambda: self._put(client, store, manifest)) == "ImageAlreadyExistsException"
        again = {"imageTag": "1.0"}
        assert _code(lambda: self._put(client, store, manifest, **again)) == "ImageTagAlreadyExistsException"
        client.put_image_tag_mutability(repositoryName=store.repository.name, imageTagMutability="MUTABLE")
        assert _code(lambda: self._put(client, store, manifest, **again)) == "ImageAlreadyExistsException"

    def test_images_are_had_by_tag_and_digest_and_the_rest_are_failures(
        self, store: EcrRepository, client: Any
    ) -> None:
        manifest = pushed(store, "1.0")
        ids = [{"imageTag": "1.0"}, {"imageDigest": str(manifest.digest)}, {"imageTag": "none"}]
        ids += [{"imageTag": "2.0", "imageDigest": str(manifest.digest)}]
        answer = client.batch_get_image(repositoryName=store.repository.name, imageIds=ids)
        assert [image["imageManifest"].encode() for image in answer["images"]] == [manifest.data] * 2
        codes = [failure["failureCode"] for failure in answer["failures"]]
        assert codes == ["ImageNotFound", "ImageTagDoesNotMatchDigest"]

    def test_images_are_described_in_pages(self, store: EcrRepository, client: Any) -> None:
        digests = [str(pushed(store, tag, seed=number).digest) for number, tag in enumerate(("1.0", "1.1", None))]
        pages = client.get_paginator("describe_images").paginate(
            repositoryName=store.repository.name, PaginationConfig={"PageSize": 2}
        )
        listed = [page["imageDetails"] for page in pages]
        assert [len(page) for page in listed] == [2, 1]
        assert [image["imageDigest"] for page in listed for image in page] == digests
        assert [image.get("imageTags") for page in listed for image in page] == [["1.0"], ["1.1"], None]
        untagged = client.list_images(repositoryName=store.repository.name, filter={"tagStatus": "UNTAGGED"})
        assert untagged["imageIds"] == [{"imageDigest": digests[2]}]
        tagged = client.list_images(repositoryName=store.repository.name, filter={"tagStatus": "TAGGED"})
        assert [each["imageTag"] for each in tagged["imageIds"]] == ["1.0", "1.1"]

    def test_a_tag_that_is_deleted_is_gone_from_the_registry_too(
        self, local: LocalEcr, store: EcrRepository, client: Any
    ) -> None:
        manifest, name = pushed(store, "1.0"), store.repository.name
        store.put(manifest, "runtime-1")
        gone = client.batch_delete_image(repositoryName=name, imageIds=[{"imageTag": "runtime-1"}])
        assert gone["imageIds"] == [{"imageTag": "runtime-1", "imageDigest": str(manifest.digest)}]
        assert (store.find("runtime-1"), store.find("1.0")) == (None, manifest)
        api = RegistryApi(local.registry.url, "AWS", PASSWORD)
        assert api.manifest(name, "1.0", OCI_MANIFEST) == manifest.data
        with pytest.raises(Exception, match="404"):
            api.manifest(name, "runtime-1", OCI_MANIFEST)
        client.batch_delete_image(repositoryName=name, imageIds=[{"imageDigest": str(manifest.digest)}])
        assert store.find(manifest.digest) is None
        with pytest.raises(Exception, match="404"):
            api.manifest(name, "1.0", OCI_MANIFEST)
        api.close()
        lost = client.batch_delete_image(repositoryName=name, imageIds=[{"imageTag": "1.0"}])
        assert [failure["failureCode"] for failure in lost["failures"]] == ["ImageNotFound"]

    def test_an_archived_image_cannot_be_had_until_it_is_restored(self, store: EcrRepository, client: Any) -> None:
        manifest, name = pushed(store, "1.0"), store.repository.name
        image = {"imageTag": "1.0"}
        client.update_image_storage_class(repositoryName=name, imageId=image, targetStorageClass="ARCHIVE")
        failures = client.batch_get_image(repositoryName=name, imageIds=[image])["failures"]
        assert [failure["failureCode"] for failure in failures] == ["ImageInaccessible"]
        assert client.describe_images(repositoryName=name)["imageDetails"] == []
        layers = [str(manifest.layers[0].digest)]
        status = client.batch_check_layer_availability(repositoryName=name, layerDigests=layers)["layers"]
        assert status[0]["layerAvailability"] == "ARCHIVED"
        client.update_image_storage_class(repositoryName=name, imageId=image, targetStorageClass="STANDARD")
        assert store.find("1.0") == manifest


def test_the_token_opens_the_registry_that_it_names(store: EcrRepository, client: Any) -> None:
    manifest = pushed(store, "1.0")
    data = client.get_authorization_token()["authorizationData"][0]
    username, _, password = b64decode(data["authorizationToken"]).decode().partition(":")
    api = RegistryApi(data["proxyEndpoint"], username, password)
    assert api.manifest(store.repository.name, str(manifest.digest), OCI_MANIFEST) == manifest.data
    api.close()


@pytest.mark.parametrize("text", ["{", "[]", '{"repositories": [{}]}', '{"repositories": [{"images": {}}]}'])
def test_a_memory_that_is_damaged_is_named_and_nothing_is_left_waiting(tmp_path: Path, text: str) -> None:
    memory = tmp_path / "ecr.json"
    memory.write_text(text, encoding="utf-8")
    stand_in = EcrStandIn("http://127.0.0.1:1", "AWS", "", memory, access_key="", secret_key="")
    with pytest.raises(ReleaseError, match=r"ecr.json does not hold(.|\n)*another --folder"):
        stand_in.start()
    stand_in.stop()


def test_what_it_knows_survives_a_restart(local: LocalEcr, tmp_path: Path) -> None:
    state = tmp_path / "some/ecr.json"
    for turn in range(2):
        keys = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}
        with EcrStandIn(local.registry.url, "AWS", PASSWORD, state, **keys) as stand_in:
            again = LocalEcr(local.registry, stand_in)
            store = again.repository("tests/restart", create=not turn)
            if not turn:
                manifest = pushed(store, "1.0")
            assert store.find("1.0") == manifest
            assert [image.tags for image in store.summaries()] == [("1.0",)]
    assert [path.name for path in state.parent.iterdir()] == ["ecr.json"]
