"""The fault matrix: each fault of the other side at each call of a release.

A release is published through proxies before the registry, the stand-in for ECR and the index. Each cell completes
with exactly the right content or ends in an error with a remedy, within the bound of its time-outs; and afterwards,
without the fault, the same command completes it.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

from chaos.matrix.bench import running_bench
from chaos.matrix.cells import names
from chaos.matrix.trial import BOUND, Row, try_cells
from chaos.stage import Result, Stage
from kfp_release.errors import ReleaseError

_SHORT, _LONG = 3, 8
"""Processes, each with a registry and an index of its own: half of a cell is waiting."""
_LOOK = 1.0
"""Seconds."""


def run(stage: Stage) -> Result:
    """Try all cells, or one of each fault."""
    chosen = names(short=stage.short, chance=stage.random("faults"))
    stage.random("shares").shuffle(chosen)
    count = _SHORT if stage.short else _LONG
    shares = [chosen[number::count] for number in range(count)]
    rows: list[Row] = []
    # Started anew, as a fork would take over the threads and locks of whoever runs this.
    context = get_context("spawn")
    with ProcessPoolExecutor(count, context, _end_with, (os.getpid(),)) as pool:
        futures = [pool.submit(_share, stage.folder / f"bench-{n}", share) for n, share in enumerate(shares)]
        try:
            for future in as_completed(futures):
                rows += future.result()
                stage.progress.step(f"{len(rows)} of {len(chosen)} cells")
        except BrokenProcessPool:
            raise ReleaseError("a process that tried cells of the fault matrix ended on its own") from None
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return result(sorted(rows, key=lambda row: row.name))


def result(rows: Sequence[Row]) -> Result:
    """The figures of these cells, and each promise that was not kept in one."""
    outcomes = Counter(row.outcome for row in rows)
    figures = {
        "cells": len(rows),
        "completed": outcomes["completed"],
        "ended in a clear error": outcomes["refused"],
        "not as promised": sum(bool(row.wrong) for row in rows),
        "wrong contents": sum(any("wrong content" in line for line in row.wrong) for row in rows),
        "kinds of fault": len({row.fault for row in rows}),
        "longest of a cell, s": max((row.seconds for row in rows), default=0.0),
        "bound of a cell, s": BOUND,
    }
    broken = tuple(f"{row.name}: {line}" for row in rows for line in row.wrong)
    return Result(figures, broken, [row.to_json() for row in rows])


def _end_with(parent: int) -> None:
    """End this process when `parent`, which started it, is gone: killed, it cannot say so."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _share(folder: Path, share: Sequence[str]) -> list[Row]:
    """In a process of its own."""
    folder.mkdir(parents=True)
    with running_bench(folder) as bench:
        return list(try_cells(bench, share))
