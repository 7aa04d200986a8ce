"""How much memory a push takes, whatever the size of a layer."""

from __future__ import annotations

import shutil
from typing import Final

from bench.figure import Values
from bench.goals import KIB, MIB
from bench.layers import make_layout
from bench.rows.push import push
from bench.runner import Runner
from bench.stage import Stage

_LARGE: Final = 4 * KIB * MIB
_SMALL: Final = 400_000_000


def run(stage: Stage) -> dict[str, Values]:
    """Peak resident memory of the process that pushes, in MiB."""
    folder = stage.folder / "memory"
    folder.mkdir()
    runner = Runner(folder, stage.environ)
    layouts = [make_layout(folder / f"layout-{size}", [size]) for size in (_LARGE, _SMALL)]
    peaks: list[list[float]] = [[], []]
    for number in stage.count(3):
        for side, layout in enumerate(layouts):
            name = f"bench/memory-{number}-{side}"
            peaks[side].append(int(push(stage, runner, layout, name).stdout) / KIB)
            stage.registry.forget(name)
    for layout in layouts:
        shutil.rmtree(layout)
    return {
        "memory.large": Values(tuple(peaks[0])),
        "memory.growth": Values(tuple(peaks[0]), tuple(peaks[1])),
    }
