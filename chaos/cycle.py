"""One release that is cut off once and then completed by the same command, there or on another machine."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from chaos.attempt import Attempt
from chaos.machine import Machine
from chaos.outside import Outside
from chaos.reference import Reference
from chaos.universe import Universe
from chaos.wires import Wires

PATIENCE = 180.0
"""Seconds after which a release hangs."""


class Cut(Protocol):
    """What cuts a release off."""

    @property
    def environ(self) -> Mapping[str, str]:
        """Variables of the release that is cut off."""

    @property
    def names(self) -> re.Pattern[str]:
        """What the error of a release that it ended has to say of it."""

    @property
    def bound(self) -> float:
        """Seconds within which a release that it has struck ends by itself."""

    def home(self, folder: Path) -> AbstractContextManager[None]:
        """What has to be so of the machines' `folder` while they live."""

    def strike(self, attempt: Attempt, wires: Wires) -> float | None:
        """Let it happen, wait for the attempt's end, and put it right.

        The second at which it happened, as `time.monotonic` has it, to a release that was running until then.
        """


@dataclass(frozen=True, slots=True)
class Cycle:
    """What is released, what happens to it, and whether another machine completes it."""

    reference: Reference
    cut: Cut
    elsewhere: bool
    command: int | None = None
    """Of the four commands that do the same as ``release``, from 0 on, that which is cut off; None for ``release``."""

    def run(self, folder: Path, repository: Path, universe: Universe, wires: Wires) -> dict[str, Any]:
        """Do all of it in `folder`: a row, whose `problems` are the promises that were not kept."""
        folder.mkdir(parents=True)
        with self.cut.home(folder):
            return self._run(folder, repository, universe, wires)

    def _run(self, folder: Path, repository: Path, universe: Universe, wires: Wires) -> dict[str, Any]:
        outside, tag = universe.outside(), f"v{self.reference.version}"
        environ = universe.environ | wires.environ
        machine = Machine(folder / "first", repository, tag, environ)
        commands = machine.commands(apart=self.command is not None)
        number = self.command or 0
        early = list(self._ran(machine, commands[:number]))
        attempt = machine.run(*commands[number], environ=self.cut.environ)
        seconds = None
        try:
            at = self.cut.strike(attempt, wires)
            struck = at is not None
            seconds = None if at is None else round(attempt.ended - at, 2)
            problems = list(self._disliked(attempt, seconds))
        except TimeoutError:
            struck, problems = True, [f"it did not end within {PATIENCE:.0f} s: {attempt.said[-2000:]}"]
        landed = attempt.steps[-1][0]
        if self.elsewhere:
            machine = Machine(folder / "second", repository, tag, environ)
        there = self.reference.look(outside)
        wires.begin()
        problems = [*early, *problems, *self._end(machine, outside)]
        problems += there.sent_again(wires.calls)
        return {
            "version": self.reference.version,
            "cut": str(self.cut),
            "struck": struck,
            "seconds to its end": seconds,
            "landed": landed,
            "ended": attempt.error or f"exit code {attempt.code}",
            "elsewhere": self.elsewhere,
            "command": commands[number][0],
            "problems": problems,
        }

    def _disliked(self, attempt: Attempt, seconds: float | None) -> Iterator[str]:
        """What was wrong about the end of a release, which was struck these seconds before."""
        if seconds is None and attempt.code != 0:
            yield f"it failed by itself, with exit code {attempt.code}: {attempt.said[-2000:]}"
            return
        yield from attempt.unclear(self.cut.names)
        if seconds is not None and seconds > self.cut.bound:
            yield f"it ended after {seconds:.1f} s, and its bound is {self.cut.bound:.0f} s"

    def _ran(self, machine: Machine, commands: Sequence[tuple[str, ...]]) -> Iterator[str]:
        """Run these one after the other; where one did not end well, a line, and those after it are not run."""
        for command in commands:
            attempt = machine.run(*command)
            try:
                code = attempt.end(PATIENCE)
            except TimeoutError:
                yield f"{command[0]} did not end within {PATIENCE:.0f} s"
                return
            if code:
                yield f"{command[0]} ended with exit code {code}: {attempt.said[-2000:]}"
                return

    def _end(self, machine: Machine, outside: Outside) -> Iterator[str]:
        yield from self._ran(machine, machine.commands(apart=self.command is not None))
        yield from self.reference.differences(self.reference.look(outside), machine.record)
        yield from machine.problems()
