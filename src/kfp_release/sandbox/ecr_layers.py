"""The ECR stand-in's calls about layers."""

from __future__ import annotations

import secrets
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kfp_release.sandbox.ecr_refusal import EcrRefusal, invalid
from kfp_release.sandbox.ecr_repositories import Call, RepositoryCalls
from kfp_release.sandbox.registry_api import RegistryApi

PART_SIZE = 10 * 1024 * 1024
SMALLEST_PART = 5 * 1024 * 1024
_URL_SECONDS = 60 * 60


@dataclass(slots=True)
class _Upload:
    """One layer on its way. `location` is the registry's; the sizes are in bytes."""

    repository: str
    location: str
    received: int = 0
    last_part: int = PART_SIZE
    too_small: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


class LayerCalls:
    """`url` is where `download` is served."""

    def __init__(self, repositories: RepositoryCalls, registry: RegistryApi, *, url: str) -> None:
        self._repositories = repositories
        self._registry = registry
        self._url = url
        self._uploads: dict[str, _Upload] = {}
        self._downloads: dict[str, tuple[str, str, float]] = {}
        self.calls: Mapping[str, Call] = {
            "BatchCheckLayerAvailability": self.check,
            "InitiateLayerUpload": self.initiate,
            "UploadLayerPart": self.upload_part,
            "CompleteLayerUpload": self.complete,
            "GetDownloadUrlForLayer": self.download_url,
        }

    def forget_uploads(self) -> None:
        """Lose every upload that is not complete, as ECR does with old ones."""
        self._uploads.clear()

    def check(self, request: dict[str, Any]) -> dict[str, Any]:
        """BatchCheckLayerAvailability."""
        self._repositories.repository(request)
        layers, failures = [], []
        for digest in request["layerDigests"]:
            if not _is_digest(digest):
                reason = "Invalid layer digest"
                failures.append({"layerDigest": digest, "failureCode": "InvalidLayerDigest", "failureReason": reason})
                continue
            size = self._registry.blob_size(request["repositoryName"], digest)
            status = "UNAVAILABLE" if size is None else "ARCHIVED" if self._archived(request, digest) else "AVAILABLE"
            layers.append({"layerDigest": digest, "layerAvailability": status, "layerSize": size or 0})
        return {"layers": layers, "failures": failures}

    def initiate(self, request: dict[str, Any]) -> dict[str, Any]:
        """InitiateLayerUpload."""
        name = self._repositories.repository(request).name
        upload_id = str(uuid.uuid4())
        self._uploads[upload_id] = _Upload(name, self._registry.begin_upload(name))
        return {"uploadId": upload_id, "partSize": PART_SIZE}

    def upload_part(self, request: dict[str, Any]) -> dict[str, Any]:
        """UploadLayerPart."""
        upload, names = self._upload(request)
        data: bytes = request["layerPartBlob"]
        first, last = request["partFirstByte"], request["partLastByte"]
        with upload.lock:
            if first != upload.received or last - first + 1 != len(data):
                raise EcrRefusal(
                    "InvalidLayerPartException",
                    f"Layer part from {first} to {last} is not consecutive to the {upload.received} bytes received",
                    lastValidByteReceived=max(upload.received - 1, 0),
                    **names,
                )
            upload.location = self._registry.append(upload.location, data)
            upload.too_small = upload.too_small or upload.last_part < SMALLEST_PART
            upload.last_part = len(data)
            upload.received += len(data)
            return {**names, "lastByteReceived": upload.received - 1}

    def complete(self, request: dict[str, Any]) -> dict[str, Any]:
        """CompleteLayerUpload."""
        upload, names = self._upload(request)
        digests = request["layerDigests"]
        if len(digests) != 1 or not _is_digest(digests[0]):
            raise invalid("'layerDigests' failed to satisfy constraint: 'one sha256 digest'")
        with upload.lock:
            if not upload.received:
                raise EcrRefusal("EmptyUploadException", "The specified layer upload does not contain any layer parts.")
            if upload.too_small:
                raise EcrRefusal("LayerPartTooSmallException", "Layer parts must be at least 5 MiB in size.")
            del self._uploads[request["uploadId"]]
            if self._registry.blob_size(upload.repository, digests[0]) is not None:
                raise EcrRefusal(
                    "LayerAlreadyExistsException",
                    f"Layer with digest '{digests[0]}' already exists in the repository with name"
                    f" '{upload.repository}' in the registry with id '{names['registryId']}'",
                )
            if not self._registry.finish(upload.location, digests[0]):
                raise EcrRefusal(
                    "InvalidLayerException", f"The layer digest does not match the provided digest '{digests[0]}'"
                )
        return {**names, "layerDigest": digests[0]}

    def download_url(self, request: dict[str, Any]) -> dict[str, Any]:
        """GetDownloadUrlForLayer: a URL that only who asked can know, good for an hour."""
        repository, digest = self._repositories.repository(request), request["layerDigest"]
        if not _is_digest(digest) or self._registry.blob_size(repository.name, digest) is None:
            raise EcrRefusal("LayersNotFoundException", f"Layer with digest '{digest}' does not exist")
        if not any(digest in image.blobs and image.status == "ACTIVE" for image in list(repository.images.values())):
            raise EcrRefusal("LayerInaccessibleException", f"Layer with digest '{digest}' is not of an active image")
        token = secrets.token_urlsafe(32)
        self._downloads[token] = (repository.name, digest, time.monotonic() + _URL_SECONDS)
        return {"downloadUrl": f"{self._url}/layers/{token}", "layerDigest": digest}

    def download(self, token: str, first: int = 0) -> tuple[int, Iterator[bytes]] | None:
        """Size of what a download URL's last part stands for, and its bytes from `first` on, where it has so many.

        None where the URL is unknown or too old.
        """
        name, digest, until = self._downloads.get(token, ("", "", 0.0))
        if time.monotonic() > until or (size := self._registry.blob_size(name, digest)) is None:
            return None
        return size, self._registry.blob(name, digest, first) if first < size else iter(())

    def _upload(self, request: dict[str, Any]) -> tuple[_Upload, dict[str, str]]:
        repository = self._repositories.repository(request)
        names = {
            "registryId": self._repositories.registry_of(request),
            "repositoryName": repository.name,
            "uploadId": request["uploadId"],
        }
        upload = self._uploads.get(request["uploadId"])
        if upload is None or upload.repository != repository.name:
            raise EcrRefusal(
                "UploadNotFoundException", f"The upload with id '{request['uploadId']}' could not be found"
            )
        return upload, names

    def _archived(self, request: dict[str, Any], digest: str) -> bool:
        images = list(self._repositories.repository(request).images.values())
        statuses = {image.status for image in images if digest in image.blobs}
        return bool(statuses) and "ACTIVE" not in statuses


def _is_digest(text: str) -> bool:
    algorithm, _, value = text.partition(":")
    return algorithm == "sha256" and len(value) == 64 and not set(value) - set("0123456789abcdef")  # noqa: PLR2004
