"""The ECR adapter: on the stand-in before a real registry, on moto, and on answers that neither can give."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber
from ecr_fixtures import (
    ACCESS_KEY,
    HOST,
    REGION,
    SECRET_KEY,
    LocalEcr,
    MemoryBlob,
    image_of,
    noise,
    pushed,
)
from moto import mock_aws
from scripted import answering

from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository, open_ecr
from kfp_release.ecr_errors import EcrError
from kfp_release.errors import ReleaseError
from kfp_release.image_ref import Repository
from kfp_release.manifest import DOCKER_MANIFEST, OCI_CONFIG, OCI_MANIFEST, Descriptor, Manifest
from kfp_release.patience import Patience
from kfp_release.progress import Silent
from kfp_release.registry_login import RegistryLogin
from kfp_release.retry import Retry
from kfp_release.upload import upload_blobs

REPOSITORY = Repository.parse(f"{HOST}/team/demo")
ACCOUNT = "533211398604"
INDEX = "application/vnd.oci.image.index.v1+json"


@pytest.fixture
def store(local: LocalEcr, request: pytest.FixtureRequest) -> EcrRepository:
    """An immutable repository for this test alone."""
    return local.repository("tests/" + re.sub("[^a-z0-9]+", "-", request.node.name.lower()).strip("-"))


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment with nothing of AWS in it; nothing on this machine is asked for credentials."""
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "PROFILE", "DEFAULT_REGION", "REGION"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    for name in ("CONFIG_FILE", "SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(f"AWS_{name}", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return monkeypatch


@pytest.fixture
def credentials(environment: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    environment.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    environment.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    return environment


@pytest.fixture
def stubbed() -> Iterator[tuple[EcrRepository, Stubber]]:
    """A repository whose answers the test gives, in order; all of them are to be asked for."""
    client = boto3.session.Session().client(
        "ecr", region_name=REGION, aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY
    )
    with Stubber(client) as stubber:
        yield EcrRepository(client, REPOSITORY), stubber
        stubber.assert_no_pending_responses()


def _mutable(store: EcrRepository) -> None:
    store.call("put_image_tag_mutability", imageTagMutability="MUTABLE")


class TestRepository:
    def test_one_that_is_not_there_is_none_until_it_is_made(self, local: LocalEcr) -> None:
        store = local.repository("tests/new", create=False)
        assert store.describe() is None
        made = store.create()
        assert (made.uri, made.mutability, made.exclusions) == (str(store.repository), "IMMUTABLE", ())
        assert store.describe() == made

    def test_making_it_again_leaves_it_as_it_is(self, store: EcrRepository) -> None:
        _mutable(store)
        assert store.create().mutability == "MUTABLE"

    def test_what_is_asked_of_a_missing_one_says_how_to_make_it(self, local: LocalEcr) -> None:
        store = local.repository("tests/missing", create=False)
        for ask in (lambda: store.find("1.0"), store.summaries, lambda: store.missing([Digest.of(b"")])):
            with pytest.raises(EcrError, match="RepositoryNotFoundException") as caught:
                ask()
            assert "--create-repository" in caught.value.remedy
            assert str(store.repository) in str(caught.value)
            assert local.stand_in.url in str(caught.value)

    def test_its_lifecycle_policy_is_a_text_or_none(self, store: EcrRepository) -> None:
        assert store.lifecycle_policy() is None
        text = json.dumps({"rules": [{"description": "d" * 100}]})
        store.call("put_lifecycle_policy", lifecyclePolicyText=text)
        assert store.lifecycle_policy() == text

    def test_a_lifecycle_policy_that_may_not_be_read_is_an_error(self, stubbed: tuple[EcrRepository, Stubber]) -> None:
        store, stubber = stubbed
        stubber.add_client_error("get_lifecycle_policy", "AccessDeniedException")
        with pytest.raises(EcrError, match="AccessDeniedException") as caught:
            store.lifecycle_policy()
        assert "give the role this permission" in caught.value.remedy


class TestImages:
    def test_an_image_is_found_by_tag_and_digest_with_its_exact_bytes(self, store: EcrRepository) -> None:
        manifest = pushed(store, "1.0")
        assert store.find("1.0") == store.find(manifest.digest) == manifest
        assert store.find("1.1") is None
        assert store.find(Digest.of(b"")) is None

    def test_a_manifest_without_a_media_type_keeps_its_bytes(self, store: EcrRepository) -> None:
        blob = pushed(store, None).layers[0]
        config = pushed(store, None).config
        data = Manifest.of(config, (blob,), {}).data.replace(f',"mediaType":"{OCI_MANIFEST}"'.encode(), b"")
        manifest = Manifest.parse(data, OCI_MANIFEST)
        store.put(manifest, "1.0")
        found = store.find("1.0")
        assert found is not None
        assert (found.data, found.media_type) == (data, OCI_MANIFEST)

    def test_the_same_image_is_put_as_often_as_one_likes(self, store: EcrRepository) -> None:
        manifest = pushed(store, "1.0")
        for tag in ("1.0", "1.0", None, "also"):
            store.put(manifest, tag)
        _mutable(store)
        store.put(manifest, "1.0")
        (summary,) = store.summaries()
        assert (summary.digest, summary.tags) == (manifest.digest, ("1.0", "also"))

    @pytest.mark.parametrize("mutable", [False, True])
    def test_a_tag_that_holds_another_image_is_left_alone(self, store: EcrRepository, *, mutable: bool) -> None:
        first = pushed(store, "1.0")
        second = pushed(store, None, seed=2)
        if mutable:
            _mutable(store)
        with pytest.raises(ReleaseError) as caught:
            store.put(second, "1.0")
        assert f"{store.repository}:1.0 is already {first.digest}" in str(caught.value)
        assert f"cannot become {second.digest}" in str(caught.value)
        assert store.find("1.0") == first

    def test_a_tag_that_was_taken_at_the_last_moment_is_left_alone(self, local: LocalEcr, store: EcrRepository) -> None:
        client = local.client()
        late = local.repository(store.repository.name, client=client, create=False)
        manifest = pushed(store, None, seed=1)
        client.meta.events.register_first(
            "provide-client-params.ecr.PutImage", lambda **_: pushed(store, "1.0") and None
        )
        with pytest.raises(ReleaseError, match=f"cannot become {manifest.digest}"):
            late.put(manifest, "1.0")

    def test_an_image_whose_layers_were_not_sent_is_refused(self, store: EcrRepository) -> None:
        manifest, _ = image_of([MemoryBlob(b"never sent")])
        with pytest.raises(EcrError, match=f"LayersNotFoundException.*{manifest.layers[0].digest}"):
            store.put(manifest, "1.0")
        assert store.find("1.0") is None

    def test_summaries_are_of_all_pages_and_the_newest_first(self, local: LocalEcr, store: EcrRepository) -> None:
        client = local.client()

        def smaller(params: dict[str, Any], **_: Any) -> None:
            params["maxResults"] = 2

        client.meta.events.register("provide-client-params.ecr.DescribeImages", smaller)
        digests = [pushed(store, f"1.{number}", seed=number).digest for number in range(5)]
        paged = local.repository(store.repository.name, client=client, create=False)
        assert [summary.digest for summary in paged.summaries()] == digests[::-1]
        assert paged.summaries()[0].tags == ("1.4",)
        assert local.repository("tests/empty-one").summaries() == []

    def test_manifests_come_by_the_hundred_and_what_is_no_image_is_left_out(self, store: EcrRepository) -> None:
        image = pushed(store, "1.0")
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [image.descriptor.to_json()]}
        text = str(index).replace("'", '"')
        store.call("put_image", imageManifest=text, imageTag="index")
        asked = [Digest.of(str(number).encode()) for number in range(150)]
        assert store.manifests([*asked, image.digest, Digest.of(text.encode())]) == {image.digest: image}
        with pytest.raises(ReleaseError, match="is not the media type of an image manifest") as caught:
            store.find("index")
        assert str(store.repository) in str(caught.value)

    def test_an_artifact_that_cannot_be_read_as_an_image_hides_no_other(self, store: EcrRepository) -> None:
        image = pushed(store, "1.0")
        value = json.loads(image.data)
        del value["layers"][0]["mediaType"]
        text = json.dumps(value)
        store.call("put_image", imageManifest=text, imageTag="artifact")
        digest = Digest.of(text.encode())
        assert store.manifests([image.digest, digest]) == {image.digest: image}
        with pytest.raises(ReleaseError, match=f"{digest}: .* is not a descriptor with mediaType, digest and size"):
            store.find("artifact")

    def test_a_host_that_does_not_answer_is_named_with_the_reason(self, local: LocalEcr, store: EcrRepository) -> None:
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{nobody.getsockname()[1]}/layers/secret-part-of-it"
            client = local.client()
            client.meta.events.register(
                "after-call.ecr.GetDownloadUrlForLayer", lambda parsed, **_: parsed.update(downloadUrl=url)
            )
            layer = pushed(store, "1.0").layers[0]
            impatient = EcrRepository(client, store.repository, retry=Retry(Patience(attempts=1)))
            with pytest.raises(ReleaseError, match=r"from 127\.0\.0\.1: .*Connection refused") as caught:
                impatient.read_blob(layer)
        assert "secret-part" not in str(caught.value)

    def test_a_config_that_is_too_long_is_not_asked_for(self, store: EcrRepository) -> None:
        with pytest.raises(ReleaseError, match="has 5000000 bytes, too many for a config"):
            store.read_blob(Descriptor(OCI_CONFIG, Digest.of(b""), 5_000_000))

    def test_an_archived_image_is_named_and_not_taken_for_none(self, store: EcrRepository) -> None:
        manifest = pushed(store, "1.0")
        store.call("update_image_storage_class", imageId={"imageTag": "1.0"}, targetStorageClass="ARCHIVE")
        for key in ("1.0", manifest.digest):
            with pytest.raises(ReleaseError, match="is ARCHIVED in ECR and cannot be pulled") as caught:
                store.find(key)
            assert "restore it" in caught.value.remedy
        assert store.summaries() == []
        assert store.missing([manifest.config.digest]) == {manifest.config.digest}

    def test_a_docker_manifest_is_an_image_too(self, store: EcrRepository) -> None:
        image = pushed(store, None)
        data = Manifest.of(image.config, image.layers, {}).data.replace(OCI_MANIFEST.encode(), DOCKER_MANIFEST.encode())
        manifest = Manifest.parse(data, DOCKER_MANIFEST)
        store.put(manifest, "docker")
        assert store.find("docker") == manifest


class TestBlobs:
    def test_a_config_is_read_and_verified(self, store: EcrRepository) -> None:
        config = MemoryBlob(noise(700))
        manifest, blobs = image_of([config])
        upload_blobs(store, blobs, progress=Silent())
        store.put(manifest, None)
        assert store.read_blob(config.descriptor) == config.data

    @pytest.mark.parametrize("size", [999, 1001])
    def test_a_blob_of_another_size_is_refused(self, store: EcrRepository, size: int) -> None:
        layer = pushed(store, "1.0").layers[0]
        with pytest.raises(ReleaseError, match=f"not the {size} bytes"):
            store.read_blob(Descriptor(layer.media_type, layer.digest, size))

    def test_a_blob_that_is_not_there_is_an_error(self, store: EcrRepository) -> None:
        with pytest.raises(EcrError, match="LayersNotFoundException"):
            store.read_blob(MemoryBlob(b"nothing").descriptor)

    def test_a_url_that_no_longer_serves_is_not_told(self, local: LocalEcr, store: EcrRepository) -> None:
        client = local.client()

        def expired(parsed: dict[str, Any], **_: Any) -> None:
            parsed["downloadUrl"] = f"{local.stand_in.url}/layers/secret-part-of-it"

        client.meta.events.register("after-call.ecr.GetDownloadUrlForLayer", expired)
        layer = pushed(store, "1.0").layers[0]
        with pytest.raises(ReleaseError, match=r"from 127\.0\.0\.1: HTTP 403") as caught:
            local.repository(store.repository.name, client=client, create=False).read_blob(layer)
        assert "secret-part" not in str(caught.value)
        assert "secret-part" not in repr(caught.value.__cause__)


class TestLogin:
    def test_it_opens_the_registry_and_shows_no_password(self, local: LocalEcr, store: EcrRepository) -> None:
        login = store.login()
        assert (login.host, login.username) == (local.registry.host, "AWS")
        assert login.password not in repr(login)
        assert "password" not in repr(RegistryLogin("host", "AWS", "a password"))

    def test_the_registry_of_the_repositorys_account_is_asked_for(self, stubbed: tuple[EcrRepository, Stubber]) -> None:
        store, stubber = stubbed
        data = {"authorizationToken": "QVdTOnBhc3M6d29yZA==", "proxyEndpoint": f"https://{HOST}"}
        stubber.add_response("get_authorization_token", {"authorizationData": [data]}, {"registryIds": [ACCOUNT]})
        assert store.login() == RegistryLogin(HOST, "AWS", "pass:word")


class TestAccountAndRegion:
    def test_both_come_from_the_repositorys_host(self, credentials: pytest.MonkeyPatch) -> None:
        credentials.setenv("AWS_DEFAULT_REGION", "us-west-2")
        asked: list[tuple[str, Any]] = []
        store = open_ecr(REPOSITORY)
        client = store._calls._client  # noqa: SLF001 - to see what would be sent, and to where

        def answer(params: dict[str, Any], **_: Any) -> None:
            asked.append((params["url"], params["body"]))
            raise EcrError("seen")

        client.meta.events.register("before-call.ecr.*", answer)
        for call in (store.describe, store.create, lambda: store.missing([Digest.of(b"")]), lambda: store.find("1.0")):
            with pytest.raises(EcrError, match="seen"):
                call()
        assert {url for url, _ in asked} == {f"https://api.ecr.{REGION}.amazonaws.com/"}
        assert all(f'"registryId": "{ACCOUNT}"'.encode() in body for _, body in asked)

    def test_the_region_is_the_environments_where_the_host_names_none(self, credentials: pytest.MonkeyPatch) -> None:
        other = Repository.parse("registry.example.com/team/demo")
        with pytest.raises(EcrError, match="no AWS region is known") as caught:
            open_ecr(other)
        assert "AWS_DEFAULT_REGION" in caught.value.remedy
        credentials.setenv("AWS_DEFAULT_REGION", REGION)
        assert open_ecr(other).repository == other


class TestWhatCannotBeAsked:
    def _endpoint(self, monkeypatch: pytest.MonkeyPatch, url: str) -> EcrRepository:
        monkeypatch.setenv("AWS_ENDPOINT_URL_ECR", url)
        return open_ecr(REPOSITORY)

    def test_no_credentials(self, environment: pytest.MonkeyPatch, local: LocalEcr) -> None:
        with pytest.raises(EcrError, match="there are no AWS credentials") as caught:
            self._endpoint(environment, local.stand_in.url).describe()
        assert str(REPOSITORY) in str(caught.value)
        assert "AWS_PROFILE" in caught.value.remedy

    def test_half_of_the_credentials(self, environment: pytest.MonkeyPatch) -> None:
        environment.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        with pytest.raises(EcrError, match="credentials are incomplete"):
            open_ecr(REPOSITORY).describe()

    def test_a_profile_that_is_not_there(self, environment: pytest.MonkeyPatch) -> None:
        environment.setenv("AWS_PROFILE", "nobody")
        with pytest.raises(EcrError, match="nobody") as caught:
            open_ecr(REPOSITORY)
        assert "AWS_PROFILE" in caught.value.remedy

    def test_wrong_credentials(self, credentials: pytest.MonkeyPatch, local: LocalEcr) -> None:
        credentials.setenv("AWS_SECRET_ACCESS_KEY", "not-the-secret")
        with pytest.raises(EcrError, match="InvalidSignatureException") as caught:
            self._endpoint(credentials, local.stand_in.url).describe()
        assert "not-the-secret" not in str(caught.value)
        credentials.setenv("AWS_ACCESS_KEY_ID", "AKIAOTHER")
        with pytest.raises(EcrError, match="UnrecognizedClientException"):
            self._endpoint(credentials, local.stand_in.url).describe()

    def test_an_endpoint_where_nothing_listens(self, credentials: pytest.MonkeyPatch) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            url = f"http://user:pass@127.0.0.1:{taken.getsockname()[1]}"
            with pytest.raises(EcrError, match="does not answer: EndpointConnectionError") as caught:
                self._endpoint(credentials, url).describe()
        assert "http://127.0.0.1:" in str(caught.value)
        assert "user:pass" not in str(caught.value)
        assert "AWS_ENDPOINT_URL_ECR" in caught.value.remedy

    def test_an_endpoint_that_is_no_url(self, credentials: pytest.MonkeyPatch) -> None:
        with pytest.raises(ReleaseError, match="Invalid endpoint") as caught:
            self._endpoint(credentials, "no url")
        assert "AWS_ENDPOINT_URL_ECR" in caught.value.remedy

    def test_an_endpoint_that_is_no_ecr(self, credentials: pytest.MonkeyPatch) -> None:
        with (
            answering(200, b"<html>Welcome</html>") as url,
            pytest.raises(EcrError, match="something that ECR does not say") as caught,
        ):
            self._endpoint(credentials, url).describe()
        assert "AWS_ENDPOINT_URL_ECR" in caught.value.remedy


class TestRefusals:
    """What the stand-in never answers."""

    @pytest.mark.parametrize(
        ("code", "remedy"),
        [
            ("AccessDeniedException", "give the role this permission"),
            ("ExpiredTokenException", "log in again"),
            ("KmsException", "encryption key"),
            ("LimitExceededException", "raise the quota"),
        ],
    )
    def test_each_says_what_to_do(self, stubbed: tuple[EcrRepository, Stubber], code: str, remedy: str) -> None:
        store, stubber = stubbed
        stubber.add_client_error("describe_repositories", code, "AWS's own words", 400)
        with pytest.raises(EcrError, match=remedy) as caught:
            store.describe()
        assert f"ECR refused describe_repositories for {REPOSITORY}" in str(caught.value)
        assert f"{code}: AWS's own words" in str(caught.value)
        assert caught.value.code == code

    def test_what_aws_says_of_a_signature_is_not_repeated(self, stubbed: tuple[EcrRepository, Stubber]) -> None:
        store, stubber = stubbed
        words = "The Canonical String should have been x-amz-security-token:secret"
        stubber.add_client_error("describe_repositories", "InvalidSignatureException", words, 400)
        with pytest.raises(EcrError, match="clock") as caught:
            store.describe()
        assert "secret\n" not in str(caught.value)
        assert "x-amz-security-token" not in str(caught.value)

    def test_other_bytes_than_the_digest_says_are_refused(self, stubbed: tuple[EcrRepository, Stubber]) -> None:
        store, stubber = stubbed
        digest = str(Digest.of(b"another"))
        _describes(stubber, digest)
        stubber.add_response(
            "batch_get_image",
            {
                "images": [
                    {
                        "imageId": {"imageDigest": digest},
                        "imageManifest": "{}",
                        "imageManifestMediaType": OCI_MANIFEST,
                    }
                ]
            },
        )
        with pytest.raises(ReleaseError, match=f"a manifest of digest {Digest.of(b'{}')}"):
            store.find("1.0")

    def test_an_image_that_was_not_asked_for_is_not_taken_for_the_one_that_was(
        self, stubbed: tuple[EcrRepository, Stubber]
    ) -> None:
        store, stubber = stubbed
        asked, other = Digest.of(b"asked"), image_of([MemoryBlob(b"other")])[0]
        image = {
            "imageId": {"imageDigest": str(other.digest)},
            "imageManifest": other.data.decode(),
            "imageManifestMediaType": OCI_MANIFEST,
        }
        questions: list[Callable[[], object]] = [lambda: store.find("1.0"), lambda: store.manifests([asked])]
        _describes(stubber, str(asked))
        for question in questions:
            stubber.add_response("batch_get_image", {"images": [image]})
            with pytest.raises(EcrError, match=f"batch_get_image .*: {other.digest}, which was not asked for"):
                question()

    def test_a_layer_of_another_batch_is_not_taken_for_one_that_was_asked_for(
        self, stubbed: tuple[EcrRepository, Stubber]
    ) -> None:
        store, stubber = stubbed
        digests = sorted(Digest.of(str(number).encode()) for number in range(101))
        for _ in range(2):
            layers = [{"layerDigest": str(digest), "layerAvailability": "AVAILABLE"} for digest in digests[:100]]
            stubber.add_response("batch_check_layer_availability", {"layers": layers})
        with pytest.raises(
            EcrError, match=rf"batch_check_layer_availability .*: {digests[0]}, which was not asked for"
        ):
            store.missing(digests)

    def test_an_image_that_is_listed_and_not_handed_out_is_not_taken_for_none(
        self, stubbed: tuple[EcrRepository, Stubber]
    ) -> None:
        store, stubber = stubbed
        digest = str(Digest.of(b"gone"))
        _describes(stubber, digest)
        failure = {"imageId": {"imageDigest": digest}, "failureCode": "ImageNotFound", "failureReason": "not found"}
        stubber.add_response("batch_get_image", {"images": [], "failures": [failure]})
        with pytest.raises(ReleaseError, match=f"lists {REPOSITORY}:1.0 as {digest} and does not hand it out"):
            store.find("1.0")

    def test_an_image_that_vanishes_after_it_was_put_is_an_error(self, stubbed: tuple[EcrRepository, Stubber]) -> None:
        store, stubber = stubbed
        manifest, _ = image_of([MemoryBlob(b"some")])
        stubber.add_client_error("describe_images", "ImageNotFoundException")
        stubber.add_response(
            "put_image",
            {"image": {"imageId": {"imageDigest": str(manifest.digest)}}},
            {
                "registryId": ACCOUNT,
                "repositoryName": "team/demo",
                "imageManifest": manifest.data.decode(),
                "imageManifestMediaType": OCI_MANIFEST,
                "imageDigest": str(manifest.digest),
                "imageTag": "1.0",
            },
        )
        stubber.add_client_error("describe_images", "ImageNotFoundException")
        with pytest.raises(ReleaseError, match=f"{REPOSITORY}:1.0 was put and is not there") as caught:
            store.put(manifest, "1.0")
        assert "lifecycle policy" in caught.value.remedy

    @pytest.mark.parametrize("status", ["UNAVAILABLE", "ARCHIVED", None])
    def test_a_layer_is_there_only_if_it_is_available(
        self, stubbed: tuple[EcrRepository, Stubber], status: str | None
    ) -> None:
        store, stubber = stubbed
        there, other = Digest.of(b"there"), Digest.of(b"other")
        layers = [{"layerDigest": str(there), "layerAvailability": "AVAILABLE"}]
        failures = []
        if status is None:
            failures.append({"layerDigest": str(other), "failureCode": "MissingLayerDigest"})
        else:
            layers.append({"layerDigest": str(other), "layerAvailability": status})
        stubber.add_response("batch_check_layer_availability", {"layers": layers, "failures": failures})
        assert store.missing([there, other]) == {other}


def _describes(stubber: Stubber, digest: str) -> None:
    detail = {
        "imageDigest": digest,
        "imageTags": ["1.0"],
        "imageStatus": "ACTIVE",
        "imagePushedAt": datetime.now(UTC),
    }
    expected = {
        "registryId": ACCOUNT,
        "repositoryName": "team/demo",
        "imageIds": [{"imageTag": "1.0"}],
        "filter": ANY,
    }
    stubber.add_response("describe_images", {"imageDetails": [detail]}, expected)


def test_another_implementation_of_ecr_agrees(credentials: pytest.MonkeyPatch) -> None:
    """moto's, which keeps no layers but has repositories, images and tags."""
    assert credentials
    with mock_aws():
        store = open_ecr(REPOSITORY)
        assert store.describe() is None
        assert store.create().mutability == "IMMUTABLE"
        assert store.create() == store.describe()
        assert store.summaries() == []
        manifest, blobs = image_of([MemoryBlob(noise(100))])
        upload_blobs_to_moto(store, blobs)
        store.put(manifest, "1.0")
        store.put(manifest, "1.0")
        assert store.find("1.0") == manifest
        assert store.find("2.0") is None
        assert [(image.digest, image.tags) for image in store.summaries()] == [(manifest.digest, ("1.0",))]
        other, _ = image_of([MemoryBlob(noise(100))], {"another": "image"})
        with pytest.raises(ReleaseError, match=f"is already {manifest.digest}"):
            store.put(other, "1.0")
        assert store.login().host == HOST


def upload_blobs_to_moto(store: EcrRepository, blobs: list[MemoryBlob]) -> None:
    """All calls of an upload, of which moto checks the order."""
    for blob in blobs:
        begun = store.call("initiate_layer_upload")["uploadId"]
        last = blob.descriptor.size - 1
        store.call("upload_layer_part", uploadId=begun, partFirstByte=0, partLastByte=last, layerPartBlob=blob.data)
        store.call("complete_layer_upload", uploadId=begun, layerDigests=[str(blob.descriptor.digest)])
