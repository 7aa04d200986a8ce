"""Where two releases meet, so that what they do next, they do at once."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable

from relay import Call

from chaos.attempt import Attempt
from chaos.wires import Moment

_PATIENCE = 20.0
"""Seconds that one waits for the other."""

_HEARD = 0.3
"""Seconds until a step that a release has told of is read, at most; a request may be quicker."""

PLACES: dict[str, Callable[[Call], bool]] = {
    "the first layer": lambda call: call.target == "InitiateLayerUpload",
    "PutImage": lambda call: call.target == "PutImage" and not is_of_runtime(call),
    "the sdist": lambda call: b'.tar.gz"' in call.body[:20_000],
    "the wheel": lambda call: b'.whl"' in call.body[:20_000],
}
"""Requests of which each of the two waits with its first until the other comes with its own.

All are of the release itself. A runtime, which goes before, is nobody's claim.
"""
_LATER_THAN_THE_RUNTIME = {"the first layer": "layer push"}
"""Where a runtime has the same request, the step from which on it counts."""


class Meeting:
    """One place for two. `late` are the seconds by which each goes on after they have met."""

    def __init__(self, place: str, late: tuple[float, float]) -> None:
        self._fits = PLACES[place]
        self._step = _LATER_THAN_THE_RUNTIME.get(place)
        self._late = late
        self._barrier = threading.Barrier(2)
        self._come: set[int] = set()
        self.met = False
        """Whether both have come, and went on at once."""

    def of(self, side: int, attempt: Attempt) -> Callable[[Moment], None]:
        """What happens to the requests of one side, 0 or 1, which is this attempt."""

        def happen(moment: Moment) -> None:
            if moment.answered or side in self._come or not self._fits(moment.call):
                return
            if self._step and not attempt.wait_for(self._step, _HEARD):
                return
            self._come.add(side)
            try:
                self._barrier.wait(_PATIENCE)
            except threading.BrokenBarrierError:  # the other has ended, or waits for something else
                return
            self.met = True
            time.sleep(self._late[side])

        return happen

    def end(self) -> None:
        """One of them comes no more."""
        self._barrier.abort()


def is_of_runtime(call: Call) -> bool:
    """Whether a PutImage puts a runtime, and not the image of a release."""
    return bool(json.loads(call.body).get("imageTag", "").startswith("runtime-"))
