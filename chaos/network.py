"""A network that is lost for good: from one request on, nothing reaches the other side or comes back from it."""

from __future__ import annotations

import threading
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
from kfp_release.patience import ATTEMPTS, TIMEOUT


@dataclass(frozen=True, slots=True)
class LostNetwork:
    """From this moment on connections break, or are silent."""

    moment: AtRequest
    silent: bool

    @property
    def environ(self) -> Mapping[str, str]:
        """As `chaos.cycle.Cut` has it: a user who does not wait for minutes."""
        return {ATTEMPTS: "2", TIMEOUT: "3"}

    def home(self, _folder: Path) -> AbstractContextManager[None]:
        """Nothing is needed."""
        return nullcontext()

    def strike(self, attempt: Attempt, wires: Wires) -> bool:
        """As `chaos.cycle.Cut` has it."""
        lost, back = threading.Event(), threading.Event()

        def happen(moment: Moment) -> None:
            if self.moment.fits(moment):
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
        return lost.is_set()

    def __str__(self) -> str:
        return f"network {'silent' if self.silent else 'broken'} from {self.moment} on"


def draw_network(random: Random, reference: Reference) -> LostNetwork:
    """At requests that write as often as at those that look; half of them silent."""
    return LostNetwork(AtRequest.draw(random, reference), silent=random.random() < 0.5)  # noqa: PLR2004 - half
