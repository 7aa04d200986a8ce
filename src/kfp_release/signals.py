"""Signals that end a program: they unwind it, so that what it started is stopped."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


@contextlib.contextmanager
def signals_end_the_block() -> Iterator[None]:
    """SIGTERM and SIGHUP unwind the block as SystemExit (143, 129), as Ctrl-C does as KeyboardInterrupt.

    So what was started is stopped. For the main thread alone: Python handles signals there.
    """

    def leave(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def signals_wait() -> Iterator[None]:
    """Signals that would end the program are ignored in the block.

    Stopping is bounded, and a second Ctrl-C must not leave half of it running. In other threads than the main one,
    where no signal arrives, it does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
