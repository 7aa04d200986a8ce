"""The images of one repository of Amazon ECR: listed, found by tag or digest, and handed out as manifests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kfp_release.digest import Digest
from kfp_release.ecr_calls import EcrCalls
from kfp_release.ecr_errors import EcrError
from kfp_release.errors import ReleaseError
from kfp_release.image_ref import Repository
from kfp_release.image_summary import ImageSummary
from kfp_release.manifest import DOCKER_MANIFEST, OCI_MANIFEST, BadImage, Manifest

_BATCH: Final = 100
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


class ArchivedImage(ReleaseError):
    """An image that is kept in ECR and handed out to nobody."""


@dataclass(frozen=True, slots=True)
class EcrImages:
    """What `EcrRepository` asks about images through. Every failure is a `ReleaseError`."""

    calls: EcrCalls
    repository: Repository

    def find(self, tag: str | Digest) -> Manifest | None:
        """The image's manifest, by tag or digest; None where there is none.

        Raises `ReleaseError` where the image is archived, or is no image for one platform.
        """
        detail = self._detail(_image_id(tag))
        if detail is None:
            return None
        if (status := detail.get("imageStatus", "ACTIVE")) != "ACTIVE":
            raise ArchivedImage(
                f"{self.name(tag)} is {status} in ECR and cannot be pulled",
                remedy="restore it (aws ecr update-image-storage-class --target-storage-class STANDARD)",
            )
        found = list(self.manifests([Digest.parse(detail["imageDigest"])], strict=True))
        if not found:
            raise ReleaseError(
                f"ECR lists {self.name(tag)} as {detail['imageDigest']} and does not hand it out",
                remedy="run this again; if it stays so, look at the image in ECR",
            )
        return found[0]

    def all(self) -> list[ImageSummary]:
        """All images, those that are archived too, in ECR's order."""
        return [ImageSummary.parse(one) for page in self._pages() for one in page]

    def manifests(self, digests: Sequence[Digest], *, strict: bool) -> Iterator[Manifest]:
        """The manifests of those of `digests` that are here.

        Raises `BadImage` for what is no image for one platform if `strict`, and leaves it out otherwise.
        """
        for batch in batches(digests):
            ids = [_image_id(digest) for digest in batch]
            answer = self.calls.call("batch_get_image", imageIds=ids, acceptedMediaTypes=list(_ACCEPTED))
            for image in answer.get("images", ()):
                self.calls.asked_for(image["imageId"]["imageDigest"], batch, "batch_get_image")
                try:
                    yield self._manifest(image)
                except BadImage:  # an index, or what somebody else keeps here
                    if strict:
                        raise

    def name(self, key: str | Digest) -> str:
        """How a message names an image."""
        return f"{self.repository}@{key}" if isinstance(key, Digest) else f"{self.repository}:{key}"

    def _pages(self) -> Iterator[Sequence[Mapping[str, Any]]]:
        token: dict[str, str] = {}
        seen: set[str] = set()
        while True:
            answer = self.calls.call("describe_images", maxResults=1000, filter=_ANY, **token)
            yield answer["imageDetails"]
            if not (following := answer.get("nextToken")):
                return
            if following in seen:
                raise self.calls.strange("describe_images", "a page leads back to one before")
            seen.add(following)
            token = {"nextToken": following}

    def _detail(self, image_id: Mapping[str, str]) -> Mapping[str, Any] | None:
        try:
            answer = self.calls.call("describe_images", imageIds=[image_id], filter=_ANY)
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
            raise self.calls.strange("describe_images", f"another image than {tag or image_id['imageDigest']}")
        return detail

    def _manifest(self, image: Mapping[str, Any]) -> Manifest:
        digest = Digest.parse(image["imageId"]["imageDigest"])
        data, media_type = image["imageManifest"].encode(), image["imageManifestMediaType"]
        if (got := Digest.of(data)) != digest:
            raise ReleaseError(
                f"{self.name(digest)}: ECR answers with a manifest of digest {got}",
                remedy="run this again; if it stays so, report it to AWS",
            )
        try:
            return Manifest.parse(data, media_type)
        except ReleaseError as error:
            raise BadImage(f"{self.name(digest)}: {error}", remedy="push an image for one platform") from error


def _image_id(key: str | Digest) -> dict[str, str]:
    return {"imageDigest": str(key)} if isinstance(key, Digest) else {"imageTag": key}


def batches(items: Sequence[Digest]) -> Iterator[Sequence[Digest]]:
    """The items, as many together as one call takes."""
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]
