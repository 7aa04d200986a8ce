"""Work in several threads, ended from outside: what is under way says how it is ended, and a program ends with it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Stopped(Exception):
    """What a thread does is no longer wanted: another one failed, or the user stopped it all."""


class Stop:
    """Ends what the threads that it covers have under way, at once and for good."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._is_set = False
        self._ends: dict[object, Callable[[], None]] = {}

    def set(self) -> None:
        """End all that is under way; what is begun later ends at once."""
        with self._changed:
            self._is_set = True
            for end in self._ends.values():
                end()

    def wait(self, seconds: float) -> None:
        """Until nothing is under way any longer, and no longer than `seconds`."""
        with self._changed:
            self._changed.wait_for(lambda: not self._ends, seconds)

    @contextmanager
    def covering(self) -> Iterator[None]:
        """It covers what this thread does in the block."""
        token = _stop.set(self)
        try:
            yield
        finally:
            _stop.reset(token)

    @contextmanager
    def under_way(self, end: Callable[[], None]) -> Iterator[None]:
        """As `ended_with`."""
        key = object()
        with self._changed:
            if self._is_set:
                raise Stopped
            self._ends[key] = end
        try:
            yield
        finally:
            with self._changed:
                del self._ends[key]
                self._changed.notify_all()
        if self._is_set:
            raise Stopped


_stop: ContextVar[Stop | None] = ContextVar("stop", default=None)


@contextmanager
def ended_with(end: Callable[[], None]) -> Iterator[None]:
    """While the block runs, `end` is called, quickly, by whoever ends what this thread does.

    Raise `Stopped` where that has come already, or has come when the block is left. Nobody does in the main thread.
    """
    stop = _stop.get()
    if stop is None:
        yield
        return
    with stop.under_way(end):
        yield


@contextmanager
def ended_after(seconds: float) -> Iterator[None]:
    """What this thread has under way in the block is ended after `seconds`; raise `Stopped` then."""
    stop = Stop()
    timer = threading.Timer(seconds, stop.set)
    timer.daemon = True
    timer.start()
    try:
        with stop.covering():
            yield
    finally:
        timer.cancel()
