"""The ECR stand-in's call about scans. It scans nothing: what a scan found is what it is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kfp_release.sandbox.ecr_refusal import EcrRefusal
from kfp_release.sandbox.ecr_repositories import Call, RepositoryCalls
from kfp_release.sandbox.ecr_state import EcrState, StoredImage


class ScanCalls:
    """Of an image of which nothing was told, ECR's answer is that there was no scan."""

    def __init__(self, state: EcrState, repositories: RepositoryCalls) -> None:
        self._state = state
        self._repositories = repositories
        self.calls: Mapping[str, Call] = {"DescribeImageScanFindings": self.describe}

    def describe(self, request: dict[str, Any]) -> dict[str, Any]:
        """DescribeImageScanFindings: counts alone, without the findings that they count."""
        image_id = request["imageId"]
        image = self._image(request, image_id)
        if not image.scan:
            raise EcrRefusal(
                "ScanNotFoundException",
                f"Image scan does not exist for the image with '{image_id}' in the repository with name"
                f" '{request['repositoryName']}' in the registry with id '{self._repositories.registry_of(request)}'",
            )
        return {
            "registryId": self._repositories.registry_of(request),
            "repositoryName": request["repositoryName"],
            "imageId": {**image_id, "imageDigest": image.digest},
            **image.scan,
        }

    def tell(self, repository: str, digest: str, scan: Mapping[str, Any]) -> None:
        """What a scan of the image found, as DescribeImageScanFindings is to answer it. Raise `EcrRefusal` for none."""
        with self._state.lock:
            self._image({"repositoryName": repository}, {"imageDigest": digest}).scan = dict(scan)
            self._state.save()

    def _image(self, request: dict[str, Any], image_id: Mapping[str, str]) -> StoredImage:
        repository = self._repositories.repository(request)
        digest, tag = image_id.get("imageDigest"), image_id.get("imageTag")
        image = repository.images.get(digest) if digest else repository.tagged(tag or "")
        if image is None:
            raise EcrRefusal("ImageNotFoundException", f"The image with imageId {dict(image_id)} does not exist")
        return image
