"""What a part of chaos is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from kfp_release.progress import Progress

Figures = Mapping[str, int | float | Mapping[str, int | float]]
"""Counts and measures by name, those of the last line first."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a part plays, and how long."""

    folder: Path
    """Its own; it may leave there what it likes."""
    seed: int
    short: bool
    """Whether it is to take seconds, as in `make test`, and not minutes."""
    progress: Progress

    def random(self, *of: object) -> Random:
        """Chance that is the same for the same seed, whatever else was drawn: `of` names what it is for."""
        return Random(repr((self.seed, *of)))


@dataclass(frozen=True, slots=True)
class Result:
    """What a part found."""

    figures: Figures
    broken: tuple[str, ...]
    """Every promise that was not kept, a line each."""
    rows: Sequence[Mapping[str, Any]] = ()
    """One of each thing that was tried."""
