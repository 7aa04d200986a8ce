"""One owned image of a plan: where it goes, what it stands on, and what is there already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from kfp_release.errors import ReleaseError
from kfp_release.image import Image
from kfp_release.image_ref import Repository
from kfp_release.interpreter import Interpreter
from kfp_release.manifest import ImageConfig, Manifest
from kfp_release.materials import Materials
from kfp_release.record_json import text_of
from kfp_release.sbom import Sbom


class BadPlan(ReleaseError):
    """A plan.json that this version of the tool cannot read."""


@dataclass(frozen=True, slots=True)
class PlannedImage:
    """One owned image: where it goes, what it stands on, and what is there already under the version's tag."""

    name: str
    declared: Repository
    repository: Repository
    repository_exists: bool
    runtime_key: str
    platform: str
    materials: Materials
    """What its runtime is built from."""
    interpreter: Interpreter
    runtime: Image | None
    existing: Image | None
    runtime_sbom: Sbom | None = None
    """What is in `runtime`; None where it has none attached."""

    def to_json(self) -> dict[str, Any]:
        """As it stands in plan.json; manifests and configs as the texts that they are."""
        return {
            "name": self.name,
            "declared": str(self.declared),
            "registry": self.repository.host,
            "repository_exists": self.repository_exists,
            "runtime_key": self.runtime_key,
            "platform": self.platform,
            "materials": self.materials.to_value(),
            "interpreter": str(self.interpreter),
            "runtime": _image_to_json(self.runtime),
            "existing": _image_to_json(self.existing),
            "runtime_sbom": self.runtime_sbom.data.decode() if self.runtime_sbom else None,
        }

    @classmethod
    def parse(cls, value: Mapping[str, Any]) -> Self:
        """Raise `KeyError`, `TypeError` or `ReleaseError` for anything else; `Plan.parse` makes `BadPlan` of it."""
        return cls(
            name=text_of(value["name"]),
            declared=Repository.parse(text_of(value["declared"])),
            repository=Repository.parse(text_of(value["declared"])).at_host(text_of(value["registry"])),
            repository_exists=value["repository_exists"] is True,
            runtime_key=text_of(value["runtime_key"]),
            platform=text_of(value["platform"]),
            materials=Materials.parse(value["materials"]),
            interpreter=Interpreter(text_of(value["interpreter"])),
            runtime=_image(value["runtime"]),
            existing=_image(value["existing"]),
            runtime_sbom=_sbom(value["runtime_sbom"]),
        )


def _image_to_json(image: Image | None) -> dict[str, str] | None:
    if image is None:
        return None
    return {
        "media_type": image.manifest.media_type,
        "manifest": image.manifest.data.decode(),
        "config": image.config.data.decode(),
    }


def _image(value: Mapping[str, Any] | None) -> Image | None:
    if value is None:
        return None
    manifest = Manifest.parse(text_of(value["manifest"]).encode(), text_of(value["media_type"]))
    return Image(manifest, ImageConfig.parse(text_of(value["config"]).encode()))


def _sbom(value: Any) -> Sbom | None:
    return None if value is None else Sbom.parse(text_of(value).encode())
