"""What the template of the page over time is given: a row and three plots of all versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kfp_release.catalog.image_model import CatalogImage, distinct_layers
from kfp_release.catalog.model import Catalog, CatalogVersion
from kfp_release.catalog.page_name import version_page
from kfp_release.catalog.plot import bars, timeline
from kfp_release.catalog.shown_text import amount, moment_of
from kfp_release.catalog.state_words import StateWords, state_words

_SERIES = 5
"""Images that a plot tells apart; further ones are one."""
_PLOTTED = 400
"""Versions in a plot: a bar is to be wider than a pixel."""


@dataclass(frozen=True, slots=True)
class Row:
    """A version in the table and in the plots, with bytes by the page's names of images."""

    version: CatalogVersion
    words: StateWords
    sizes: tuple[int, ...]
    """Of whole images."""
    added: tuple[int, ...]
    """Without the layers that an image before has too, so that they make the version's size."""
    pulled: tuple[int, ...]
    """Of these what is to be pulled."""


def over_time_context(catalog: Catalog) -> Mapping[str, Any]:
    """Rows, the newest first, and plots, of what is known."""
    names = list(dict.fromkeys(image.name for version in catalog.versions for image in version.images))
    told = tuple(names[:_SERIES]) + (("others",) if len(names) > _SERIES else ())
    rows = [_row(version, names, len(told)) for version in catalog.versions]
    plotted = [row for row in reversed(rows[:_PLOTTED]) if any(row.sizes)]
    labels = [str(row.version.version) for row in plotted]
    # A first version is pulled whole: beside it all others would look like nothing.
    later = max((sum(row.pulled) for row in plotted[1:]), default=0)
    return {
        "names": told,
        "rows": rows,
        "timeline": _timeline(catalog.versions),
        "undated": sum(not moment_of(version.released) for version in catalog.versions),
        "bars": "\n".join(map(_bar, plotted)),
        "sizes": bars(told, list(zip(labels, (row.added for row in plotted), strict=True))) if plotted else None,
        "pulls": bars(told, list(zip(labels, (row.pulled for row in plotted), strict=True)), most=later)
        if plotted
        else None,
    }


def _bar(row: Row) -> str:
    """What a bar tells and leads to, for the script: the table may have fewer rows than there are bars."""
    numbers = [*row.sizes, sum(row.pulled)]
    told = [amount(number) if number else "—" for number in numbers]
    return "\t".join([str(row.version.version), version_page(row.version.version), *told])


def _row(version: CatalogVersion, names: Sequence[str], count: int) -> Row:
    columns: list[list[CatalogImage]] = [[] for _ in range(count)]
    for image in version.images:
        columns[min(names.index(image.name), count - 1)].append(image)
    layers = [distinct_layers(images) for images in columns]
    of_column = {digest: place for place in reversed(range(count)) for digest in layers[place]}
    added = [
        [layer for digest, layer in found.items() if of_column[digest] == place] for place, found in enumerate(layers)
    ]
    return Row(
        version,
        state_words(version.state),
        sizes=tuple(sum(layer.size for layer in found.values()) for found in layers),
        added=tuple(sum(layer.size for layer in found) for found in added),
        pulled=tuple(sum(layer.size for layer in found if layer.is_new) for found in added),
    )


def _timeline(versions: Sequence[CatalogVersion]) -> Any:
    dated = [(moment, _kind(version)) for version in versions if (moment := moment_of(version.released))]
    return timeline(sorted(dated)) if dated else None


def _kind(version: CatalogVersion) -> str:
    if not version.is_installable:
        return "gone"
    return "breaking" if version.is_breaking else "plain"
