"""A trace as a table for a terminal, as Markdown for a pull request, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .catalog import Catalog
from .image_name import ImageName
from .safe_text import LONGEST_CELL, markdown_code, markdown_text, one_line, printable
from .tracing import Trace, Traced

HEADINGS = ("task", "component", "version", "commit", "image", "digest", "state")
_SHORT = 12
_MOST_NAMED = 5
_INSTALL = "install a released version"


def trace_json(trace: Trace, catalog: Catalog) -> dict[str, Any]:
    """Everything in full; null for what is not known or not there."""
    pins = catalog.pins
    return {
        "distribution": catalog.distribution,
        "version": pins.version if pins else None,
        "commit": (pins.commit if pins else "") or None,
        **tasks_json(trace),
    }


def tasks_json(trace: Trace) -> dict[str, Any]:
    """The pipeline's part of it."""
    return {
        "pipeline": trace.pipeline,
        "good": trace.is_good,
        "totals": dict(trace.totals),
        "tasks": [
            {
                "task": task.task,
                "component": task.component,
                "image": task.image or None,
                "digest": ImageName.parse(task.image).digest or None,
                "version": task.origin.version or None,
                "commit": task.origin.commit or None,
                "state": task.origin.state,
                "why": task.origin.why or None,
                "good": task.is_good,
            }
            for task in trace.tasks
        ],
    }


def trace_table(trace: Trace, catalog: Catalog) -> str:
    """A row a task, the totals, and why a task is flagged."""
    rows = [HEADINGS, *(tuple(one_line(cell, LONGEST_CELL) or "-" for cell in row(task)) for task in trace.tasks)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    told = (f"{trace.pipeline}: {totals(trace)}", installation(catalog), *notes(trace))
    return printable("\n".join([*lines, "", *map(one_line, told)]))


def trace_markdown(trace: Trace, catalog: Catalog) -> str:
    """The same as GitHub Flavored Markdown; the state of what is flagged is bold."""
    lines = ["| " + " | ".join(HEADINGS) + " |", "|" + " --- |" * len(HEADINGS)]
    for task in trace.tasks:
        *cells, state = row(task)
        shown = state if task.is_good else f"**{state}**"
        lines.append("| " + " | ".join([*map(markdown_code, cells), shown]) + " |")
    parts = [f"### {markdown_text(trace.pipeline)}: {totals(trace)}", "\n".join(lines)]
    parts.append("\n".join(f"- {markdown_text(note)}" for note in (installation(catalog), *notes(trace))))
    return "\n\n".join(parts)


def row(task: Traced) -> tuple[str, ...]:
    """A cell for each of `HEADINGS`, empty for what is not known."""
    image, origin = ImageName.parse(task.image), task.origin
    short = "{{…}}" if "{{" in task.image else image.at(image.repository).partition("@")[0].rpartition("/")[2]
    digest = image.digest.removeprefix("sha256:")[:_SHORT]
    return task.task, task.component or "", origin.version, origin.commit[:_SHORT], short, digest, origin.state


def totals(trace: Trace) -> str:
    """How many tasks there are, and in which states."""
    count = len(trace.tasks)
    counted = ", ".join(f"{number} {state}" for state, number in trace.totals.items())
    return f"{count} task{'s' * (count != 1)}" + (f": {counted}" if counted else "")


def installation(catalog: Catalog) -> str:
    """What the pipeline was held against."""
    pins = catalog.pins
    if pins is None:
        return f"held against {catalog.distribution} in {catalog.folder}, which has no pins: {_INSTALL}"
    commit = f" of commit {pins.commit}" if pins.commit else ""
    return f"held against {catalog.distribution} {pins.version}{commit}"


def notes(trace: Trace) -> Iterator[str]:
    """A line for each image of which there is more to be said, and what else is to be known."""
    for (image, state, why), tasks in trace.remarks.items():
        more = f" and {len(tasks) - _MOST_NAMED} more" if len(tasks) > _MOST_NAMED else ""
        yield f"{state}: {image or 'no image'}: {why} ({', '.join(tasks[:_MOST_NAMED])}{more})"
    if own := trace.own:
        runs = "1 task runs" if own == 1 else f"{own} tasks run"
        yield f"{runs} a known image with a command that is none of its components'"
    versions = sorted({task.origin.version for task in trace.tasks if task.origin.version})
    if len(versions) > 1:
        yield f"{len(versions)} versions: {', '.join(versions)}"
