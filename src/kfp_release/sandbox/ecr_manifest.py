"""What PutImage is given."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from typing import Any, Self

from kfp_release.sandbox.ecr_refusal import invalid
from kfp_release.sandbox.ecr_state import StoredImage


@dataclass(frozen=True, slots=True)
class PutManifest:
    """A manifest as it was put: its config and layers, or its images, by digest, and the bytes of those in all.

    An artifact has a type, and a subject, the digest of what it refers to; `annotations` are the manifest's.
    """

    data: bytes
    digest: str
    media_type: str
    blobs: list[str]
    children: list[str]
    size: int
    artifact_type: str
    subject: str
    annotations: dict[str, str]

    @classmethod
    def parse(cls, request: dict[str, Any]) -> Self:
        """Raise `EcrRefusal` for what is no manifest, or says another media type than the request, or none at all."""
        data = request["imageManifest"].encode()
        try:
            value = json.loads(data)
            blobs = [value["config"], *value["layers"]] if "layers" in value else []
            children = value.get("manifests", [])
            size = sum(int(part["size"]) for part in (*blobs, *children))
            media_type = str(request.get("imageManifestMediaType") or value.get("mediaType") or "")
            digests = [str(part["digest"]) for part in (*blobs, *children)]
            config_type = value["config"]["mediaType"] if blobs else ""
            artifact_type = str(value.get("artifactType") or config_type)
            subject = str(value["subject"]["digest"]) if "subject" in value else ""
            annotations = {str(name): str(text) for name, text in value.get("annotations", {}).items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            raise invalid("'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'") from None
        if not media_type or value.get("mediaType", media_type) != media_type:
            raise invalid("'ImageManifest' failed to satisfy constraint: 'mediaType is missing or another one'")
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        own, others = digests[: len(blobs)], digests[len(blobs) :]
        return cls(data, digest, media_type, own, others, size, artifact_type, subject, annotations)

    def stored(self) -> StoredImage:
        """What is remembered of it, put now."""
        return StoredImage(
            self.digest,
            self.media_type,
            self.size,
            time.time(),
            self.blobs + self.children,
            artifact_type=self.artifact_type,
            subject=self.subject,
            manifest_size=len(self.data),
            annotations=self.annotations,
        )
