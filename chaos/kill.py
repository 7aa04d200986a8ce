"""A kill: SIGKILL to the release and all that it started, at an instant or at a request."""

from __future__ import annotations

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

    def home(self, _folder: Path) -> AbstractContextManager[None]:
        """Nothing is needed."""
        return nullcontext()

    def strike(self, attempt: Attempt, wires: Wires) -> bool:
        """As `chaos.cycle.Cut` has it."""
        at = self.at
        if isinstance(at, InStep):
            wires.begin()
            at.wait(attempt)
            attempt.kill()
        else:

            def happen(moment: Moment) -> None:
                if at.fits(moment):
                    attempt.kill()
                    raise ConnectionAbortedError

            wires.begin(happen)
        attempt.end(PATIENCE)
        return attempt.killed

    def __str__(self) -> str:
        return f"killed {self.at}"


def draw_kill(random: Random, reference: Reference) -> Kill:
    """Half of them in steps, half at requests."""
    kind = InStep if random.random() < _IN_STEPS else AtRequest
    return Kill(kind.draw(random, reference))
