"""What an installation is told whose components do not name exact images, and how to get one whose do."""

from __future__ import annotations

from .catalog import Catalog

INDEX_LABEL = "Index"
"""The label in ``[project.urls]`` of the index that has the releases."""


def half_pin(catalog: Catalog) -> str | None:
    """What is not certain about what runs; None where every image is pinned by its digest."""
    pins = catalog.pins
    if pins is None:
        return (
            f"the components are those of the folder {catalog.folder} and name their image without tag and digest, "
            "so what runs is not certain"
        )
    inexact = catalog.inexact
    if not inexact:
        return None
    if not {image for images in inexact.values() for image in images}.isdisjoint(pins.images.values()):
        return (
            f"version {pins.version} was built outside a release: its components name their image by a tag alone, "
            "which can move or be missing"
        )
    name, images = next(iter(inexact.items()))
    more = f" and {len(inexact) - 1} more" if len(inexact) > 1 else ""
    if not images:
        return f"version {pins.version} was built without {name}{more}, so what runs is not certain"
    has = "have" if more else "has"
    return f"{name}{more} of version {pins.version} {has} no digest: {images[0]} can move or be missing"


def released(catalog: Catalog) -> str:
    """The command that puts a released version in this one's place."""
    # pip takes a version that is there for good enough, and one of a checkout for newer than all that are released.
    return f"pip install --force-reinstall --no-deps --index-url {_index(catalog.distribution)} {catalog.distribution}"


def _index(distribution: str) -> str:
    from importlib import metadata  # noqa: PLC0415 - for a warning alone

    try:
        urls = metadata.metadata(distribution).get_all("Project-URL") or []
    except metadata.PackageNotFoundError:  # files without an installation
        urls = []
    begin = f"{INDEX_LABEL}, "
    return next((str(url).removeprefix(begin) for url in urls if url.startswith(begin)), "<your index>")
