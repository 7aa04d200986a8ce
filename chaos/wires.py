"""The wires of one machine to ECR and the index: all that goes over them is seen, and something can happen then."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from relay import Call, Relay


@dataclass(frozen=True, slots=True)
class Moment:
    """A request that is about to go on, or the same when its answer is."""

    number: int
    """Of all requests, from 1 on."""
    call: Call
    answered: bool


Happening = Callable[[Moment], None]
"""Called at each moment, in the request's thread; an `OSError` of it hangs up."""


class Wires:
    """Two relays, and one count of the requests to both."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._ecr = Relay(environ["AWS_ENDPOINT_URL_ECR"])
        self._index = Relay(environ["TWINE_REPOSITORY_URL"])
        self._lock = threading.Lock()
        self._happening: Happening | None = None
        self._calls: list[Call] = []
        for relay in (self._ecr, self._index):
            relay.before, relay.after = self._before, self._after

    @contextmanager
    def running(self) -> Iterator[Wires]:
        """They lead somewhere in the block."""
        with ExitStack() as stack:
            stack.enter_context(self._ecr.running())
            stack.enter_context(self._index.running())
            yield self

    @property
    def environ(self) -> dict[str, str]:
        """What leads a program over them."""
        return {
            "AWS_ENDPOINT_URL_ECR": self._ecr.url,
            "TWINE_REPOSITORY_URL": self._index.url,
            "KFP_RELEASE_SIMPLE_URL": f"{self._index.url}simple/",
        }

    @property
    def calls(self) -> list[Call]:
        """What went over them since `begin`."""
        with self._lock:
            return list(self._calls)

    def begin(self, happening: Happening | None = None) -> None:
        """Count from 1 again; from now on this happens, or nothing does."""
        with self._lock:
            self._calls = []
            self._happening = happening

    def _before(self, call: Call) -> None:
        with self._lock:
            self._calls.append(call)
            number, happening = len(self._calls), self._happening
        if happening is not None:
            happening(Moment(number, call, answered=False))

    def _after(self, call: Call) -> None:
        with self._lock:
            number = next((place for place, one in enumerate(self._calls, 1) if one is call), 0)
            happening = self._happening
        if number and happening is not None:
            happening(Moment(number, call, answered=True))
