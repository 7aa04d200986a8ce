"""Releases that are killed at any instant, and run again to the end that they would have had.

All versions of a small project are released in one universe without a disturbance. Then they are released in others,
each killed once with all that it started; the same command completes it, on that machine or on another with a fresh
clone and an empty cache. What is public then, and release.json, are compared to the byte with the first universe;
nothing that was public may have been sent again. A watcher follows what the index offers all the time.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from statistics import median
from typing import Any

from chaos.cycle import PATIENCE, Cycle
from chaos.instant import draw
from chaos.lanes import Lanes, open_lanes
from chaos.machine import Machine
from chaos.project import IMAGES, make_history
from chaos.reference import Reference
from chaos.stage import Result, Stage
from chaos.universe import Universe
from chaos.watcher import Watcher
from chaos.wires import Wires
from kfp_release.errors import ReleaseError

_ELSEWHERE = 0.4
"""How many are completed by another machine."""
_SHORT, _LONG = (3, 6), (20, 200)
"""Versions, and how many releases are killed at least."""
_REPOSITORIES = [f"team/{image}" for image in IMAGES[-1:]]


def run(stage: Stage) -> Result:
    """Kill as many as `_LONG` or `_SHORT` say."""
    versions, enough = _SHORT if stage.short else _LONG
    kills = _Kills(stage, versions)
    kills.release_undisturbed()
    for number in count(1):
        if (killed := sum(row["struck"] for row in kills.rows)) >= enough:
            break
        stage.progress.step(f"universe {number}: {killed} of {enough} releases were killed")
        kills.release_killed(number)
    return kills.result()


class _Kills:
    """All universes of one history."""

    def __init__(self, stage: Stage, versions: int) -> None:
        self.rows: list[dict[str, Any]] = []
        self._stage = stage
        self._repository = stage.folder / "repository"
        self._versions = make_history(self._repository, versions)
        self._references: dict[str, Reference] = {}
        self._host = ""
        self._broken: list[str] = []
        self._unpullable = 0
        self._watched: Counter[str] = Counter()

    def release_undisturbed(self) -> None:
        """In the first universe, what all others are compared with."""
        self._stage.progress.step(f"universe 0: {len(self._versions)} releases that nothing happens to")

        def release(version: str, wires: Wires) -> Reference:
            folder = self._stage.folder / "machines" / version
            machine = Machine(folder, self._repository, f"v{version}", universe.environ | wires.environ)
            wires.begin()
            attempt = machine.release()
            if attempt.end(PATIENCE):
                raise ReleaseError(f"a release that nothing happened to failed:\n{attempt.said}")
            reference = Reference.of(version, machine, attempt, wires.calls, universe.outside())
            machine.remove()
            return reference

        with self._universe(0) as (universe, lanes):
            self._references = {one.version: one for one in lanes.each(release, self._versions)}
            self._host = universe.host

    def release_killed(self, number: int) -> None:
        """Every version once more in another universe, each killed once and completed."""
        random = self._stage.random("kills", number)
        references = random.sample(sorted(self._references.items()), len(self._references))
        drawn = [Cycle(one, draw(random, one), random.random() < _ELSEWHERE) for _, one in references]

        def release(cycle: Cycle, wires: Wires) -> dict[str, Any]:
            folder = self._stage.folder / "machines" / f"{number}-{cycle.reference.version}"
            row = cycle.run(folder, self._repository, universe, wires)
            shutil.rmtree(folder)
            return {"universe": number, **row}

        with self._universe(number) as (universe, lanes):
            rows = lanes.each(release, drawn)
            public = universe.everything(_REPOSITORIES)
        self.rows += rows
        self._broken += [f"{row['version']}, {row['cut']}: {one}" for row in rows for one in row["problems"]]
        expected = {name: one for _, reference in references for name, one in reference.there.public.items()}
        if public != expected:
            self._broken.append(f"universe {number} ends with {sorted(public.items() ^ expected.items())}")

    def result(self) -> Result:
        """What came of all."""
        struck = [row for row in self.rows if row["struck"]]
        figures = {
            "killed": len(struck),
            "ended otherwise": sum(bool(row["problems"]) for row in self.rows),
            "files without their image": self._unpullable,
            "completed elsewhere": sum(row["elsewhere"] for row in struck),
            "ended before they were killed": len(self.rows) - len(struck),
            **self._watched,
            "landed in": dict(Counter(row["landed"] for row in struck).most_common()),
            "seconds of a step undisturbed": _medians(self._references.values()),
        }
        return Result(figures, tuple(self._broken), self.rows)

    @contextmanager
    def _universe(self, number: int) -> Iterator[tuple[Universe, Lanes]]:
        """One with the runtime that most versions share, watched in the block."""
        with (
            Universe(self._stage.folder / f"universe-{number}", host=self._host) as universe,
            open_lanes(self._stage.folder, universe.environ) as lanes,
        ):
            folder = self._stage.folder / "machines" / f"{number}-runtime"
            machine = Machine(folder, self._repository, f"v{self._versions[-1]}", universe.environ)
            attempt = machine.run("runtime", "--create-repository")
            if attempt.end(PATIENCE):
                raise ReleaseError(f"the runtime was not built:\n{attempt.said}")
            machine.remove()
            with Watcher(universe.environ) as watcher:
                yield universe, lanes
        self._watched += Counter({"samples": watcher.samples, "files followed": watcher.followed})
        self._unpullable += len(watcher.violations)
        self._broken += watcher.violations
        shutil.rmtree(universe.folder)


def _medians(references: Iterable[Reference]) -> Mapping[str, float]:
    """By step, over all releases that have it."""
    seconds: dict[str, list[float]] = {}
    for reference in references:
        for step, took in reference.seconds.items():
            seconds.setdefault(step, []).append(took)
    return {step: round(median(took), 3) for step, took in seconds.items()}
