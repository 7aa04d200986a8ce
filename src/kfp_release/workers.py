"""Threads that do the same to many things, some at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Final, Generic, TypeVar

from kfp_release.signals import signals_wait
from kfp_release.stopping import Stop, Stopped, ended_with

T = TypeVar("T")
R = TypeVar("R")

_PROGRAMS: Final = 25.0
"""Seconds for programs to end that were told to: `kfp_release.program` kills them before."""
_CALLS: Final = 2.0
"""Seconds for what cannot be told to end."""


def in_parallel(
    do: Callable[[T], R],
    items: Sequence[T],
    *,
    workers: int,
    stop: threading.Event | None = None,
    orderly: bool = False,
) -> list[R]:
    """What `do` gives for each of `items`, in their order; `workers` of them are done at a time, the first ones first.

    The first error, or Ctrl-C, ends it without waiting for the others; `stop` is set at the end, however it comes. The
    threads are daemons, which an executor's are not: a call that hangs must not keep the program from ending. Programs
    that they run are stopped by an error, as is what they do in parallel themselves; an `orderly` end waits for that.
    """
    crew = _Crew(do, items, stop or threading.Event())
    try:
        return crew.work(workers)
    except BaseException:
        with signals_wait():
            crew.end(orderly=orderly)
        raise
    finally:
        crew.stop.set()


class _Crew(Generic[T, R]):
    """The threads of one call, what is still to be done, and what has come of the rest."""

    def __init__(self, do: Callable[[T], R], items: Sequence[T], stop: threading.Event) -> None:
        self.stop = stop
        self._do = do
        self._under_way = Stop()
        self._todo: SimpleQueue[tuple[int, T]] = SimpleQueue()
        self._ended: SimpleQueue[tuple[int, R] | Exception] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._items = len(items)
        for number, item in enumerate(items):
            self._todo.put((number, item))

    def work(self, workers: int) -> list[R]:
        results: dict[int, R] = {}
        with ended_with(lambda: self._ended.put(Stopped())):
            for _ in range(min(workers, self._items)):
                thread = threading.Thread(target=self._run, name="worker", daemon=True)
                thread.start()
                self._threads.append(thread)
            while len(results) < self._items:
                number, result = self._next()
                results[number] = result
        return [results[number] for number in range(self._items)]

    def end(self, *, orderly: bool) -> None:
        self.stop.set()
        self._under_way.set()
        if not orderly:
            return
        self._under_way.wait(_PROGRAMS)
        until = time.monotonic() + _CALLS
        for thread in self._threads:
            thread.join(max(until - time.monotonic(), 0.0))

    def _next(self) -> tuple[int, R]:
        end = self._ended.get()
        if isinstance(end, Exception):
            raise end
        return end

    def _run(self) -> None:
        with self._under_way.covering():
            while not self.stop.is_set():
                try:
                    number, item = self._todo.get_nowait()
                except Empty:
                    return
                try:
                    self._ended.put((number, self._do(item)))
                except Exception as error:  # noqa: BLE001 - raised again by the thread that waits
                    self._ended.put(error)
