"""A network that is lost for good: from one request on, nothing reaches the other side or comes back from it."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from random import Random

from chaos.attempt import Attempt
from chaos.cycle import PATIENCE
from chaos.instant import AtRequest
from chaos.reference import Reference
from chaos.wires import Moment, Wires
from kfp_release.patience import ATTEMPTS, TIMEOUT, Patience

_NAMES = re.compile(r"\b(ECR|index)\b")
_PATIENCE = Patience(attempts=2, seconds=3)
"""That of a user who does not wait for minutes."""
_FOLLOW = 2
"""Calls that may each take their time before the release ends: that which meets the loss, and a look at what landed."""
_MACHINE = 10.0
"""Seconds that the machine has for the rest of it, also where it has other things to do."""


@dataclass(frozen=True, slots=True)
class LostNetwork:
    """From this moment on connections break, or are silent."""

    moment: AtRequest
    silent: bool

    @property
    def environ(self) -> Mapping[str, str]:
        """As `chaos.cycle.Cut` has it."""
        return {ATTEMPTS: str(_PATIENCE.attempts), TIMEOUT: str(_PATIENCE.seconds)}

    @property
    def names(self) -> re.Pattern[str]:
        """As `chaos.cycle.Cut` has it: the side that is not reached."""
        return _NAMES

    @property
    def bound(self) -> float:
        """As `chaos.cycle.Cut` has it: the bound of docs/reliability.md for one call, for each that may follow."""
        waits = sum(_PATIENCE.wait(attempt) for attempt in range(1, _PATIENCE.attempts))
        return _FOLLOW * (_PATIENCE.attempts * _PATIENCE.seconds + waits) + _MACHINE

    def home(self, _folder: Path) -> AbstractContextManager[None]:
        """Nothing is needed."""
        return nullcontext()

    def strike(self, attempt: Attempt, wires: Wires) -> float | None:
        """As `chaos.cycle.Cut` has it."""
        lost, back = threading.Event(), threading.Event()
        at: list[float] = []

        def happen(moment: Moment) -> None:
            if self.moment.fits(moment):
                at.append(time.monotonic())
                lost.set()
            if lost.is_set():
                if self.silent:
                    back.wait(PATIENCE)
                raise ConnectionAbortedError

        wires.begin(happen)
        try:
            attempt.end(PATIENCE)
        finally:
            back.set()
        return at[0] if at else None

    def __str__(self) -> str:
        return f"network {'silent' if self.silent else 'broken'} from {self.moment} on"


def draw_network(random: Random, reference: Reference) -> LostNetwork:
    """At requests that write as often as at those that look; half of them silent."""
    return LostNetwork(AtRequest.draw(random, reference), silent=random.random() < 0.5)  # noqa: PLR2004 - half
