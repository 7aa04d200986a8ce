"""A kill: SIGKILL to the release and all that it started, at an instant or at a request."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from random import Random

from chaos.attempt import Attempt
from chaos.cycle import PATIENCE
from chaos.instant import AtRequest, InStep
from chaos.reference import Reference
from chaos.wires import Moment, Wires

_NOTHING = re.compile("(?!)")
_IN_STEPS = 0.5
"""How many are killed in steps; the others at requests."""


@dataclass(frozen=True, slots=True)
class Kill:
    """As a machine dies, then."""

    at: InStep | AtRequest

    @property
    def environ(self) -> Mapping[str, str]:
        """As `chaos.cycle.Cut` has it."""
        return {}

    @property
    def names(self) -> re.Pattern[str]:
        """As `chaos.cycle.Cut` has it: what is killed says nothing, and nothing else ends it."""
        return _NOTHING

    @property
    def bound(self) -> float:
        """As `chaos.cycle.Cut` has it."""
        return PATIENCE

    def home(self, _folder: Path) -> AbstractContextManager[None]:
        """Nothing is needed."""
        return nullcontext()

    def strike(self, attempt: Attempt, wires: Wires) -> float | None:
        """As `chaos.cycle.Cut` has it."""
        at = self.at
        then: list[float] = []
        if isinstance(at, InStep):
            wires.begin()
            at.wait(attempt)
            then.append(time.monotonic())
            attempt.kill()
        else:

            def happen(moment: Moment) -> None:
                if at.fits(moment):
                    then.append(time.monotonic())
                    attempt.kill()
                    raise ConnectionAbortedError

            wires.begin(happen)
        attempt.end(PATIENCE)
        return then[0] if attempt.killed else None

    def __str__(self) -> str:
        return f"killed {self.at}"


def draw_kill(random: Random, reference: Reference) -> Kill:
    """Half of them in steps, half at requests."""
    kind = InStep if random.random() < _IN_STEPS else AtRequest
    return Kill(kind.draw(random, reference))
