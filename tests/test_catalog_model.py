"""What a catalog counts over all images of a version."""

from __future__ import annotations

from dataclasses import replace

from catalog_samples import digest, ordinary, version

from kfp_release.catalog.image_model import CatalogLayer, LayerKind
from kfp_release.catalog.model import CatalogVersion
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
