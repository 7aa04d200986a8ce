"""The instant at which a release is killed: drawn by chance, and the same for the same seed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from random import Random

from chaos.attempt import BEFORE, Attempt
from chaos.reference import Reference
from chaos.wires import Moment, Wires

_PATIENCE = 120.0
"""Seconds until a step begins, or an attempt that nothing happens to ends, on a machine with much else to do."""
_RUNTIME = {"runtime build", "runtime push"}
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class InStep:
    """Some seconds after a step has begun."""

    step: str
    seconds: float

    def strike(self, attempt: Attempt, wires: Wires) -> bool:
        """Wait for it, then kill. Whether the attempt was running until then."""
        wires.begin()
        if self.step == BEFORE or attempt.wait_for(self.step, _PATIENCE):
            time.sleep(self.seconds)
        attempt.kill()
        attempt.end(_PATIENCE)
        return attempt.killed

    def __str__(self) -> str:
        return f"{self.seconds:.3f} s into {self.step}"


@dataclass(frozen=True, slots=True)
class AtRequest:
    """When a request is about to reach the other side, or has, and its answer is lost."""

    number: int
    """Of all requests, from 1 on."""
    answered: bool

    def strike(self, attempt: Attempt, wires: Wires) -> bool:
        """Kill then. Whether there was such a request."""

        def happen(moment: Moment) -> None:
            if (moment.number, moment.answered) == (self.number, self.answered):
                attempt.kill()
                raise ConnectionAbortedError

        wires.begin(happen)
        attempt.end(_PATIENCE)
        return attempt.killed

    def __str__(self) -> str:
        return f"request {self.number}, {'its answer lost' if self.answered else 'on its way'}"


def draw(random: Random, reference: Reference) -> InStep | AtRequest:
    """Half of them at requests, half in steps: each step as often as another, however short it is.

    Requests that write come as often as those that look, which are many more; and where the release builds a runtime,
    which few do, its two steps as often as all others.
    """
    if random.random() < _HALF:
        writes = random.random() < _HALF
        numbers = [number for number, write in enumerate(reference.writes, 1) if write is writes]
        return AtRequest(random.choice(numbers), random.random() < _HALF)
    steps = sorted(reference.seconds)
    if of_runtime := [step for step in steps if step in _RUNTIME and random.random() < _HALF]:
        steps = of_runtime
    step = random.choice(steps)
    return InStep(step, random.random() * reference.seconds[step])
