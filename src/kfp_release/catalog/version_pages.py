"""What the template of a version's page is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kfp_release.catalog.image_model import CatalogImage, LayerKind
from kfp_release.catalog.layer_picture import layer_picture
from kfp_release.catalog.markdown import changelog_html
from kfp_release.catalog.model import Catalog, CatalogVersion
from kfp_release.catalog.state_words import state_words
from kfp_release.interface_change import InterfaceChange
from kfp_release.version_bump import is_enough


def version_context(catalog: Catalog, version: CatalogVersion, place: int) -> Mapping[str, Any]:
    """The version at this place of the catalog, its neighbours, its changes by operator and its images."""
    versions = catalog.versions
    scale = max((image.size for image in version.images), default=0)
    html, more = changelog_html(version.changelog, source=catalog.source, commit=version.commit, folder=catalog.folder)
    return {
        "version": version,
        "newer": versions[place - 1] if place else None,
        "older": versions[place + 1] if place + 1 < len(versions) else None,
        "words": state_words(version.state),
        "operators": catalog.by_operator(),
        "changes": _by_operator(version),
        "is_enough": version.previous is None or is_enough(version.previous, version.version, version.bump),
        "changelog": html,
        "changelog_more": more,
        "images": [(image, layer_picture(image, scale=scale), _rows(image)) for image in version.images],
    }


def _by_operator(version: CatalogVersion) -> list[tuple[str, list[InterfaceChange]]]:
    """Operators with a breaking change first, and of each the breaking ones."""
    found: dict[str, list[InterfaceChange]] = {}
    for change in sorted(version.changes, key=lambda change: not change.is_breaking):
        found.setdefault(change.operator, []).append(change)
    return list(found.items())


def _rows(image: CatalogImage) -> list[tuple[LayerKind, int, int, int]]:
    """Of each kind of layer how many there are, their bytes, and those that a node has to pull."""
    of_kind = [(kind, [layer for layer in image.layers if layer.kind is kind]) for kind in LayerKind]
    return [
        (kind, len(layers), sum(one.size for one in layers), sum(one.size for one in layers if one.is_new))
        for kind, layers in of_kind
        if layers
    ]
