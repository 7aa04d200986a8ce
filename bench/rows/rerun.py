"""The same command once more, where it has done all already."""

from __future__ import annotations

from bench.figure import Values
from bench.stage import Stage

_ANY = -1
"""Exit code: an index that overwrites nothing refuses the script's files."""


def run(stage: Stage) -> dict[str, Values]:
    """Seconds, bytes of layers, and how the script ends."""
    sides = stage.sides()
    clones = []
    for side in sides.both:
        clone = side.runner.clone(side.repository, f"v{side.tag()}")
        side.release(clone)
        clones.append(clone)
    seconds: list[list[float]] = [[], []]
    layers: list[list[float]] = [[], []]
    codes: set[int] = set()
    for _ in stage.count(5):
        for number, (side, clone, ends) in enumerate(zip(sides.both, clones, (0, _ANY), strict=True)):
            released = stage.told(side, side.release(clone, ends=ends))
            seconds[number].append(released.seconds)
            layers[number].append(released.layers)
            codes.add(released.ran.code)
    failed = ", ".join(str(code) for code in sorted(codes - {0}))
    note = f"the script ends with exit code {failed}: the index has its files already" if failed else ""
    return {
        "rerun.seconds": Values(tuple(seconds[0]), tuple(seconds[1]), note),
        "rerun.layers": Values(tuple(layers[0]), tuple(layers[1])),
    }
