"""Where the rows are played: one sandbox, one engine, and the two sides that have released a first version."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from bench.base import CompanyBase
from bench.baseline import Baseline
from bench.docker import Docker
from bench.ours import Ours
from bench.registry import Registry
from bench.side import Released, Side
from kfp_release.progress import Progress
from kfp_release.sandbox import Sandbox


@dataclass(frozen=True, slots=True)
class Sides:
    """What is compared."""

    ours: Ours
    baseline: Baseline

    @property
    def both(self) -> tuple[Side, Side]:
        """In the order in which a pair is measured."""
        return (self.ours, self.baseline)


@dataclass
class Stage:
    """Of one run. `pairs` replaces each row's own number of them."""

    folder: Path
    sandbox: Sandbox
    docker: Docker
    progress: Progress
    pairs: int | None = None
    released: Sides | None = None
    """The sides that a row has left with a first version."""
    _made: int = field(default=0, init=False)

    @property
    def registry(self) -> Registry:
        """What arrives."""
        return Registry(self.sandbox.folder)

    @property
    def environ(self) -> dict[str, str]:
        """What leads to the sandbox."""
        return self.sandbox.environ

    @cached_property
    def base(self) -> CompanyBase:
        """The base of both sides' images."""
        return CompanyBase(self.folder / "base", docker=self.docker, environ=self.environ)

    def count(self, usual: int) -> Iterator[int]:
        """The numbers of a row's pairs, from 1 on; each is told."""
        most = self.pairs or usual
        for number in range(1, most + 1):
            self.progress.note(f"{number} of {most}")
            yield number

    def make_sides(self) -> Sides:
        """Two sides that have released nothing, with repositories and distributions that nobody else has."""
        self._made += 1
        folder, number = self.folder / f"sides-{self._made}", self._made
        ours = Ours(
            folder / "ours",
            name=f"demo-components-{number}",
            registry=self.registry,
            environ={**self.environ, "KFP_RELEASE_BUILD_ARG_BASE": self.base.ref},
        )
        baseline = Baseline(
            folder / "baseline",
            name=f"demo-baseline-{number}",
            registry=self.registry,
            environ=self.environ,
            docker=self.docker,
            base=self.base,
            index_url=self.sandbox.pip_index_url,
        )
        return Sides(ours, baseline)

    def sides(self) -> Sides:
        """The sides with a first version, which both have released; made where no row has left them."""
        if self.released is None:
            self.progress.note("a first release of both, not measured")
            sides = self.make_sides()
            for side in sides.both:
                side.release_next()
            self.released = sides
        return self.released

    def told(self, side: Side, released: Released) -> Released:
        """Tell what a release took."""
        name = "ours" if isinstance(side, Ours) else "baseline"
        self.progress.note(f"{name}: {released.seconds:.1f} s, {released.bytes:,} bytes")
        return released
