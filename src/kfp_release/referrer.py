"""Artifacts that refer to an image: an SBOM, a provenance. One blob each, found by the image's digest, without a tag.

Source: OCI image-spec 1.1, manifest.md, "Guidelines for artifact usage" and ``subject``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from kfp_release.digest import Digest
from kfp_release.json_text import read_json
from kfp_release.manifest import MAX_MANIFEST, OCI_MANIFEST, BadImage, Descriptor, Manifest, canonical_json

EMPTY: Final = b"{}"
"""The config of an artifact, which has none."""
EMPTY_CONFIG: Final = Descriptor("application/vnd.oci.empty.v1+json", Digest.of(EMPTY), len(EMPTY))


@dataclass(frozen=True, slots=True)
class Referrer:
    """An artifact of the type `artifact_type` that refers to the image `subject`; `manifest` is as it is stored."""

    manifest: Manifest
    artifact_type: str
    subject: Descriptor

    @classmethod
    def of(cls, artifact_type: str, subject: Descriptor, blob: Descriptor, annotations: Mapping[str, str]) -> Self:
        """A new one, serialised here and nowhere else."""
        value: dict[str, Any] = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "artifactType": artifact_type,
            "config": EMPTY_CONFIG.to_json(),
            "layers": [blob.to_json()],
            "subject": subject.to_json(),
        }
        if annotations:
            value["annotations"] = dict(annotations)
        return cls(Manifest.parse(canonical_json(value), OCI_MANIFEST), artifact_type, subject)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Raise `BadImage` unless `data` is the manifest of an artifact of one blob that refers to something."""
        referrer = cls.of_manifest(Manifest.parse(data, OCI_MANIFEST))
        blobs = referrer.manifest.layers
        if len(blobs) != 1:
            raise BadImage(f"{referrer.manifest.digest} has {len(blobs)} blobs, and what is read here has one")
        return referrer

    @classmethod
    def of_manifest(cls, manifest: Manifest) -> Self:
        """That of anybody's artifact, of any number of blobs. Raise `BadImage` unless it refers to something."""
        value: dict[str, Any] = read_json(manifest.data, most=MAX_MANIFEST)
        artifact_type = value.get("artifactType") or manifest.config.media_type
        if not isinstance(artifact_type, str) or "subject" not in value:
            raise BadImage(f"{manifest.digest} refers to no image")
        return cls(manifest, artifact_type, Descriptor.parse(value["subject"]))

    @property
    def blob(self) -> Descriptor:
        """What it is about the image."""
        return self.manifest.layers[0]
