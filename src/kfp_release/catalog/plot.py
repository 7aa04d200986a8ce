"""Plots of all versions: where axes, bars and dots are. The templates draw them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from kfp_release.catalog.shown_text import amount, clipped

LEFT, RIGHT, TOP, BOTTOM = 64, 788, 14, 190
"""The edges of what is plotted, in a picture 800 wide and 220 high."""
_TICKS = 4
_LABELS = 12
_LETTERS = 9
"""Of a label: so many have room beside each other."""
_WIDEST, _THIN = 36, 4
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120)


@dataclass(frozen=True, slots=True)
class Tick:
    """A label at a place of an axis."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Series:
    """One kind of bar: its name, and all its bars as one path of SVG."""

    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars over versions, the oldest at the left; those of several series stand on each other."""

    series: tuple[Series, ...]
    labels: tuple[Tick, ...]
    heights: tuple[Tick, ...]
    step: float
    """From one bar to the next."""
    width: float
    cut: tuple[Tick, ...]
    """Bars that are higher than the axis, with what they stand for."""


@dataclass(frozen=True, slots=True)
class Dot:
    """One version at its time."""

    x: float
    y: float
    kind: str
    """``plain``, ``breaking`` or ``gone``."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """How many versions there were at each time."""

    line: str
    dots: tuple[Dot, ...]
    times: tuple[Tick, ...]
    heights: tuple[Tick, ...]


def bars(names: Sequence[str], columns: Sequence[tuple[str, Sequence[int]]], *, most: int = 0) -> Bars:
    """Of each version its label and a number of bytes for each of `names`; `most` is what the axis has to hold.

    All bars, where it is 0.
    """
    step = (RIGHT - LEFT) / max(len(columns), 1)
    width = min(step * 0.7 if step > _THIN else step + 0.1, _WIDEST)  # thin ones touch each other
    heights = _heights(most or max((sum(values) for _, values in columns), default=0))
    top = heights[-1][0] or 1
    paths: list[list[str]] = [[] for _ in names]
    for number, (_, values) in enumerate(columns):
        x, below = LEFT + step * (number + 0.5) - width / 2, 0
        for path, value in zip(paths, values, strict=True):
            low, high = _y(min(below, top), top), _y(min(below + value, top), top)
            if value and below < top:
                path.append(f"M{x:.1f} {low:.1f}h{width:.1f}V{min(high, low - 0.5):.1f}h-{width:.1f}z")
            below += value
    every = math.ceil(len(columns) / _LABELS)
    middles = [round(LEFT + step * (number + 0.5), 1) for number in range(len(columns))]
    labels = tuple(
        Tick(middles[number], clipped(label, _LETTERS))
        for number, (label, _) in enumerate(columns)
        if (len(columns) - 1 - number) % every == 0
    )
    cut = tuple(
        Tick(middle, amount(sum(values)))
        for middle, (_, values) in zip(middles, columns, strict=True)
        if sum(values) > top
    )
    series = tuple(Series(name, "".join(path)) for name, path in zip(names, paths, strict=True))
    ticks = tuple(Tick(_y(value, top), label) for value, label in heights)
    return Bars(series, labels, ticks, round(step, 3), round(width, 1), cut)


def timeline(moments: Sequence[tuple[datetime, str]]) -> Timeline:
    """Of each version its time, the oldest first, and its kind."""
    first, last = moments[0][0], moments[-1][0]
    span = (last - first).total_seconds() or 1.0
    top = _whole(len(moments))[-1]

    def x(moment: datetime) -> float:
        part = (moment - first).total_seconds() / span if last > first else 0.5
        return round(LEFT + 8 + part * (RIGHT - LEFT - 16), 1)

    dots = tuple(Dot(x(moment), _y(number, top), kind) for number, (moment, kind) in enumerate(moments, start=1))
    line = f"M{dots[0].x} {BOTTOM}" + "".join(f"H{dot.x}V{dot.y}" for dot in dots)
    times = tuple(Tick(x(moment), label) for moment, label in _times(first, last))
    return Timeline(line, dots, times, tuple(Tick(_y(value, top), str(value)) for value in _whole(len(moments))))


def _y(value: float, top: float) -> float:
    return round(BOTTOM - (BOTTOM - TOP) * value / top, 1)


def _heights(most: int) -> list[tuple[int, str]]:
    """Round numbers of bytes from 0 to at least `most`."""
    unit = 10 ** max(3 * ((len(str(most)) - 1) // 3), 0)
    step = math.ceil(_round_step(most / unit / _TICKS) * unit)
    count = max(math.ceil(most / step), 1)
    return [(number * step, _short(number * step)) for number in range(count + 1)]


def _short(size: int) -> str:
    return "0" if not size else amount(size).replace(".0 ", " ")


def _round_step(least: float) -> float:
    """1, 2, 2.5 or 5 times a power of ten, and no less than `least`."""
    power = 10.0 ** math.floor(math.log10(least)) if least > 0 else 1.0
    return next((factor * power for factor in (1, 2, 2.5, 5) if factor * power >= least * 0.999), 10 * power)


def _whole(most: int) -> list[int]:
    step = max(math.ceil(_round_step(most / _TICKS)), 1)
    return list(range(0, most + step, step))


def _times(first: datetime, last: datetime) -> Iterable[tuple[datetime, str]]:
    """Days, months or years between the two; their own days where that is too short."""
    days = (last - first).days
    if days < _LABELS:
        ends = dict.fromkeys([(first, f"{first:%Y-%m-%d}"), (last, f"{last:%Y-%m-%d}")])
        return list(ends)[:1] if first.date() == last.date() else list(ends)
    months = (last.year - first.year) * 12 + last.month - first.month
    step = next((step for step in _MONTHS if months / step <= _LABELS - 2), _MONTHS[-1])
    begin = first.year * 12 + first.month - 1
    found = []
    for number in range(begin - begin % step, begin + months + 1, step):
        moment = datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)
        if first <= moment <= last:
            found.append((moment, f"{moment:%Y}" if step % 12 == 0 else f"{moment:%Y-%m}"))
    return found or [(first, f"{first:%Y-%m-%d}"), (last, f"{last:%Y-%m-%d}")]
