"""Every parser of what comes from outside, with thousands of hostile cases each.

Nothing but a `ReleaseError` may come out of one, and none may take seconds. What they are given is in `chaos.hostile`.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from multiprocessing import get_context
from random import Random
from typing import Any, Self

from chaos.hostile.parser import Parser
from chaos.hostile.table import PARSERS
from chaos.stage import Result, Stage
from kfp_release.errors import ReleaseError

_SHORT, _LONG = 20, 10_000
"""Cases of each parser."""
_PART = 1000
"""Cases that a process is given at once."""
_PROCESSES = 2
_PATIENCE = 20.0
"""Seconds for one case, on a machine that has other things to do as well. Most take a millisecond."""
_MEMORY, _HOUR = 2 << 30, 3600
"""Bytes, and seconds, that a process has for all its cases."""
_SHOWN = 300
"""Letters of an input that broke something."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of some cases of one parser."""

    name: str
    cases: int
    read: int
    """Those that it took for sound; it refused the others, or broke."""
    broken: int
    smallest: str
    """The shortest case that broke it, and how; empty where none did."""
    slowest: float
    """In seconds."""
    memory: int
    """MiB that its process had at most."""

    @classmethod
    def together(cls, parts: Sequence[Self]) -> Self:
        """All that was tried on one parser."""
        return cls(
            parts[0].name,
            cases=sum(part.cases for part in parts),
            read=sum(part.read for part in parts),
            broken=sum(part.broken for part in parts),
            smallest=min((part.smallest for part in parts if part.smallest), key=len, default=""),
            slowest=max(part.slowest for part in parts),
            memory=max(part.memory for part in parts),
        )

    def problems(self) -> list[str]:
        """What this says of promises that are not kept, a line each."""
        lines = []
        if self.broken:
            lines.append(f"{self.name}: {self.broken} of {self.cases:,} cases, such as {self.smallest}")
        if self.slowest > _PATIENCE:
            lines.append(f"{self.name}: a case took {self.slowest:.1f} s")
        if not self.read:
            lines.append(f"{self.name}: none of {self.cases:,} cases was sound, so little of it was tried")
        return lines


def run(stage: Stage) -> Result:
    """Try as many cases of each parser as `_LONG` or `_SHORT` say."""
    count = _SHORT if stage.short else _LONG
    stage.progress.step(f"{len(PARSERS)} parsers, {count:,} cases each")
    parts = [(name, range(count)[first : first + _PART]) for name in PARSERS for first in range(0, count, _PART)]
    with ProcessPoolExecutor(_PROCESSES, mp_context=get_context("spawn"), initializer=_bounded) as pool:
        rows = []
        for name, tried in groupby(pool.map(partial(_try_named, stage.seed), parts), key=lambda part: part.name):
            rows.append(Tried.together(list(tried)))
            stage.progress.note(f"{name}: {rows[-1].cases:,} cases, {rows[-1].broken} broke it")
    return result_of(rows)


def result_of(rows: Sequence[Tried]) -> Result:
    """What all of it comes to."""
    figures = {
        "parsers": len(rows),
        "cases": sum(row.cases for row in rows),
        "exceptions other than ReleaseError": sum(row.broken for row in rows),
        "fewest cases of a parser": min(row.cases for row in rows),
        "read as sound": sum(row.read for row in rows),
        "seconds of the slowest case": round(max(row.slowest for row in rows), 3),
        "MiB at most": max(row.memory for row in rows),
    }
    broken = tuple(line for row in rows for line in row.problems())
    return Result(figures, broken, [_row(row) for row in rows])


def try_cases(name: str, parser: Parser, numbers: Iterable[int], *, seed: int) -> Tried:
    """Make the cases of these numbers, which are the same for the same seed, and have `parser` read them."""
    cases = read = broken = 0
    smallest, slowest = "", 0.0
    for number in numbers:
        case = parser.make(Random(repr((seed, "parsers", name, number))))
        began = time.perf_counter()
        cases += 1
        try:
            parser.run(case)
            read += 1
        except ReleaseError:
            pass
        except Exception as error:  # noqa: BLE001 - this is what is looked for
            broken += 1
            smallest = min(smallest, _shown(case, error), key=len) if smallest else _shown(case, error)
        slowest = max(slowest, time.perf_counter() - began)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return Tried(name, cases, read, broken, smallest, slowest, memory)


def _bounded() -> None:
    """What would take the machine is an error in this process instead."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_HOUR, _HOUR))


def _try_named(seed: int, part: tuple[str, range]) -> Tried:
    name, numbers = part
    return try_cases(name, PARSERS[name], numbers, seed=seed)


def _shown(case: Any, error: Exception) -> str:
    text = ascii(case)
    end = f"... ({len(text):,} letters)" if len(text) > _SHOWN else ""
    return f"{type(error).__name__} ({str(error)[:_SHOWN]!a}) of {text[:_SHOWN]}{end}"


def _row(tried: Tried) -> dict[str, Any]:
    return {
        "parser": tried.name,
        "cases": tried.cases,
        "read": tried.read,
        "broken": tried.broken,
        "slowest": round(tried.slowest, 3),
    }
