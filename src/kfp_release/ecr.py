"""One repository of Amazon ECR: what it holds, what it lacks, and the one call that makes an image public.

Source of the calls, their limits and errors: Amazon ECR API Reference, version 2015-09-21.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from kfp_release.digest import Digest
from kfp_release.ecr_calls import EcrCalls, ecr_client
from kfp_release.ecr_errors import EcrError
from kfp_release.ecr_images import EcrImages, batches
from kfp_release.errors import ReleaseError
from kfp_release.image_ref import Repository
from kfp_release.image_summary import ImageSummary
from kfp_release.manifest import MAX_MANIFEST, BadImage, Descriptor, Manifest
from kfp_release.presigned import download, require
from kfp_release.registry_login import RegistryLogin
from kfp_release.remote_blob import RemoteBlob
from kfp_release.repository_state import RepositoryState
from kfp_release.retry import SILENT, Retry


class EcrRepository:
    """One repository, through a boto3 client for ECR. Safe to use from several threads."""

    def __init__(self, client: Any, repository: Repository, *, retry: Retry = SILENT) -> None:
        self.repository = repository
        self.retry = retry
        self._calls = EcrCalls(client, repository)
        self._images = EcrImages(self._calls, repository)

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """ECR's answer to one call about this repository, `operation` by its boto3 name.

        Raises `EcrError`, and nothing else, where there is no good answer.
        """
        return self._calls.call(operation, **parameters)

    @property
    def is_at_aws(self) -> bool:
        """Whether it is AWS that is asked, and not the endpoint of another ECR."""
        return self._calls.is_at_aws

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
        return self._images.find(tag)

    def summaries(self) -> list[ImageSummary]:
        """All images that can be pulled, the newest first."""
        return [image for image in self.images() if image.is_active]

    def images(self) -> list[ImageSummary]:
        """All images, those that are archived too, the newest first."""
        return sorted(self._images.all(), key=lambda image: (image.pushed_at, image.digest), reverse=True)

    def manifests(self, digests: Iterable[Digest]) -> dict[Digest, Manifest]:
        """The manifests of those of `digests` that are images for one platform here."""
        return {one.digest: one for one in self._images.manifests(list(digests), strict=False)}

    def missing(self, digests: Iterable[Digest]) -> set[Digest]:
        """Those of `digests` that the repository has no layer or config of."""
        wanted = set(digests)
        for batch in batches(sorted(wanted)):
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

    def blob(self, descriptor: Descriptor) -> RemoteBlob:
        """A blob of an image that is here, of any length, to be sent on as it is read."""
        return RemoteBlob(descriptor, partial(self._url, descriptor), str(self.repository), self.retry)

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
                f"{self._images.name(key)} was put and is not there: "
                "its lifecycle policy or another program removed it",
                remedy="look at the repository's lifecycle policy, and run this again",
            )

    def login(self) -> RegistryLogin:
        """What a container engine pulls from this registry with, for the next hours."""
        return self._calls.login()

    def _url(self, descriptor: Descriptor) -> str:
        answer = self.call("get_download_url_for_layer", layerDigest=str(descriptor.digest))
        return str(answer["downloadUrl"])

    def _holds(self, key: str | Digest, manifest: Manifest) -> bool:
        found = self.find(key)
        if found is not None and found.data != manifest.data:
            raise ReleaseError(
                f"{self._images.name(key)} is already {found.digest}; it cannot become {manifest.digest}",
                remedy="a tag never moves here: release another version",
            )
        return found is not None


def open_ecr(repository: Repository, retry: Retry = SILENT, profile: str | None = None) -> EcrRepository:
    """The repository, with the environment's credentials, or those of a profile of AWS's configuration.

    Raises `ReleaseError` where no client can be made.
    """
    return EcrRepository(ecr_client(repository, retry, profile), repository, retry=retry)
