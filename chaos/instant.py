"""The instant at which something happens to a release: drawn by chance, and the same for the same seed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from random import Random
from typing import Self

from chaos.attempt import BEFORE, Attempt
from chaos.cycle import PATIENCE
from chaos.reference import Reference
from chaos.wires import Moment

_RUNTIME = {"runtime build", "runtime push"}
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class InStep:
    """Some seconds after a step has begun."""

    step: str
    seconds: float

    @classmethod
    def draw(cls, random: Random, reference: Reference) -> Self:
        """Each step as often as another, however short it is.

        But where the release builds a runtime, which few do, its two steps come as often as all others.
        """
        steps = sorted(reference.seconds)
        if of_runtime := [step for step in steps if step in _RUNTIME and random.random() < _HALF]:
            steps = of_runtime
        step = random.choice(steps)
        return cls(step, random.random() * reference.seconds[step])

    def wait(self, attempt: Attempt) -> None:
        """Until then, or until the attempt has ended."""
        if self.step == BEFORE or attempt.wait_for(self.step, PATIENCE):
            time.sleep(self.seconds)

    def __str__(self) -> str:
        return f"{self.seconds:.3f} s into {self.step}"


@dataclass(frozen=True, slots=True)
class AtRequest:
    """When a request is about to reach the other side, or has, and its answer is lost."""

    number: int
    """Of all requests, from 1 on."""
    answered: bool

    @classmethod
    def draw(cls, random: Random, reference: Reference) -> Self:
        """Requests that write come as often as those that look, which are many more."""
        writes = random.random() < _HALF
        numbers = [number for number, write in enumerate(reference.writes, 1) if write is writes]
        return cls(random.choice(numbers), random.random() < _HALF)

    def fits(self, moment: Moment) -> bool:
        """Whether it is this one."""
        return (moment.number, moment.answered) == (self.number, self.answered)

    def __str__(self) -> str:
        return f"request {self.number}, {'its answer lost' if self.answered else 'on its way'}"
