"""Image manifests and configs. The bytes are the truth: they are parsed for reading and never written again.

Source: OCI image-spec 1.1, manifest.md, config.md, descriptor.md; Docker's schema 2 manifests have the same form.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from kfp_release.digest import Digest
from kfp_release.errors import ReleaseError
from kfp_release.json_text import BadJson, read_json

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
MAX_MANIFEST = 4 * 1024 * 1024
"""Bytes. ECR's limit for a manifest."""
_MAX_SIZE = 1 << 63
"""One more than the bytes that a blob can have: int64 in the OCI image-spec's own Go types."""


class BadImage(ReleaseError):
    """Bytes that should have been an image's manifest or config are none."""


def canonical_json(value: Any) -> bytes:
    """The one byte form in which this tool writes JSON that is hashed: sorted keys, no spaces, UTF-8."""
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError as error:
        raise BadImage(
            f"a text that UTF-8 cannot hold: {error.object[max(0, error.start - 40) : error.end]!a}"
        ) from error


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What a blob is, where it is found and how long it is. OCI image-spec, descriptor.md. `size` is in bytes."""

    media_type: str
    digest: Digest
    size: int

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Raise `BadImage` unless `value`, from JSON, is a descriptor."""
        match value:
            case {"mediaType": str(media_type), "digest": str(digest), "size": int(size)} if (
                0 <= size < _MAX_SIZE and not isinstance(size, bool)
            ):
                return cls(media_type, Digest.parse(digest), size)
        raise BadImage(f"{str(value)[:120]} is not a descriptor with mediaType, digest and size")

    def to_json(self) -> dict[str, Any]:
        """The form in which it stands in a manifest."""
        return {"mediaType": self.media_type, "digest": str(self.digest), "size": self.size}


def _object(data: bytes, what: str) -> dict[str, Any]:
    try:
        value = read_json(data, most=MAX_MANIFEST)
    except BadJson as error:
        raise BadImage(f"{what} {error.args[0]}") from error
    if not isinstance(value, dict):
        raise BadImage(f"{what} is not a JSON object")
    return value


def _strings(value: Any, what: str) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise BadImage(f"{what} are not texts by name")
    return dict(value)


@dataclass(frozen=True, slots=True)
class Manifest:
    """The manifest of one image for one platform, and the exact bytes that its digest is of."""

    data: bytes
    media_type: str
    config: Descriptor
    layers: tuple[Descriptor, ...]
    annotations: Mapping[str, str]

    @classmethod
    def parse(cls, data: bytes, media_type: str) -> Self:
        """`media_type` comes from the descriptor or the registry, for the bytes need not name it.

        Raise `BadImage` for anything but an image manifest: an index, say.
        """
        if media_type not in {OCI_MANIFEST, DOCKER_MANIFEST}:
            raise BadImage(f"{media_type[:120]!r} is not the media type of an image manifest")
        value = _object(data, "the manifest")
        if value.get("mediaType", media_type) != media_type:
            raise BadImage(f"the manifest calls itself {str(value['mediaType'])[:120]!r} and came as {media_type!r}")
        layers = value.get("layers")
        if not isinstance(layers, list):
            raise BadImage("the manifest has no list of layers")
        return cls(
            data=data,
            media_type=media_type,
            config=Descriptor.parse(value.get("config")),
            layers=tuple(Descriptor.parse(layer) for layer in layers),
            annotations=_strings(value.get("annotations"), "the manifest's annotations"),
        )

    @classmethod
    def of(cls, config: Descriptor, layers: tuple[Descriptor, ...], annotations: Mapping[str, str]) -> Self:
        """A new OCI manifest, serialised here and nowhere else."""
        value: dict[str, Any] = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": config.to_json(),
            "layers": [layer.to_json() for layer in layers],
        }
        if annotations:
            value["annotations"] = dict(annotations)
        return cls(canonical_json(value), OCI_MANIFEST, config, layers, dict(annotations))

    @property
    def digest(self) -> Digest:
        """What the image is pulled by."""
        return Digest.of(self.data)

    @property
    def descriptor(self) -> Descriptor:
        """How an index names this manifest."""
        return Descriptor(self.media_type, self.digest, len(self.data))


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """An image's config: what runs, in which environment, on which platform, from which layers."""

    data: bytes
    value: Mapping[str, Any]
    diff_ids: tuple[Digest, ...]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Raise `BadImage` unless `data` is an image config."""
        value = _object(data, "the image's config")
        match value:
            case {"rootfs": {"diff_ids": list(diff_ids)}} if all(isinstance(item, str) for item in diff_ids):
                return cls(data, value, tuple(Digest.parse(item) for item in diff_ids))
        raise BadImage("the image's config has no rootfs.diff_ids")

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Self:
        """A new config, serialised here and nowhere else."""
        return cls.parse(canonical_json(value))

    @property
    def platform(self) -> str:
        """``os/architecture`` and the variant, if it has one: ``linux/amd64``."""
        parts = (self.value.get("os", ""), self.value.get("architecture", ""), self.value.get("variant", ""))
        return "/".join(str(part) for part in parts if part)

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels, empty where there are none."""
        return _strings(self._run.get("Labels"), "the image's labels")

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment variables of what runs, in order."""
        variables = self._run.get("Env") or []
        if not isinstance(variables, list):
            raise BadImage(f"the image's Env is no list: {str(variables)[:120]}")
        pairs = (str(item).partition("=") for item in variables)
        return {name: text for name, _, text in pairs}

    @property
    def _run(self) -> Mapping[str, Any]:
        run = self.value.get("config") or {}
        if not isinstance(run, dict):
            raise BadImage("the image's config has a 'config' that is no object")
        return run

    @property
    def descriptor(self) -> Descriptor:
        """How a manifest names this config."""
        return Descriptor(OCI_CONFIG, Digest.of(self.data), len(self.data))
