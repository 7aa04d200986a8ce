"""The pages of a catalog: the components, each component, each version, and all versions over time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from importlib.resources import files
from typing import Any

from kfp_release.catalog.component_pages import component_context, home_context
from kfp_release.catalog.model import Catalog
from kfp_release.catalog.over_time import over_time_context
from kfp_release.catalog.page import page
from kfp_release.catalog.page_name import component_page, version_page
from kfp_release.catalog.version_pages import version_context

HOME = "index.html"
OVER_TIME = "over-time.html"
ICON = "icon.svg"


def render(catalog: Catalog) -> Mapping[str, bytes]:
    """Each file of the site, by its path."""
    return dict(_files(catalog))


def _files(catalog: Catalog) -> Iterator[tuple[str, bytes]]:
    make = partial(_page, catalog)
    yield ICON, (files("kfp_release.catalog") / "templates" / ICON).read_bytes()
    yield HOME, make("home.html", 0, home_context(catalog))
    yield OVER_TIME, make("over-time.html", 0, over_time_context(catalog))
    for component in catalog.components:
        context = component_context(catalog, component)
        yield component_page(component.operator), make("component.html", 1, context)
    for place, version in enumerate(catalog.versions):
        yield version_page(version.version), make("version.html", 1, version_context(catalog, version, place))


def _page(catalog: Catalog, template: str, depth: int, context: Mapping[str, Any]) -> bytes:
    return page(template, depth=depth, catalog=catalog, newest=catalog.newest, **context)
