"""What a command found or did: tables for a person, on a terminal and in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

from rich import box
from rich.console import Console as Terminal
from rich.table import Table as RichTable
from rich.text import Text

from kfp_release.package_files._operators.safe_text import markdown_code, markdown_text
from kfp_release.terminal_text import one_line, printable

_WIDE = 1000
"""Columns where no terminal limits them: what is piped on must not be folded."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns. The first column is what a row is about."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
        """Each row has a cell for each column."""
        return cls(tuple(columns), tuple(tuple(row) for row in rows))

    def markdown(self) -> str:
        """As a table of GitHub Flavored Markdown, hashes and names as code."""
        lines = [self.columns, tuple("---" for _ in self.columns), *(map(_code, row) for row in self.rows)]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)

    def show(self, terminal: Terminal) -> None:
        """Draw it."""
        table = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
        for number, column in enumerate(self.columns):
            table.add_column(column, overflow="fold", style="cyan" if number == 0 else "")
        for row in self.rows:
            table.add_row(*(Text(one_line(cell)) for cell in row))
        with terminal.capture() as drawn:
            terminal.print(table)
        # What is copied or piped on ends where its text does.
        terminal.file.write("\n".join(line.rstrip() for line in drawn.get().split("\n")))


@dataclass(frozen=True, slots=True)
class Report:
    """A headline, tables, and what may be done next."""

    title: str
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()
    good: bool = True
    """Whether the command did what it was asked for."""

    def show(self, stream: TextIO) -> None:
        """Write it to `stream`, drawn if that is a terminal."""
        terminal = Terminal(file=stream, width=None if stream.isatty() else _WIDE, highlight=False)
        terminal.print(Text(one_line(self.title), style="bold green" if self.good else "bold red"))
        for table in self.tables:
            if table.rows:
                table.show(terminal)
        for note in self.notes:
            terminal.print(Text(printable(note)))

    def markdown(self) -> str:
        """For a summary."""
        parts = [f"### {markdown_text(self.title)}"]
        parts += [table.markdown() for table in self.tables if table.rows]
        parts += [markdown_text(note) for note in self.notes]
        return "\n\n".join(parts) + "\n"


def _code(cell: str) -> str:
    return markdown_code(cell, None)
