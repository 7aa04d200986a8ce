"""Every parser of what comes from outside, with thousands of hostile cases each.

Nothing but a `ReleaseError` may come out of one, and none may take seconds. What they are given is in `chaos.hostile`.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from random import Random
from typing import Any

from chaos.alarm import Overdue, alarm
from chaos.hostile.parser import Parser
from chaos.hostile.table import PARSERS
from chaos.stage import Result, Stage
from kfp_release.errors import ReleaseError

_SHORT, _LONG = 20, 10_000
"""Distinct cases of each parser, and draws of them at least."""
_MORE = 5
"""How many draws there are at most for a distinct case: chance brings some again."""
_PROCESSES = 2
_PATIENCE = 20.0
"""Seconds for one case, on a machine that has other things to do as well. Most take a millisecond."""
_MEMORY, _HOUR = 2 << 30, 3600
"""Bytes, and seconds, that a process has for all its cases."""
_ENOUGH = 1000
"""Cases among which there should be a sound one."""
_SHOWN = 300
"""Letters of an input that broke something."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of some cases of one parser."""

    name: str
    cases: int
    distinct: int
    """Those that no other was the same as; it was given each of them once."""
    read: int
    """Those of them that it took for sound; it refused the others, or broke."""
    broken: int
    smallest: str
    """The shortest case that broke it, and how; empty where none did."""
    slowest: float
    """In seconds."""
    memory: int
    """MiB that its process had at most."""

    def problems(self) -> list[str]:
        """What this says of promises that are not kept, a line each."""
        lines = []
        if self.broken:
            lines.append(f"{self.name}: {self.broken} of {self.distinct:,} cases, such as {self.smallest}")
        if self.slowest > _PATIENCE:
            lines.append(f"{self.name}: a case took {self.slowest:.1f} s")
        if not self.read and self.distinct >= _ENOUGH:
            lines.append(f"{self.name}: none of {self.distinct:,} cases was sound, so little of it was tried")
        return lines


def run(stage: Stage) -> Result:
    """Try as many distinct cases of each parser as `_LONG` or `_SHORT` say, if chance brings so many."""
    count = _SHORT if stage.short else _LONG
    stage.progress.step(f"{len(PARSERS)} parsers, {count:,} cases each")
    rows = []
    with ProcessPoolExecutor(_PROCESSES, mp_context=get_context("spawn"), initializer=_bounded) as pool:
        futures = {pool.submit(_try_named, name, count, stage.seed): name for name in PARSERS}
        for future in as_completed(futures):
            try:
                rows.append(future.result())
            except BrokenProcessPool:
                names = ", ".join(name for each, name in futures.items() if not each.done() or each.exception())
                raise ReleaseError(f"a process ended at the cases of one of these: {names}") from None
            stage.progress.note(f"{rows[-1].name}: {rows[-1].distinct:,} cases, {rows[-1].broken} broke it")
    return result_of(sorted(rows, key=lambda row: list(PARSERS).index(row.name)))


def result_of(rows: Sequence[Tried]) -> Result:
    """What all of it comes to."""
    figures = {
        "parsers": len(rows),
        "cases": sum(row.cases for row in rows),
        "exceptions other than ReleaseError": sum(row.broken for row in rows),
        "fewest cases of a parser": min(row.cases for row in rows),
        "fewest distinct": min(row.distinct for row in rows),
        "read as sound": sum(row.read for row in rows),
        "seconds of the slowest case": round(max(row.slowest for row in rows), 3),
        "MiB at most": max(row.memory for row in rows),
    }
    broken = tuple(line for row in rows for line in row.problems())
    return Result(figures, broken, [_row(row) for row in rows])


def try_cases(name: str, parser: Parser, count: int, *, seed: int, patience: float = _PATIENCE) -> Tried:
    """Draw `count` cases or more, the same for the same seed, until as many are distinct; `parser` reads those.

    One that takes longer than `patience` seconds is cut off, and has broken it.
    """
    seen: set[int] = set()
    draws = read = 0
    told: list[str] = []
    slowest = 0.0
    while draws < count or (len(seen) < count and draws < count * _MORE):
        case = parser.make(Random(repr((seed, "parsers", name, draws))))
        draws += 1
        mark = hash(repr(case))
        if mark in seen:
            continue
        seen.add(mark)
        began = time.perf_counter()
        try:
            with alarm(patience):
                parser.run(case)
            read += 1
        except ReleaseError:
            pass
        except (Exception, Overdue) as error:  # noqa: BLE001 - this is what is looked for
            told.append(_shown(case, error))
        slowest = max(slowest, time.perf_counter() - began)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return Tried(name, draws, len(seen), read, len(told), min(told, key=len, default=""), slowest, memory)


def _bounded() -> None:
    """What would take the machine is an error in this process instead."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_HOUR, _HOUR))


def _try_named(name: str, count: int, seed: int) -> Tried:
    return try_cases(name, PARSERS[name], count, seed=seed)


def _shown(case: Any, error: BaseException) -> str:
    text = ascii(case)
    end = f"... ({len(text):,} letters)" if len(text) > _SHOWN else ""
    return f"{type(error).__name__} ({str(error)[:_SHOWN]!a}) of {text[:_SHOWN]}{end}"


def _row(tried: Tried) -> dict[str, Any]:
    return {
        "parser": tried.name,
        "cases": tried.cases,
        "distinct": tried.distinct,
        "read": tried.read,
        "broken": tried.broken,
        "slowest": round(tried.slowest, 3),
    }
