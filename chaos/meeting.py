"""Where two releases meet, so that what they do next, they do at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from relay import Call

from chaos.wires import Moment

_PATIENCE = 20.0
"""Seconds that one waits for the other."""

PLACES: dict[str, Callable[[Call], bool]] = {
    "the first layer": lambda call: call.target == "InitiateLayerUpload",
    "PutImage": lambda call: call.target == "PutImage",
    "the sdist": lambda call: b'.tar.gz"' in call.body[:20_000],
    "the wheel": lambda call: b'.whl"' in call.body[:20_000],
}
"""Requests of which each of the two waits with its first until the other comes with its own."""


class Meeting:
    """One place for two. `late` are the seconds by which each goes on after they have met."""

    def __init__(self, place: str, late: tuple[float, float]) -> None:
        self._fits = PLACES[place]
        self._late = late
        self._barrier = threading.Barrier(2)
        self._come: set[int] = set()

    def of(self, side: int) -> Callable[[Moment], None]:
        """What happens to the requests of one side, 0 or 1."""

        def happen(moment: Moment) -> None:
            if moment.answered or side in self._come or not self._fits(moment.call):
                return
            self._come.add(side)
            try:
                self._barrier.wait(_PATIENCE)
            except threading.BrokenBarrierError:  # the other has ended, or waits for something else
                return
            time.sleep(self._late[side])

        return happen

    def end(self) -> None:
        """One of them comes no more."""
        self._barrier.abort()
