"""Progress on a terminal: a line a step, and a bar with bytes and speed for what is being sent."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

from rich.console import Console as Terminal
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn
from rich.text import Text

from kfp_release.terminal_text import one_line


class ProgressBars:
    """Draws on `stream`, a terminal, and moves only while bytes are sent: children may write to it in between.

    The caller sees to it that one thread calls at a time.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._terminal = Terminal(file=stream, highlight=False)
        self._clock = clock
        self._began = clock()
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def step(self, text: str) -> None:
        """One line, with the seconds since the beginning."""
        self.close()
        elapsed = f"{self._clock() - self._began:6.1f} s  "
        self._show(Text.assemble((elapsed, "dim"), (one_line(text), "bold")))

    def note(self, text: str) -> None:
        """One line, above the bars."""
        self._show(Text(f"          {one_line(text)}", style="dim"))

    def sent(self, what: str, done: int, total: int) -> None:
        """Move the bar of `what`; the bars go when all of them are full."""
        if self._bars is None:
            self._bars = Progress(
                TextColumn("          {task.description}", markup=False),
                BarColumn(),
                DownloadColumn(),
                TransferSpeedColumn(),
                console=self._terminal,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._bars.start()
        if what not in self._tasks:
            self._tasks[what] = self._bars.add_task(one_line(what), total=total)
        self._bars.update(self._tasks[what], completed=done, total=total)
        if self._bars.finished:
            self.close()

    def close(self) -> None:
        """Leave the bars as they are, and the cursor below them."""
        bars, self._bars = self._bars, None
        self._tasks.clear()
        if bars is not None:
            bars.stop()

    def _show(self, line: Text) -> None:
        # The terminal folds a long line, so that a digest or a path can be copied out of it whole.
        self._terminal.print(line, soft_wrap=True)
