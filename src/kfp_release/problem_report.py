"""What a check found, for whoever reads it: lines of text, JSON, a part of a summary."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Self, TextIO

import click

from kfp_release.errors import Problem
from kfp_release.terminal_text import printable

SCHEMA = 1
_NAMED = 5
"""Files that the last line names."""


@dataclass(frozen=True, slots=True)
class ProblemReport:
    """Problems by file and line."""

    problems: tuple[Problem, ...]

    @classmethod
    def of(cls, problems: Iterable[Problem]) -> Self:
        """Each of them once, in order."""
        return cls(tuple(sorted(set(problems))))

    @property
    def errors(self) -> int:
        """How many of them refuse."""
        return sum(problem.severity == "error" for problem in self.problems)

    @property
    def title(self) -> str:
        """All of it in a line: ``2 errors, 1 warning in Dockerfile, yaml/train.yaml``."""
        if not self.problems:
            return "Nothing is wrong."
        warnings = len(self.problems) - self.errors
        counted = [
            f"{number} {what}{'s' * (number != 1)}"
            for number, what in ((self.errors, "error"), (warnings, "warning"))
            if number
        ]
        paths = sorted({problem.path for problem in self.problems})
        more = [f"and {len(paths) - _NAMED} more"] * (len(paths) > _NAMED)
        where = ", ".join([*paths[:_NAMED], *more])
        return ("" if self.errors else "Nothing is wrong: ") + f"{', '.join(counted)} in {where}"

    def show(self, stream: TextIO, *, colour: bool) -> None:
        """A problem after the other, and the line that counts them."""
        stream.writelines(_shown(problem, colour=colour) + "\n" for problem in self.problems)
        title = printable(self.title)
        end = click.style(title, fg="red" if self.errors else "green", bold=True) if colour else title
        stream.write(end + "\n")

    def to_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "schema": SCHEMA,
            "problems": [asdict(problem) for problem in self.problems],
            "errors": self.errors,
            "warnings": len(self.problems) - self.errors,
        }

    def markdown(self) -> str:
        """For a summary."""
        from kfp_release.report import Report, Table  # noqa: PLC0415 - brings rich, and only CI has a summary

        rows = [
            (f"{each.path}:{each.line}" if each.line else each.path, each.severity, each.message, each.remedy)
            for each in self.problems
        ]
        table = Table.of(("where", "is", "what", "what to do"), rows)
        return Report(self.title, (table,)).markdown()


def _shown(problem: Problem, *, colour: bool) -> str:
    text = printable(str(problem))
    if not colour:
        return text
    where, separator, rest = text.partition(": ")
    first, line_end, remedy = rest.partition("\n  → ")
    warning = first.startswith("warning: ")
    first = click.style("warning", fg="yellow", bold=True) + first.removeprefix("warning") if warning else first
    return click.style(where, bold=True) + separator + first + line_end + click.style(remedy, fg="cyan")
