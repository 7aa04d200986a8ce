"""The ratios of one run as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from bench.figure import MISSED, Figure
from bench.goals import Held
from bench.results import Results
from bench.table import ratio_text, told

_MET, _MISSED, _REPORTED = "#2a7f62", "#c0392b", "#7f8c8d"
_SMALLEST: Final = 1e-6
"""Where the bar of nothing at all, or less than that, ends: the scale is logarithmic."""
_DPI: Final = 110


def draw(results: Results, path: Path) -> None:
    """Write a PNG: a bar for each figure that has a baseline, and a mark where its goal is."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - slow, and not for every test
    from matplotlib.figure import Figure as Picture  # noqa: PLC0415 - likewise

    shown = [figure for figure in reversed(results.figures) if figure.ratio is not None]
    picture = Picture(figsize=(11, 1.4 + 0.42 * len(shown)), layout="constrained")
    FigureCanvasAgg(picture)
    axes = picture.subplots()
    for place, figure in enumerate(shown):
        ratio = max(figure.ratio or 0, _SMALLEST)
        axes.barh(place, ratio - 1, left=1, color=_color(figure), height=0.62)
        axes.text(max(ratio, 1) * 1.15, place, _words(figure), va="center", fontsize=8)
        if figure.goal.held is Held.RATIO:
            axes.plot([figure.goal.most] * 2, [place - 0.4, place + 0.4], color="black", linewidth=2)
    axes.margins(y=0.01)
    axes.set_xscale("log")
    ratios = [max(figure.ratio or 0, _SMALLEST) for figure in shown]
    axes.set_xlim(min([0.1, *ratios]) / 2, max([1.0, *ratios]) * 1000)
    axes.axvline(1, color="#34495e", linewidth=1, linestyle="--")
    axes.set_yticks(range(len(shown)), [figure.goal.title for figure in shown], fontsize=8)
    axes.set_xlabel("this project / baseline, medians of one run, logarithmic: left of 1 is less")
    axes.set_title("green: goal met · red: goal missed · grey: reported · black mark: goal of the ratio", fontsize=9)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    # No version and no date in it: the same results are the same picture.
    picture.savefig(path, dpi=_DPI, metadata={"Software": None})


def _color(figure: Figure) -> str:
    if figure.goal.held is Held.NOTHING:
        return _REPORTED
    return _MISSED if figure.verdict == MISSED else _MET


def _words(figure: Figure) -> str:
    unit, baseline = figure.goal.unit, figure.baseline or 0
    return f"{ratio_text(figure.ratio)}: {told(figure.ours, unit)}, baseline {told(baseline, unit)}"
