"""The ECR stand-in's calls about images."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from kfp_release.sandbox.ecr_manifest import PutManifest
from kfp_release.sandbox.ecr_refusal import EcrRefusal, invalid
from kfp_release.sandbox.ecr_repositories import Call, RepositoryCalls
from kfp_release.sandbox.ecr_state import EcrState, StoredImage, StoredRepository
from kfp_release.sandbox.registry_api import RegistryApi

_PAGE = 100


class ImageCalls:
    """What is put goes to the registry too, under the same tag, so that an engine can pull it."""

    def __init__(self, state: EcrState, repositories: RepositoryCalls, registry: RegistryApi) -> None:
        self._state = state
        self._repositories = repositories
        self._registry = registry
        self.calls: Mapping[str, Call] = {
            "PutImage": self.put,
            "BatchGetImage": self.get,
            "DescribeImages": self.describe,
            "ListImages": self.list_ids,
            "BatchDeleteImage": self.delete,
            "UpdateImageStorageClass": self.update_storage_class,
        }

    def put(self, request: dict[str, Any]) -> dict[str, Any]:
        """PutImage."""
        given, tag = PutManifest.parse(request), request.get("imageTag")
        with self._state.lock:
            repository = self._repositories.repository(request)
            if request.get("imageDigest", given.digest) != given.digest:
                raise EcrRefusal(
                    "ImageDigestDoesNotMatchException",
                    f"The provided image digest '{request['imageDigest']}' is not the manifest's, '{given.digest}'",
                )
            self._check_parts(repository, given, self._repositories.registry_of(request))
            _check_tag(repository, given, tag)
            self._registry.put_manifest(repository.name, tag or given.digest, given.data, given.media_type)
            image = repository.images.setdefault(
                given.digest,
                given.stored(),
            )
            if tag:
                for other in repository.images.values():
                    other.tags = [each for each in other.tags if each != tag]
                image.tags.append(tag)
            self._state.save()
            return {"image": self._got(request, image, tag)}

    def get(self, request: dict[str, Any]) -> dict[str, Any]:
        """BatchGetImage."""
        repository = self._repositories.repository(request)
        images, failures = [], []
        for image_id in request["imageIds"]:
            try:
                image = _found(repository, image_id)
            except EcrRefusal as refusal:
                failures.append({"imageId": image_id, "failureCode": refusal.code, "failureReason": refusal.message})
                continue
            if image.status == "ACTIVE":
                images.append(self._got(request, image, image_id.get("imageTag")))
            else:
                reason = "The image is archived"
                failures.append({"imageId": image_id, "failureCode": "ImageInaccessible", "failureReason": reason})
        return {"images": images, "failures": failures}

    def describe(self, request: dict[str, Any]) -> dict[str, Any]:
        """DescribeImages: those of `imageIds`, or all in pages; ACTIVE ones unless the filter says otherwise."""
        images, more = self._listed(request)
        details = [
            {
                "registryId": self._repositories.registry_of(request),
                "repositoryName": request["repositoryName"],
                "imageDigest": image.digest,
                **({"imageTags": image.tags} if image.tags else {}),
                "imageSizeInBytes": image.size,
                "imagePushedAt": image.pushed_at,
                "imageManifestMediaType": image.media_type,
                "imageStatus": image.status,
                **({"artifactMediaType": image.artifact_type} if image.artifact_type else {}),
                **({"subjectManifestDigest": image.subject} if image.subject else {}),
            }
            for image in images
        ]
        return {"imageDetails": details, **more}

    def list_ids(self, request: dict[str, Any]) -> dict[str, Any]:
        """ListImages: a line for each tag, and one for an image without."""
        images, more = self._listed(request)
        ids = [
            {"imageDigest": image.digest, **({"imageTag": tag} if tag else {})}
            for image in images
            for tag in image.tags or [""]
        ]
        return {"imageIds": ids, **more}

    def delete(self, request: dict[str, Any]) -> dict[str, Any]:
        """BatchDeleteImage: one tag of an image, or the image with all of them."""
        deleted, failures = [], []
        with self._state.lock:
            repository = self._repositories.repository(request)
            for image_id in request["imageIds"]:
                try:
                    image = _deletable(repository, image_id)
                except EcrRefusal as refusal:
                    failures.append(
                        {"imageId": image_id, "failureCode": refusal.code, "failureReason": refusal.message}
                    )
                    continue
                gone = [image_id["imageTag"]] if "imageTag" in image_id else list(image.tags)
                self._delete(repository, image, gone)
                deleted += [{"imageDigest": image.digest, "imageTag": tag} for tag in gone] or [
                    {"imageDigest": image.digest}
                ]
            self._state.save()
        return {"imageIds": deleted, "failures": failures}

    def update_storage_class(self, request: dict[str, Any]) -> dict[str, Any]:
        """UpdateImageStorageClass, at once where ECR takes its time."""
        with self._state.lock:
            try:
                image = _found(self._repositories.repository(request), request["imageId"])
            except EcrRefusal as refusal:
                raise EcrRefusal("ImageNotFoundException", refusal.message) from None
            image.status = "ARCHIVED" if request["targetStorageClass"] == "ARCHIVE" else "ACTIVE"
            self._state.save()
        return {"imageId": request["imageId"], "imageStatus": image.status}

    def _listed(self, request: dict[str, Any]) -> tuple[list[StoredImage], dict[str, str]]:
        repository = self._repositories.repository(request)
        wanted = request.get("filter", {})
        if ids := request.get("imageIds"):
            if "maxResults" in request or "nextToken" in request:
                raise invalid("'maxResults' failed to satisfy constraint: 'not with imageIds'")
            try:
                images, token = [_found(repository, image_id) for image_id in ids], None
            except EcrRefusal as refusal:
                raise EcrRefusal("ImageNotFoundException", refusal.message) from None
        else:
            images, token = _page(list(repository.images.values()), request)
        status, tagged = wanted.get("imageStatus", "ACTIVE"), wanted.get("tagStatus", "ANY")
        chosen = [
            image
            for image in images
            if status in {"ANY", image.status} and tagged in {"ANY", "TAGGED" if image.tags else "UNTAGGED"}
        ]
        return chosen, {"nextToken": token} if token else {}

    def _got(self, request: dict[str, Any], image: StoredImage, tag: str | None) -> dict[str, Any]:
        data = self._registry.manifest(request["repositoryName"], image.digest, image.media_type)
        return {
            "registryId": self._repositories.registry_of(request),
            "repositoryName": request["repositoryName"],
            "imageId": {"imageDigest": image.digest, **({"imageTag": tag} if tag else {})},
            "imageManifest": data.decode(),
            "imageManifestMediaType": image.media_type,
        }

    def _check_parts(self, repository: StoredRepository, given: PutManifest, registry: str) -> None:
        if lacking := [each for each in given.blobs if self._registry.blob_size(repository.name, each) is None]:
            raise EcrRefusal(
                "LayersNotFoundException",
                f"Layers with digests '[{', '.join(lacking)}]' required for pushing image into repository with name"
                f" '{repository.name}' in the registry with id '{registry}' do not exist",
            )
        if lacking := [child for child in given.children if child not in repository.images]:
            raise EcrRefusal("ReferencedImagesNotFoundException", f"Images with digests '{lacking}' do not exist")

    def _delete(self, repository: StoredRepository, image: StoredImage, tags: list[str]) -> None:
        # The registry deletes a manifest with all its tags, and no tag alone: those that stay are put again.
        data = self._registry.manifest(repository.name, image.digest, image.media_type)
        self._registry.delete_manifest(repository.name, image.digest)
        image.tags = [tag for tag in image.tags if tag not in tags]
        for tag in image.tags:
            self._registry.put_manifest(repository.name, tag, data, image.media_type)
        if not image.tags:
            del repository.images[image.digest]


def _found(repository: StoredRepository, image_id: dict[str, str]) -> StoredImage:
    digest, tag = image_id.get("imageDigest"), image_id.get("imageTag")
    if digest is None and tag is None:
        raise EcrRefusal("MissingDigestAndTag", "Invalid request parameters: both tag and digest cannot be null")
    image = repository.images.get(digest) if digest else repository.tagged(tag or "")
    if image is None:
        raise EcrRefusal("ImageNotFound", "Requested image not found")
    if digest and tag and tag not in image.tags:
        raise EcrRefusal("ImageTagDoesNotMatchDigest", "The tag is not one of the digest's")
    return image


def _deletable(repository: StoredRepository, image_id: dict[str, str]) -> StoredImage:
    image = _found(repository, image_id)
    if any(image.digest in other.blobs for other in repository.images.values()):
        raise EcrRefusal("ImageReferencedByManifestList", "Requested image referenced by manifest list")
    return image


def _check_tag(repository: StoredRepository, given: PutManifest, tag: str | None) -> None:
    already = EcrRefusal(
        "ImageAlreadyExistsException",
        f"Image with digest '{given.digest}' and tag '{tag or ''}' already exists in the repository"
        f" with name '{repository.name}'",
    )
    if tag is None:
        if given.digest in repository.images:
            raise already
        return
    holder = repository.tagged(tag)
    if holder is None:
        return
    excluded = any(fnmatchcase(tag, each["filter"]) for each in repository.exclusions)
    if repository.mutability.startswith("IMMUTABLE") is not excluded:
        raise EcrRefusal(
            "ImageTagAlreadyExistsException",
            f"The image tag '{tag}' already exists in the '{repository.name}' repository and cannot be overwritten"
            " because the tag is immutable.",
        )
    if holder.digest == given.digest:
        raise already


def _page(images: list[StoredImage], request: dict[str, Any]) -> tuple[list[StoredImage], str | None]:
    try:
        start = int(base64.b64decode(request.get("nextToken", "")) or b"0")
    except ValueError:
        raise invalid("'nextToken' failed to satisfy constraint: 'a token of this call'") from None
    end = start + request.get("maxResults", _PAGE)
    return images[start:end], base64.b64encode(str(end).encode()).decode() if end < len(images) else None
