"""Charts as SVG to stand in a page of HTML, in that page's colours and type."""

from __future__ import annotations

import io
import os
import re
import tempfile
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

_INK, _FAINT = "#010101", "#020202"
_SERIES = ("#030301", "#030302", "#030303", "#030304", "#030305", "#030306")
_COLOURS = {_INK: "var(--ink)", _FAINT: "var(--faint)"} | {
    colour: f"var(--series-{number})" for number, colour in enumerate(_SERIES, 1)
}
"""Drawn in what no chart has by itself, and then replaced by what the page says: it may be light or dark."""
_NO_XML = re.compile("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\ufffe\\uffff]")
MOST_CURVES = len(_SERIES)
_STYLE: dict[Any, Any] = {
    "axes.edgecolor": _FAINT,
    "axes.labelcolor": _INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 11,
    "grid.color": _FAINT,
    "grid.alpha": 0.35,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "kubeflow-demo-components",
    "text.color": _INK,
    "text.parse_math": False,  # a dollar in a column's name is a dollar
    "xtick.color": _INK,
    "ytick.color": _INK,
}


def roc_chart(actual: Any, likelihoods: Any, classes: tuple[Any, ...]) -> str:
    """How many are found, against how many are taken for such: a curve a class, of two classes the second's alone."""
    from sklearn.metrics import auc, roc_curve  # noqa: PLC0415 - only the image has it

    figure, axes = _begin("false positive rate", "true positive rate")
    first = 1 if len(classes) == len(("no", "yes")) else 0
    for number, name in list(enumerate(classes))[first : first + MOST_CURVES]:
        false, true, _ = roc_curve(actual == name, likelihoods[:, number])
        axes.plot(false, true, color=_SERIES[number - first], linewidth=2, label=f"{auc(false, true):.3f}  {name}")
    axes.plot([0, 1], [0, 1], color=_FAINT, linewidth=1, linestyle="--")
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    axes.legend(loc="lower right", title="area under the curve", alignment="left")
    return _svg(figure, "The receiver operating characteristic of each class")


def agreement_chart(actual: Any, predicted: Any, target: str) -> str:
    """What was predicted, against what it is: a point a row."""
    figure, axes = _begin(f"{target} as it is", f"{target} as predicted")
    axes.scatter(actual, predicted, s=22, color=_SERIES[0], alpha=0.55, linewidths=0)
    ends = [min(actual.min(), predicted.min()), max(actual.max(), predicted.max())]
    axes.plot(ends, ends, color=_FAINT, linewidth=1, linestyle="--")
    return _svg(figure, "Each row as it was predicted, against what it is")


def importance_chart(importances: Mapping[str, float]) -> str:
    """A bar a column, the longest first."""
    figure, axes = _begin("score lost without it", "")
    names = list(importances)
    axes.barh(range(len(names)), list(importances.values()), color=_SERIES[0], height=0.62)
    axes.set_yticks(range(len(names)), [name if len(name) <= 28 else f"{name[:27]}…" for name in names])  # noqa: PLR2004 - letters
    axes.invert_yaxis()
    axes.locator_params(axis="x", nbins=6)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    return _svg(figure, "How much of the score is lost where a column's values are shuffled")


def _begin(x_label: str, y_label: str) -> tuple[Any, Any]:
    # What it makes of the machine's fonts goes with the process: a container's home may not be written to.
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("MPLCONFIGDIR", folder)
        import matplotlib as mpl  # noqa: PLC0415 - only the image has it
        from matplotlib.figure import Figure  # noqa: PLC0415 - likewise

    mpl.rcParams.update(_STYLE)
    figure = Figure(figsize=(6.2, 4.6), layout="constrained")
    axes = figure.subplots()
    axes.set(xlabel=x_label, ylabel=y_label)
    axes.grid(visible=True)
    axes.set_axisbelow(True)
    return figure, axes


def _svg(figure: Any, label: str) -> str:
    buffer = io.StringIO()
    figure.savefig(
        buffer, format="svg", transparent=True, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type"))
    )
    # matplotlib writes what XML has no form for as it is.
    drawing = ET.fromstring(_NO_XML.sub("\N{REPLACEMENT CHARACTER}", buffer.getvalue()))  # noqa: S314 - its own
    for element in drawing.iter():
        # In a page of HTML there are no namespaces.
        element.tag = element.tag.rpartition("}")[2]
        element.attrib = {_plain(name): _of_the_page(value) for name, value in element.attrib.items()}
        for style in element.findall("{*}style"):
            element.remove(style)
        if element.tag == "g":
            element.attrib.pop("id", None)  # two drawings on the page would have the same
    # The page's style says how large it is.
    drawing.attrib = {"role": "img", "aria-label": label, "viewBox": drawing.attrib["viewBox"]}
    return ET.tostring(drawing, encoding="unicode")


def _plain(name: str) -> str:
    return name.replace("{http://www.w3.org/1999/xlink}", "xlink:")


def _of_the_page(value: str) -> str:
    """An attribute's value in the page's colours and type."""
    value = re.sub("|".join(_COLOURS), lambda found: _COLOURS[found[0]], value)
    return re.sub(r"font-family: [^;]*; ", "", value)
