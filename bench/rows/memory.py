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
    peaks: list[list[float]] = [[], []]
    for number in stage.count(3):
        for side, size in enumerate((_LARGE, _SMALL)):
            name = f"bench/memory-{number}-{side}"
            layout = make_layout(folder / "layout", [size])
            peaks[side].append(int(push(stage, runner, layout, name).stdout) / KIB)
            stage.registry.forget(name)
            shutil.rmtree(layout)
    return {
        "memory.large": Values(tuple(peaks[0])),
        "memory.growth": Values(tuple(peaks[0]), tuple(peaks[1])),
    }
