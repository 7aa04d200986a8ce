"""The pages of a catalog."""

from __future__ import annotations

import html
from collections.abc import Mapping

from kfp_release.catalog.model import Catalog


def render(catalog: Catalog) -> Mapping[str, bytes]:
    """Each file of the site, by its path."""
    rows = "".join(
        f"<li>{html.escape(component.operator)}: {html.escape(component.purpose)}" for component in catalog.components
    )
    title = html.escape(catalog.distribution)
    return {"index.html": f"<!doctype html><title>{title}</title><h1>{title}</h1><ul>{rows}</ul>\n".encode()}
