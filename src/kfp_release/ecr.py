"""One repository of Amazon ECR: what it holds, what it lacks, and the one call that makes an image public.

Source of the calls, their limits and errors: Amazon ECR API Reference, version 2015-09-21.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from kfp_release.digest import Digest
from kfp_release.ecr_calls import EcrCalls, ecr_client
from kfp_release.ecr_errors import EcrError
from kfp_release.errors import ReleaseError
from kfp_release.image_ref import Repository
from kfp_release.image_summary import ImageSummary
from kfp_release.manifest import DOCKER_MANIFEST, MAX_MANIFEST, OCI_MANIFEST, BadImage, Descriptor, Manifest
from kfp_release.presigned import download, require
from kfp_release.registry_login import RegistryLogin
from kfp_release.repository_state import RepositoryState
from kfp_release.retry import SILENT, Retry

_BATCH = 100
"""Ids a call. ECR's limit for BatchCheckLayerAvailability, BatchGetImage and DescribeImages."""

# Without it ECR speaks of ACTIVE images alone, and an archived one would look like none.
_ANY = {"imageStatus": "ANY"}

# Indexes are asked for too, so that a tag that holds one is named for what it is.
_ACCEPTED = (
    OCI_MANIFEST,
    DOCKER_MANIFEST,
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)


class EcrRepository:
    """One repository, through a boto3 client for ECR. Safe to use from several threads."""

    def __init__(self, client: Any, repository: Repository, *, retry: Retry = SILENT) -> None:
        self.repository = repository
        self.retry = retry
        self._calls = EcrCalls(client, repository)

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """ECR's answer to one call about this repository, `operation` by its boto3 name.

        Raises `EcrError`, and nothing else, where there is no good answer.
        """
        return self._calls.call(operation, **parameters)

    def describe(self) -> RepositoryState | None:
        """How the repository is set up; None where there is none."""
        try:
            answer = self._calls.registry("describe_repositories", repositoryNames=[self.repository.name])
        except EcrError as error:
            if error.code == "RepositoryNotFoundException":
                return None
            raise
        return RepositoryState.parse(answer["repositories"][0])

    def create(self) -> RepositoryState:
        """Make the repository, with immutable tags. One that is there already is left as it is."""
        try:
            return RepositoryState.parse(self.call("create_repository", imageTagMutability="IMMUTABLE")["repository"])
        except EcrError as error:
            state = self.describe() if error.code == "RepositoryAlreadyExistsException" else None
            if state is None:
                raise
            return state

    def lifecycle_policy(self) -> str | None:
        """The text of the repository's lifecycle policy, JSON; None where it has none."""
        try:
            return str(self.call("get_lifecycle_policy")["lifecyclePolicyText"])
        except EcrError as error:
            if error.code == "LifecyclePolicyNotFoundException":
                return None
            raise

    def find(self, tag: str | Digest) -> Manifest | None:
        """The image's manifest, by tag or digest; None where there is none.

        Raises `ReleaseError` where the image is archived, or is no image for one platform.
        """
        detail = self._detail(_image_id(tag))
        if detail is None:
            return None
        if (status := detail.get("imageStatus", "ACTIVE")) != "ACTIVE":
            raise ReleaseError(
                f"{self._name(tag)} is {status} in ECR and cannot be pulled",
                remedy="restore it (aws ecr update-image-storage-class --target-storage-class STANDARD)",
            )
        found = list(self._manifests([Digest.parse(detail["imageDigest"])], strict=True))
        if not found:
            raise ReleaseError(
                f"ECR lists {self._name(tag)} as {detail['imageDigest']} and does not hand it out",
                remedy="run this again; if it stays so, look at the image in ECR",
            )
        return found[0]

    def summaries(self) -> list[ImageSummary]:
        """All images that can be pulled, the newest first."""
        return [image for image in self.images() if image.is_active]

    def images(self) -> list[ImageSummary]:
        """All images, those that are archived too, the newest first."""
        images = [ImageSummary.parse(one) for page in self._pages() for one in page]
        return sorted(images, key=lambda image: (image.pushed_at, image.digest), reverse=True)

    def manifests(self, digests: Iterable[Digest]) -> dict[Digest, Manifest]:
        """The manifests of those of `digests` that are images for one platform here."""
        return {one.digest: one for one in self._manifests(list(digests), strict=False)}

    def missing(self, digests: Iterable[Digest]) -> set[Digest]:
        """Those of `digests` that the repository has no layer or config of."""
        wanted = set(digests)
        for batch in _batches(sorted(wanted)):
            answer = self.call("batch_check_layer_availability", layerDigests=[str(digest) for digest in batch])
            for layer in answer.get("layers", ()):
                digest = self._calls.asked_for(layer["layerDigest"], batch, "batch_check_layer_availability")
                if layer.get("layerAvailability") == "AVAILABLE":
                    wanted.discard(digest)
        return wanted

    def read_blob(self, descriptor: Descriptor) -> bytes:
        """A small blob of an image that is here (a config), verified.

        Raises `ReleaseError` where ECR has it not, hands out other bytes, or it is too long to be held in memory.
        """
        if descriptor.size > MAX_MANIFEST:
            raise BadImage(
                f"{descriptor.digest} of {self.repository} has {descriptor.size} bytes, too many for a config"
            )
        return download(self._url(descriptor), descriptor, where=str(self.repository), retry=self.retry)

    def require_blob(self, descriptor: Descriptor) -> None:
        """Read a blob of an image that is here, of any length. Raises `ReleaseError` where it is gone or another."""
        require(self._url(descriptor), descriptor, where=str(self.repository), retry=self.retry)

    def put(self, manifest: Manifest, tag: str | None) -> None:
        """Make an image public, under `tag` where one is given. This is the commit point; its blobs are there already.

        The same image under the same tag is success. Raises `ReleaseError` where the tag holds another image, which
        is left alone, or where another image is read back.
        """
        key = manifest.digest if tag is None else tag
        if not self._holds(key, manifest):
            parameters = {} if tag is None else {"imageTag": tag}
            try:
                self.call(
                    "put_image",
                    imageManifest=manifest.data.decode(),
                    imageManifestMediaType=manifest.media_type,
                    imageDigest=str(manifest.digest),
                    **parameters,
                )
            except EcrError as error:
                if error.code not in {"ImageAlreadyExistsException", "ImageTagAlreadyExistsException"}:
                    raise
        if not self._holds(key, manifest):
            raise ReleaseError(
                f"{self._name(key)} was put and is not there: its lifecycle policy or another program removed it",
                remedy="look at the repository's lifecycle policy, and run this again",
            )

    def login(self) -> RegistryLogin:
        """What a container engine pulls from this registry with, for the next hours."""
        return self._calls.login()

    def _url(self, descriptor: Descriptor) -> str:
        answer = self.call("get_download_url_for_layer", layerDigest=str(descriptor.digest))
        return str(answer["downloadUrl"])

    def _pages(self) -> Iterator[Sequence[Mapping[str, Any]]]:
        token: dict[str, str] = {}
        seen: set[str] = set()
        while True:
            answer = self.call("describe_images", maxResults=1000, filter=_ANY, **token)
            yield answer["imageDetails"]
            if not (following := answer.get("nextToken")):
                return
            if following in seen:
                raise self._calls.strange("describe_images", "a page leads back to one before")
            seen.add(following)
            token = {"nextToken": following}

    def _detail(self, image_id: Mapping[str, str]) -> Mapping[str, Any] | None:
        try:
            answer = self.call("describe_images", imageIds=[image_id], filter=_ANY)
        except EcrError as error:
            if error.code == "ImageNotFoundException":
                return None
            raise
        details: Sequence[Mapping[str, Any]] = answer["imageDetails"]
        if not details:
            return None
        # Behind a proxy that answers twice, what comes may be the answer to another question.
        detail, tag = details[0], image_id.get("imageTag")
        if (tag not in detail["imageTags"]) if tag else (detail["imageDigest"] != image_id["imageDigest"]):
            raise self._calls.strange("describe_images", f"another image than {tag or image_id['imageDigest']}")
        return detail

    def _manifests(self, digests: Sequence[Digest], *, strict: bool) -> Iterator[Manifest]:
        for batch in _batches(digests):
            ids = [_image_id(digest) for digest in batch]
            answer = self.call("batch_get_image", imageIds=ids, acceptedMediaTypes=list(_ACCEPTED))
            for image in answer.get("images", ()):
                self._calls.asked_for(image["imageId"]["imageDigest"], batch, "batch_get_image")
                try:
                    yield self._manifest(image)
                except BadImage:  # an index, or what somebody else keeps here
                    if strict:
                        raise

    def _manifest(self, image: Mapping[str, Any]) -> Manifest:
        digest = Digest.parse(image["imageId"]["imageDigest"])
        data, media_type = image["imageManifest"].encode(), image["imageManifestMediaType"]
        if (got := Digest.of(data)) != digest:
            raise ReleaseError(
                f"{self._name(digest)}: ECR answers with a manifest of digest {got}",
                remedy="run this again; if it stays so, report it to AWS",
            )
        try:
            return Manifest.parse(data, media_type)
        except ReleaseError as error:
            raise BadImage(f"{self._name(digest)}: {error}", remedy="push an image for one platform") from error

    def _holds(self, key: str | Digest, manifest: Manifest) -> bool:
        found = self.find(key)
        if found is not None and found.data != manifest.data:
            raise ReleaseError(
                f"{self._name(key)} is already {found.digest}; it cannot become {manifest.digest}",
                remedy="a tag never moves here: release another version",
            )
        return found is not None

    def _name(self, key: str | Digest) -> str:
        return f"{self.repository}@{key}" if isinstance(key, Digest) else f"{self.repository}:{key}"


def open_ecr(repository: Repository, retry: Retry = SILENT) -> EcrRepository:
    """The repository, with the environment's credentials. Raises `ReleaseError` where no client can be made."""
    return EcrRepository(ecr_client(repository, retry), repository, retry=retry)


def _image_id(key: str | Digest) -> dict[str, str]:
    return {"imageDigest": str(key)} if isinstance(key, Digest) else {"imageTag": key}


def _batches(items: Sequence[Digest]) -> Iterator[Sequence[Digest]]:
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]
