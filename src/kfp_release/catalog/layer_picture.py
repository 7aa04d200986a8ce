"""The picture of an image's layers, to scale: where each begins, how wide it is, what a node has to pull."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from kfp_release.catalog.image_model import CatalogImage, CatalogLayer, LayerKind

WIDTH = 1000
"""Of the picture, in units of its own."""
_LEAST = 3.0
"""Of a layer, or it would not be seen."""


@dataclass(frozen=True, slots=True)
class Band:
    """Layers of one kind beside each other, all of them new to a node with the version before, or none."""

    kind: LayerKind
    is_new: bool
    count: int
    size: int
    """Bytes."""
    left: float
    width: float
    is_widened: bool
    """Whether it is drawn wider than it is."""


@dataclass(frozen=True, slots=True)
class LayerPicture:
    """One bar. `digests` are of the layers of each kind."""

    bands: tuple[Band, ...]

    @property
    def is_widened(self) -> bool:
        """Whether a part is drawn wider than it is."""
        return any(band.is_widened for band in self.bands)


def layer_picture(image: CatalogImage, *, scale: int) -> LayerPicture:
    """The bar of `image`, where `scale` bytes are as wide as the picture."""
    runs = [
        (kind, is_new, list(layers))
        for (kind, is_new), layers in groupby(_ordered(image.layers), key=lambda one: (one.kind, one.is_new))
    ]
    bands: list[Band] = []
    left = 0.0
    for kind, is_new, layers in runs:
        size = sum(layer.size for layer in layers)
        exact = WIDTH * size / scale if scale else 0.0
        width = max(exact, _LEAST)
        left = min(left, WIDTH - width)
        bands.append(Band(kind, is_new, len(layers), size, round(left, 1), round(width, 1), is_widened=exact < _LEAST))
        left += width
    return LayerPicture(tuple(bands))


def _ordered(layers: Sequence[CatalogLayer]) -> list[CatalogLayer]:
    """By kind, from the base up, and those that are there already before those that are new."""
    order = {kind: number for number, kind in enumerate(LayerKind)}
    return sorted(layers, key=lambda layer: (order[layer.kind], layer.is_new))
