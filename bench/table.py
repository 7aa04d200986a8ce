"""Results as a Markdown table."""

from __future__ import annotations

from collections.abc import Iterable

from bench.figure import Figure
from bench.goals import Held, Unit
from bench.results import Results

_KILO, _MEGA = 1000, 1_000_000
_FEW = 10


def markdown(results: Results) -> str:
    """A row a figure: both medians, their ratio, how far the pairs spread, the goal, and whether it is met.

    What a row has to say besides comes after the table.
    """
    head = ("figure", "this project", "baseline", "ratio", "of the pairs", "goal", "")
    remarks = [(figure.goal.title, _remark(figure, results.pairs[figure.goal.row])) for figure in results.figures]
    notes = [f"- {title}: {remark}\n" for title, remark in remarks if remark]
    return _table(head, (_cells(figure) for figure in results.figures)) + "".join(["\n", *notes] if notes else [])


def short(results: Results) -> str:
    """The same without what only an expert asks for."""
    chosen = [figure for figure in results.figures if figure.goal.held is not Held.NOTHING]
    head = ("figure", "this project", "baseline", "ratio", "goal", "")
    return _table(head, ((*cells[:4], *cells[5:]) for cells in map(_cells, chosen)))


def told(value: float, unit: Unit) -> str:
    """A value for people: ``48.2 kB``, ``131 MB``, ``5.21 s``."""
    if unit is Unit.BYTES:
        scale, name = (_MEGA, " MB") if value >= _MEGA else (_KILO, " kB") if value >= _KILO else (1, " bytes")
        return f"{_digits(value / scale)}{name}"
    return f"{_digits(value)} {unit}".rstrip()


def ratio_text(ratio: float | None) -> str:
    """``0.0672``; ``1/2,740`` where it is less than a hundredth."""
    if ratio is None:
        return ""
    return f"1/{1 / ratio:,.0f}" if 0 < ratio < 1 / 100 else _digits(ratio)


def _remark(figure: Figure, pairs: int) -> str:
    """What the row says of it, and of how many measurements it is where that is not how many `pairs` the row has."""
    ours, baseline = len(figure.values.ours), len(figure.values.baseline)
    texts = [figure.values.note]
    texts += [_counted(ours)] if ours != pairs else []
    texts += [f"the baseline: {_counted(baseline)}"] if baseline not in {0, ours} else []
    return "; ".join(text for text in texts if text)


def _counted(count: int) -> str:
    return "one measurement" if count == 1 else f"median of {count} measurements"


def _cells(figure: Figure) -> tuple[str, ...]:
    goal, unit = figure.goal, figure.goal.unit
    most = goal.most if goal.held is not Held.NOTHING else None
    wanted = "" if most is None else f"≤ {told(most, unit) if goal.held is Held.OURS else ratio_text(most)}"
    spread = "" if figure.ratios is None else " to ".join(ratio_text(ratio) for ratio in figure.ratios)
    baseline = "" if figure.baseline is None else told(figure.baseline, unit)
    return (goal.title, told(figure.ours, unit), baseline, ratio_text(figure.ratio), spread, wanted, figure.verdict)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" if number == 0 else "---:" for number in range(len(head))), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _digits(value: float) -> str:
    """Three digits that count."""
    if value == int(value):
        return f"{value:,.0f}"
    for least, decimals in ((100, 0), (_FEW, 1), (1, 2), (0.1, 3)):
        if abs(value) >= least:
            return f"{value:,.{decimals}f}"
    return f"{value:.3g}"
