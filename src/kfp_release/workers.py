"""Threads that do the same to many things, some at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_parallel(
    do: Callable[[T], R], items: Sequence[T], *, workers: int, stop: threading.Event | None = None
) -> list[R]:
    """What `do` gives for each of `items`, in their order; `workers` of them are done at a time, the first ones first.

    The first error, or Ctrl-C, ends it without waiting for the others; `stop` is set at the end, however it comes. The
    threads are daemons, which an executor's are not: a call that hangs must not keep the program from ending.
    """
    stop = stop or threading.Event()
    queue: SimpleQueue[tuple[int, T]] = SimpleQueue()
    ended: SimpleQueue[tuple[int, R] | Exception] = SimpleQueue()
    for number, item in enumerate(items):
        queue.put((number, item))

    def work() -> None:
        while not stop.is_set():
            try:
                number, item = queue.get_nowait()
            except Empty:
                return
            try:
                ended.put((number, do(item)))
            except Exception as error:  # noqa: BLE001 - raised again below, in the thread that waits
                ended.put(error)

    results: dict[int, R] = {}
    try:
        for _ in range(min(workers, len(items))):
            threading.Thread(target=work, name="worker", daemon=True).start()
        for _ in items:
            end = ended.get()
            if isinstance(end, Exception):
                raise end
            results[end[0]] = end[1]
    finally:
        stop.set()
    return [results[number] for number in range(len(items))]
