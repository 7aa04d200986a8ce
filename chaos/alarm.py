"""A limit in seconds for what may never end, in the main thread of a process."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

_AGAIN = 5.0
"""Seconds until who swallowed it, or waits for something at its end, hears it again."""


class Overdue(BaseException):
    """It took longer than it may. No `Exception`, so that what is tried does not take it for an error of its own."""


@contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """Raise `Overdue` in the block once it has taken so long, and every few seconds from then on."""

    def ring(*_: object) -> None:
        raise Overdue(f"it did not end within {seconds:g} s")

    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    finally:
        signal.signal(signal.SIGALRM, before)
