"""Layers and plots are drawn to scale, whether there are three versions or two hundred."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from catalog_samples import images, ordinary

from kfp_release.catalog.image_model import LayerKind
from kfp_release.catalog.layer_picture import WIDTH, layer_picture
from kfp_release.catalog.over_time import over_time_context
from kfp_release.catalog.plot import BOTTOM, LEFT, RIGHT, TOP, bars, timeline

BEGIN = datetime(2025, 1, 3, tzinfo=UTC)


def test_layers_are_as_wide_as_they_are_large_and_beside_each_other() -> None:
    image = images("1.1", 1)[0]
    bands = layer_picture(image, scale=2 * image.size).bands
    assert [(band.kind, band.count, band.is_new) for band in bands] == [
        (LayerKind.BASE, 3, False),
        (LayerKind.DEPENDENCIES, 1, False),
        (LayerKind.PACKAGE, 1, True),
    ]
    for band in bands[:2]:
        assert band.width == pytest.approx(WIDTH * band.size / (2 * image.size), abs=0.1)
    assert bands[1].left == pytest.approx(bands[0].width, abs=0.1)


def test_a_thin_layer_is_drawn_wider_and_it_is_told() -> None:
    image = images("1.1", 1)[0]
    picture = layer_picture(image, scale=image.size)
    assert [band.is_widened for band in picture.bands] == [False, False, True]
    assert picture.is_widened
    assert picture.bands[-1].width == 3
    assert picture.bands[-1].left + picture.bands[-1].width <= WIDTH


def test_an_image_without_bytes_has_a_picture() -> None:
    image = images("1.1", 1)[0]
    empty = replace(image, layers=tuple(replace(layer, size=0) for layer in image.layers))
    assert all(0 <= band.left <= WIDTH for band in layer_picture(empty, scale=0).bands)
    assert layer_picture(replace(image, layers=()), scale=0).bands == ()


@pytest.mark.parametrize("count", [1, 3, 200, 400])
def test_bars_stand_within_the_axes(count: int) -> None:
    plot = bars(("demo", "training"), [(f"1.{number}", (10**6 * (number + 1), 5 * 10**6)) for number in range(count)])
    assert [path.path.count("M") for path in plot.series] == [count, count]
    for path in plot.series:
        for x, y, width, top in re.findall(r"M([\d.]+) ([\d.]+)h([\d.]+)V([\d.]+)h", path.path):
            assert LEFT - 0.1 <= float(x) <= float(x) + float(width) <= RIGHT + 0.2
            assert TOP <= float(top) < float(y) <= BOTTOM
    assert 1 <= len(plot.labels) <= 12
    assert plot.labels[-1].label == f"1.{count - 1}"


def test_bars_are_as_high_as_their_bytes() -> None:
    plot = bars(("a", "b"), [("1.0", (0, 0)), ("1.1", (250, 750))])
    assert [tick.label for tick in plot.heights] == ["0", "250 B", "500 B", "750 B", "1 kB"]
    lower, upper = (re.fullmatch(r"M\S+ ([\d.]+)h\S+V([\d.]+)h\S+z", path.path) for path in plot.series)
    assert lower is not None
    assert upper is not None
    assert float(lower[1]) == BOTTOM
    assert lower[2] == upper[1]
    assert float(upper[2]) == TOP


def test_a_bar_that_is_higher_than_the_axis_is_cut_and_told() -> None:
    plot = bars(("a", "b"), [("1.0", (900, 900)), ("1.1", (250, 750))], most=1000)
    assert [tick.label for tick in plot.heights][-1] == "1 kB"
    assert [(tick.at, tick.label) for tick in plot.cut] == [(LEFT + (RIGHT - LEFT) / 4, "1.8 kB")]
    tops = [float(top) for path in plot.series for top in re.findall(r"V([\d.]+)", path.path)]
    assert min(tops) == TOP
    assert bars(("a",), [("1.0", (900,)), ("1.1", (250,))]).cut == ()


def test_what_the_first_version_pulls_does_not_set_the_scale_of_the_others() -> None:
    pulls = over_time_context(ordinary())["pulls"]
    assert [tick.label for tick in pulls.cut] == ["177 MB"]
    assert pulls.heights[-1].label == "150 MB"
    only = replace(ordinary(), versions=ordinary().versions[-1:])
    assert over_time_context(only)["pulls"].cut == ()


@pytest.mark.parametrize("most", [0, 1, 7, 999, 1000, 123_456_789, 10**12])
def test_heights_are_round_and_few(most: int) -> None:
    ticks = bars(("a",), [("1.0", (most,))]).heights
    assert 2 <= len(ticks) <= 7
    assert len({tick.label for tick in ticks}) == len(ticks)


def test_the_timeline_rises_by_one_at_each_time() -> None:
    plot = timeline([(BEGIN + timedelta(days=30 * number), "plain") for number in range(4)])
    assert [dot.x for dot in plot.dots] == sorted({dot.x for dot in plot.dots})
    assert [dot.y for dot in plot.dots] == sorted({dot.y for dot in plot.dots}, reverse=True)
    assert plot.dots[-1].y == TOP
    assert [tick.label for tick in plot.heights] == ["0", "1", "2", "3", "4"]
    assert [tick.label for tick in plot.times] == ["2025-02", "2025-03", "2025-04"]


@pytest.mark.parametrize(
    ("days", "labels"),
    [
        (0, ["2025-01-03"]),
        (5, ["2025-01-03", "2025-01-08"]),
        (20, ["2025-01-03", "2025-01-23"]),
        (365 * 30, ["2030", "2035", "2040", "2045", "2050"]),
    ],
)
def test_times_are_days_months_or_years(days: int, labels: list[str]) -> None:
    plot = timeline([(BEGIN, "plain"), (BEGIN + timedelta(days=days), "gone")])
    assert [tick.label for tick in plot.times] == labels
    assert all(LEFT <= tick.at <= RIGHT for tick in plot.times)
