"""All versions of a small project, released undisturbed in one universe, and cut off in others: what each came to."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from random import Random
from statistics import median
from typing import Any

from chaos.cycle import PATIENCE, Cut, Cycle
from chaos.lanes import Lanes, open_lanes
from chaos.machine import Machine
from chaos.project import IMAGES, make_history
from chaos.reference import Reference
from chaos.stage import Figures, Stage
from chaos.universe import Universe
from chaos.watcher import Watcher
from chaos.wires import Wires
from kfp_release.errors import ReleaseError

Drawn = tuple[Cut, int | None]
"""What cuts a release off, and in which of the four commands, if it is done by these."""
_ELSEWHERE = 0.4
"""How many are completed by another machine."""
_LANES = 4
"""Releases at a time: most of one is waiting."""
_REPOSITORIES = [f"team/{image}" for image in IMAGES[-1:]]


class History:
    """`rows` has each release that was cut off, `broken` the promises that were not kept."""

    def __init__(self, stage: Stage, versions: int) -> None:
        self.rows: list[dict[str, Any]] = []
        self.broken: list[str] = []
        self._stage = stage
        self._repository = stage.folder / "repository"
        self._versions = make_history(self._repository, versions)
        self._references: dict[str, Reference] = {}
        self._host = ""
        self._watched: Counter[str] = Counter()
        self._unpullable = 0
        self._gap = 0.0

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

    def release_cut(self, number: int, draw: Callable[[Random, Reference], Drawn]) -> None:
        """Every version once more, in universe `number`, each cut off once by what is drawn, and completed."""
        random = self._stage.random("universe", number)
        references = random.sample(sorted(self._references.items()), len(self._references))
        drawn = [
            Cycle(one, cut, random.random() < _ELSEWHERE, command)
            for _, one in references
            for cut, command in [draw(random, one)]
        ]

        def release(cycle: Cycle, wires: Wires) -> dict[str, Any]:
            folder = self._stage.folder / "machines" / f"{number}-{cycle.reference.version}"
            row = cycle.run(folder, self._repository, universe, wires)
            shutil.rmtree(folder)
            return {"universe": number, **row}

        with self._universe(number) as (universe, lanes):
            rows = lanes.each(release, drawn)
            public = universe.everything(_REPOSITORIES)
        self.rows += rows
        self.broken += [f"{row['version']}, {row['cut']}: {one}" for row in rows for one in row["problems"]]
        expected = {
            name: one for _, reference in references for name, one in reference.there.public.items() if "@" not in name
        }
        if public != expected:
            self.broken.append(f"universe {number} ends with {sorted(public.items() ^ expected.items())}")

    @property
    def struck(self) -> list[dict[str, Any]]:
        """Rows of releases that were running until they were cut off."""
        return [row for row in self.rows if row["struck"]]

    @property
    def steps(self) -> frozenset[str]:
        """All steps of undisturbed releases."""
        return frozenset(step for reference in self._references.values() for step in reference.seconds)

    @property
    def figures(self) -> Figures:
        """What came of all."""
        return {
            "ended otherwise": sum(bool(row["problems"]) for row in self.rows),
            "files without their image": self._unpullable,
            "by commands of their own": dict(Counter(row["command"] for row in self.struck)),
            "completed elsewhere": sum(row["elsewhere"] for row in self.struck),
            "ended before": len(self.rows) - len(self.struck),
            **self._watched,
            "seconds without a sample at most": self._gap,
            "landed in": {
                **dict(Counter(row["landed"] for row in self.struck).most_common()),
                **dict.fromkeys(self.steps - {row["landed"] for row in self.struck}, 0),
            },
            "seconds of a step undisturbed": self._medians(),
        }

    def _medians(self) -> Mapping[str, float]:
        """By step, over all releases that have it."""
        seconds: dict[str, list[float]] = {}
        for reference in self._references.values():
            for step, took in reference.seconds.items():
                seconds.setdefault(step, []).append(took)
        return {step: round(median(took), 3) for step, took in seconds.items()}

    @contextmanager
    def _universe(self, number: int) -> Iterator[tuple[Universe, Lanes]]:
        """One with the runtime that most versions share, watched in the block."""
        with (
            Universe(self._stage.folder / f"universe-{number}", host=self._host) as universe,
            open_lanes(self._stage.folder, universe.environ, count=_LANES) as lanes,
        ):
            folder = self._stage.folder / "machines" / f"{number}-runtime"
            machine = Machine(folder, self._repository, f"v{self._versions[1]}", universe.environ)
            attempt = machine.run("runtime", "--create-repository")
            if attempt.end(PATIENCE):
                raise ReleaseError(f"the runtime was not built:\n{attempt.said}")
            machine.remove()
            with Watcher(universe.environ) as watcher:
                yield universe, lanes
        self._watched += Counter({"samples": watcher.samples, "files followed": watcher.followed})
        self._gap = max(self._gap, round(watcher.gap, 2))
        self._unpullable += len(watcher.violations)
        self.broken += watcher.violations
        shutil.rmtree(universe.folder)
