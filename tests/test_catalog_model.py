"""What a catalog counts over all images of a version, and which version it calls the newest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from catalog_samples import digest, ordinary, version

from kfp_release.catalog.image_model import CatalogLayer, LayerKind
from kfp_release.catalog.model import CatalogFile, CatalogVersion
from kfp_release.catalog.over_time import over_time_context
from kfp_release.catalog.site import render


def layer(name: str, size: int, *, is_new: bool = True) -> CatalogLayer:
    return CatalogLayer(LayerKind.BASE, digest(name), size, is_new)


def sharing() -> CatalogVersion:
    """Two images with one base, of which a node has a part, and one package layer."""
    one = ordinary().by_version()[version("2.0")]
    first, second = one.images
    shared = (layer("base", 100_000, is_new=False), layer("update", 20_000))
    return replace(
        one,
        images=(
            replace(first, layers=(*shared, layer("own", 3_000), layer("package", 400))),
            replace(second, layers=(*shared, layer("other", 50_000), layer("package", 400))),
        ),
    )


def test_layers_that_images_share_count_once() -> None:
    one = sharing()
    assert (one.size, one.pulled) == (173_400, 73_400)
    assert [image.size for image in one.images] == [123_400, 170_400]


def test_the_pages_and_plots_count_them_once() -> None:
    catalog = replace(ordinary(), versions=(sharing(),))
    (row,) = over_time_context(catalog)["rows"]
    assert (row.sizes, row.added, row.pulled) == ((123_400, 170_400), (123_400, 50_000), (23_400, 50_000))
    site = render(catalog)
    assert b"<dt>To pull</dt><dd>73.4 kB of 173 kB</dd>" in site["versions/2.0.html"]
    assert b'<td class="number">73.4 kB</td>' in site["over-time.html"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda file: replace(file, is_yanked=True),
        lambda file: replace(file, is_readable=False),
        lambda file: replace(file, project="kubeflow-demo-extra"),
    ],
    ids=["yanked", "unreadable", "another project's"],
)
def test_a_version_without_a_sound_file_is_not_what_pip_takes(spoil: Callable[[CatalogFile], CatalogFile]) -> None:
    catalog = ordinary()
    assert catalog.newest == catalog.by_version()[version("2.0")]
    versions = tuple(
        replace(one, files=tuple(map(spoil, one.files))) if str(one.version) == "2.0" else one
        for one in catalog.versions
    )
    found = replace(catalog, versions=versions).newest
    assert found == catalog.by_version()[version("1.2")]
    alone = replace(catalog, versions=versions[1:2], components=())
    assert alone.newest == versions[1]
    assert b"pip takes" not in render(alone)["over-time.html"]


def test_of_a_version_that_nobody_was_asked_about_no_file_is_wanted() -> None:
    unasked = replace(ordinary().by_version()[version("2.0")], state=None, files=())
    assert replace(ordinary(), versions=(unasked,)).newest == unasked
