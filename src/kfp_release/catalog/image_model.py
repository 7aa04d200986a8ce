"""Images as a catalog shows them: their layers, and what is attached to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from kfp_release.digest import Digest


class LayerKind(StrEnum):
    """Which part of an image a layer is."""

    BASE = "base"
    DEPENDENCIES = "dependencies"
    PACKAGE = "package"


@dataclass(frozen=True, slots=True)
class CatalogLayer:
    """A layer of an image; `size` is in bytes. `is_new` where a node with the version before has to pull it."""

    kind: LayerKind
    digest: Digest
    size: int
    is_new: bool


@dataclass(frozen=True, slots=True)
class CatalogEvidence:
    """What is attached to an image: by its digest in ECR; `note` tells what is in it (``214 components``)."""

    digest: Digest
    size: int
    note: str


@dataclass(frozen=True, slots=True)
class CatalogImage:
    """An image of a version. `digest` is None where it is not in ECR, or was not asked for; then it has no layers."""

    name: str
    repository: str
    tag: str
    digest: Digest | None
    runtime_key: str
    platform: str
    layers: tuple[CatalogLayer, ...] = ()
    sbom: CatalogEvidence | None = None
    provenance: CatalogEvidence | None = None
    scan: str = ""
    """What ECR's scan found, in a few words; empty where it was not asked."""
    is_evidence_known: bool = True
    """Whether ECR told what is attached to it; else `sbom` and `provenance` are None whatever there is."""

    @property
    def size(self) -> int:
        """Bytes of all layers."""
        return sum(layer.size for layer in self.layers)

    @property
    def pulled(self) -> int:
        """Bytes that a node with the version before has to pull."""
        return sum(layer.size for layer in self.layers if layer.is_new)


def distinct_layers(images: Iterable[CatalogImage]) -> Mapping[Digest, CatalogLayer]:
    """The layers of all `images`, each once: registries and nodes hold what images share once."""
    return {layer.digest: layer for image in images for layer in image.layers}
