"""SBOMs in CycloneDX: what every one of them says of itself. Source: CycloneDX 1.6; its BOM-Link.

What writes them is `cyclonedx_bom`; here they are told apart and compared, with nothing but JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self
from uuid import NAMESPACE_URL, UUID, uuid5

from kfp_release.digest import BadDigest, Digest
from kfp_release.errors import ReleaseError
from kfp_release.image_ref import Repository
from kfp_release.json_text import BadJson, read_json

SBOM_TYPE: Final = "application/vnd.cyclonedx+json"
"""Of the artifact that an SBOM is in ECR, and of its one blob."""
SBOM_SUFFIX: Final = ".cdx.json"
PART: Final = "kfp-release:part"
"""The property of an SBOM's subject that tells whether it is a release's image or a runtime."""
RUNTIME: Final = "runtime"
UNREAD: Final = "kfp-release:unread"
"""The property of an SBOM that names metadata which tells of no distribution."""
RUNTIME_KEY: Final = "kfp-release:runtime-key"
"""The property of a release's image: the key of its runtime."""
MOST: Final = 4 * 1024 * 1024
"""Bytes of an SBOM: what ECR hands out is read up to so many."""


class BadSbom(ReleaseError):
    """Bytes that should have been an SBOM are none, or not of what they should be."""


@dataclass(frozen=True, slots=True)
class Sbom:
    """One SBOM, and the exact bytes that it is."""

    data: bytes
    serial: UUID
    name: str
    """Of its subject: an image, a runtime, a distribution."""
    version: str
    """Of its subject: a tag, a version."""
    digest: Digest | None
    """Of its subject, where that is an image."""
    runtime_key: str
    """Of a release's image; else empty."""
    part: str
    """What this tool has made it of, a release's image or a runtime; empty where another tool wrote it."""
    components: int
    """How many it lists."""

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Raise `BadSbom` unless `data` is an SBOM in CycloneDX's JSON that names its subject."""
        try:
            value = read_json(data, most=MOST)
            if value["bomFormat"] != "CycloneDX":
                raise BadSbom(f"it is {str(value['bomFormat'])[:80]!a}, and no SBOM in CycloneDX")
            subject = value["metadata"]["component"]
            return cls(
                data,
                UUID(value["serialNumber"].removeprefix("urn:uuid:")),
                _text(subject["name"]),
                _text(subject["version"]),
                _digest(subject),
                _property(subject, RUNTIME_KEY),
                _property(subject, PART),
                len(_list(value.get("components", []))),
            )
        except BadJson as error:
            raise BadSbom(f"it {error.args[0]}") from error
        except (KeyError, TypeError, AttributeError, ValueError, BadDigest) as error:
            raise BadSbom(f"it is no SBOM in CycloneDX that names its subject: {str(error)[:120]}") from error

    @property
    def is_runtime(self) -> bool:
        """Whether this tool has made it of a runtime."""
        return self.part == RUNTIME

    @property
    def link(self) -> str:
        """What other SBOMs name it by."""
        return bom_link(self.serial)

    @property
    def listed(self) -> tuple[str, ...]:
        """The components as a person reads them, ``numpy 2.1.0``, sorted."""
        listed = read_json(self.data, most=MOST).get("components", [])
        return tuple(sorted(f"{item.get('name', '')} {item.get('version', '')}".strip() for item in listed))

    @property
    def unread(self) -> tuple[str, ...]:
        """The paths of metadata that is there and tells of no distribution, sorted; of an SBOM made here."""
        metadata = read_json(self.data, most=MOST)["metadata"]
        return tuple(sorted(item["value"] for item in metadata.get("properties", []) if item["name"] == UNREAD))

    def agrees(self, other: bytes) -> bool:
        """Whether `other` is the same but for the tools that wrote it."""
        try:
            return bool(_without_tools(self.data) == _without_tools(other))
        except (BadJson, TypeError, AttributeError, KeyError):
            return False


def is_marked(data: bytes) -> bool:
    """Whether `data` bears the mark of this tool's SBOMs of images. Other tools attach theirs, which are left alone."""
    try:
        return bool(_property(read_json(data, most=MOST)["metadata"]["component"], PART))
    except (BadJson, KeyError, TypeError, AttributeError):
        return False


def image_serial(repository: Repository, digest: Digest) -> UUID:
    """The serial number of the SBOM of an image: the same for the same image, on every registry."""
    return uuid5(NAMESPACE_URL, f"oci:{repository.name}@{digest}")


def distribution_serial(name: str, version: str, commit: str) -> UUID:
    """The serial number of the SBOM of a wheel."""
    return uuid5(NAMESPACE_URL, f"pypi:{name}@{version}#{commit}")


def bom_link(serial: UUID) -> str:
    """``urn:cdx:…/1``: what names an SBOM of this serial number. They have one version alone."""
    return f"urn:cdx:{serial}/1"


def _without_tools(data: bytes) -> Any:
    value = read_json(data, most=MOST)
    return {**value, "metadata": {key: part for key, part in value["metadata"].items() if key != "tools"}}


def _digest(subject: Mapping[str, Any]) -> Digest | None:
    found = [_text(item["content"]) for item in _list(subject.get("hashes", [])) if item["alg"] == "SHA-256"]
    return Digest.parse(f"sha256:{found[0]}") if found else None


def _property(subject: Mapping[str, Any], name: str) -> str:
    found = (item["value"] for item in _list(subject.get("properties", [])) if item["name"] == name)
    return _text(next(found, ""))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{str(value)[:80]} is not a text")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"{str(value)[:80]} is not a list")
    return value
