"""The console: progress on stderr, as bars on a terminal and as plain lines elsewhere, and how long each step took."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self, TextIO

from kfp_release.errors import ReleaseError

SUMMARY, OUTPUT = "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"


class Display(Protocol):
    """What draws; see `kfp_release.progress.Progress` for the first three."""

    def step(self, text: str) -> None: ...  # noqa: D102 - as in Progress

    def note(self, text: str) -> None: ...  # noqa: D102

    def sent(self, what: str, done: int, total: int) -> None: ...  # noqa: D102

    def close(self) -> None:
        """Leave the terminal in order."""


@dataclass(frozen=True, slots=True)
class StepTime:
    """One step, and how long it took in seconds."""

    step: str
    seconds: float


class Console:
    """The `Progress` that people see. Safe to call from several threads; a context manager, left when all is done."""

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        environ: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Draw on `stream`, stderr if it is not given."""
        self._display = _display(sys.stderr if stream is None else stream, environ, clock)
        self._clock = clock
        self._lock = threading.RLock()
        self._steps: list[tuple[str, float]] = []
        self._ended: float | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._ended = self._clock()
            self._display.close()

    def step(self, text: str) -> None:
        """A new step begins; the one before it has ended."""
        with self._lock:
            self._steps.append((text, self._clock()))
            self._display.step(text)

    def note(self, text: str) -> None:
        """Something worth knowing, one line."""
        with self._lock:
            self._display.note(text)

    def sent(self, what: str, done: int, total: int) -> None:
        """`done` of `total` bytes of `what` are sent."""
        with self._lock:
            self._display.sent(what, done, total)

    @property
    def times(self) -> tuple[StepTime, ...]:
        """The steps so far, in order; the last one until now, or until the console was left."""
        with self._lock:
            now = self._clock() if self._ended is None else self._ended
            ends = [began for _, began in self._steps[1:]] + [now]
            return tuple(StepTime(text, end - began) for (text, began), end in zip(self._steps, ends, strict=False))


def write_summary(markdown: str, environ: Mapping[str, str]) -> None:
    """Append to the summary of a GitHub Actions step; nothing where ``$GITHUB_STEP_SUMMARY`` is not set.

    Raise `ReleaseError` where its file cannot be written.
    """
    _append(SUMMARY, markdown.rstrip("\n") + "\n\n", environ)


def write_output(name: str, text: str, environ: Mapping[str, str]) -> None:
    """Set an output of a GitHub Actions step, one line; nothing where ``$GITHUB_OUTPUT`` is not set.

    Raise `ReleaseError` where its file cannot be written.
    """
    _append(OUTPUT, f"{name}={text}\n", environ)


def _append(variable: str, text: str, environ: Mapping[str, str]) -> None:
    name = environ.get(variable)
    if not name:
        return
    try:
        with Path(name).open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise ReleaseError(
            f"{variable} names {name}, which cannot be written: {error.strerror}", remedy=f"unset {variable}"
        ) from error


def _display(stream: TextIO, environ: Mapping[str, str], clock: Callable[[], float]) -> Display:
    """Bars need a terminal that can move its cursor."""
    if stream.isatty() and environ.get("TERM", "dumb") != "dumb" and not environ.get("CI"):
        from kfp_release.progress_bars import ProgressBars  # noqa: PLC0415 - half of rich, for terminals alone

        return ProgressBars(stream, clock)
    from kfp_release.progress_lines import ProgressLines  # noqa: PLC0415 - likewise

    return ProgressLines(stream, clock)
