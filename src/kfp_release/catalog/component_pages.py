"""What the templates of the home page and of a component's page are given."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kfp_release.catalog.model import Catalog, CatalogComponent
from kfp_release.catalog.shown_text import visible

_SEARCHED = 600
"""Letters of one component that the search looks at, besides its names and types."""
_LONGEST = 100
"""Letters of a type or an image by which the filters tell it from others."""


@dataclass(frozen=True, slots=True)
class Found:
    """A component on the home page: what the search looks at, and what the filters."""

    component: CatalogComponent
    searched: str
    """In lower case."""
    filtered: str
    """JSON: the types of its inputs and of its outputs, and its image."""


def home_context(catalog: Catalog) -> Mapping[str, Any]:
    """The components in their three lists, and what the filters offer, each with its number."""
    components = catalog.components
    here = [one for one in components if not one.is_gone and not one.is_coming]
    return {
        "lists": {
            "here": [_found(one) for one in here],
            "coming": [_found(one) for one in components if one.is_coming and not one.is_gone],
            "gone": [_found(one) for one in components if one.is_gone],
        },
        "input_types": _counted({port.type for port in one.inputs} for one in components),
        "output_types": _counted({port.type for port in one.outputs} for one in components),
        "images": _counted({one.image} for one in components),
    }


def component_context(catalog: Catalog, component: CatalogComponent) -> Mapping[str, Any]:
    """The component, and the version that it is shown as of."""
    return {
        "component": component,
        "version": catalog.by_version().get(component.version),
        "known": catalog.by_version(),
        "operators": catalog.by_operator(),
    }


def _kind(name: str) -> str:
    """A type or an image as the filters know it."""
    return str(visible(name[:_LONGEST]))


def _counted(kinds: Iterable[set[str]]) -> Sequence[tuple[str, int]]:
    counter = Counter(kind for names in kinds for kind in set(map(_kind, names)) if kind)
    return sorted(counter.items(), key=lambda item: item[0].lower())


def _found(component: CatalogComponent) -> Found:
    ports = [(port.name, port.type) for port in component.inputs]
    ports += [(port.name, port.type) for port in component.outputs]
    names = [component.title, component.operator, component.image, *(f"{name} {type_}" for name, type_ in ports)]
    searched = " ".join([" ".join(names)[:_SEARCHED], component.description[:_SEARCHED]])
    filtered = {
        "in": sorted({_kind(port.type) for port in component.inputs}),
        "out": sorted({_kind(port.type) for port in component.outputs}),
        "image": _kind(component.image),
    }
    return Found(component, " ".join(searched.lower().split()), json.dumps(filtered, ensure_ascii=False))
