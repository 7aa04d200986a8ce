"""Progress as plain lines, for logs: bytes are told when there is news, not at every call."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

from rich.filesize import decimal

from kfp_release.terminal_text import one_line

EVERY_PART = 0.1
"""Of the total, between two lines on the same thing."""
EVERY_SECONDS = 5.0
QUIET_SECONDS = 0.5
"""At most one line in this time, however fast the parts go."""


@dataclass(slots=True)
class _Told:
    began: float
    at: float
    done: int


class ProgressLines:
    """Writes lines to `stream`. The caller sees to it that one thread calls at a time."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._began = clock()
        self._told: dict[str, _Told] = {}

    def step(self, text: str) -> None:
        """One line, with the seconds since the beginning."""
        self._told.clear()
        self._write(f"[{self._clock() - self._began:6.1f} s] {one_line(text)}")

    def note(self, text: str) -> None:
        """One line."""
        self._write(f"           {one_line(text)}")

    def sent(self, what: str, done: int, total: int) -> None:
        """A line at the end, and before it one each tenth or every five seconds."""
        now = self._clock()
        told = self._told.get(what)
        if told is None:
            told = self._told[what] = _Told(now, now, 0)
        if told.done >= total > 0:
            return
        waited, grown = now - told.at, done - told.done
        due = waited >= EVERY_SECONDS or (waited >= QUIET_SECONDS and grown >= EVERY_PART * total)
        if done < total and not due:
            return
        told.at, told.done = now, done
        share = f"{done / total:4.0%} of {decimal(total)}" if total else decimal(done)
        speed = f", {decimal(int(done / (now - told.began)))}/s" if now - told.began > QUIET_SECONDS else ""
        self.note(f"{what}: {share}{speed}")

    def close(self) -> None:
        """Nothing is left to be written."""

    def _write(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()
