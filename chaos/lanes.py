"""Releases beside each other: each lane is a thread with wires of its own, and what runs in it ends with the block."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

from chaos.attempt import at_work, kill_all
from chaos.wires import Wires
from kfp_release.errors import ReleaseError
from kfp_release.signals import signals_wait

Item = TypeVar("Item")
Done = TypeVar("Done")
_AGAIN = 0.1
"""Seconds between two looks for what is still running."""


class Lanes:
    """As many lanes as there are `wires`. What they run works below `folder`."""

    def __init__(self, folder: Path, wires: Sequence[Wires]) -> None:
        self._folder = folder
        self._wires: SimpleQueue[Wires] = SimpleQueue()
        self._count = len(wires)
        for one in wires:
            self._wires.put(one)
        self._stop = threading.Event()

    def each(self, work: Callable[[Item, Wires], Done], items: Sequence[Item]) -> list[Done]:
        """The results of `work` in the order of `items`. The first error, or Ctrl-C, kills all that runs."""
        with ThreadPoolExecutor(self._count) as pool:
            futures = [pool.submit(self._one, work, item) for item in items]
            try:
                return [future.result() for future in futures]
            except BaseException:
                self._stop.set()
                with signals_wait():
                    self._end(futures)
                raise

    def _one(self, work: Callable[[Item, Wires], Done], item: Item) -> Done:
        wires = self._wires.get()
        try:
            if self._stop.is_set():
                raise ReleaseError("stopped")
            return work(item, wires)
        finally:
            self._wires.put(wires)

    def _end(self, futures: Sequence[Future[Done]]) -> None:
        for future in futures:
            future.cancel()
        pause = threading.Event()
        while not all(future.done() for future in futures):
            kill_all(lambda: at_work(self._folder))
            pause.wait(_AGAIN)


@contextmanager
def open_lanes(folder: Path, environ: Mapping[str, str], *, count: int = 2) -> Iterator[Lanes]:
    """Lanes whose wires lead where `environ` says."""
    with ExitStack() as stack:
        yield Lanes(folder, [stack.enter_context(Wires(environ).running()) for _ in range(count)])
