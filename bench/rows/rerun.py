"""The same command once more, where it has done all already."""

from __future__ import annotations

from bench.ending import ending
from bench.figure import Values
from bench.side import Side
from bench.stage import Stage

_ANY = -1
"""Exit code: an index that overwrites nothing may refuse the script's files."""


def run(stage: Stage) -> dict[str, Values]:
    """Seconds, bytes of layers, and how the script ends."""
    sides = stage.sides()
    clones, tags = [], []
    for side in sides.both:
        clone = side.runner.clone(side.repository, f"v{side.tag()}")
        side.release(clone)
        clones.append(clone)
        tags.append(_tag(side))
    seconds: list[list[float]] = [[], []]
    layers: list[list[float]] = [[], []]
    endings: dict[str, None] = {}
    for _ in stage.count(5):
        for number, (side, clone, ends) in enumerate(zip(sides.both, clones, (0, _ANY), strict=True)):
            released = stage.told(side, side.release(clone, ends=ends))
            seconds[number].append(released.seconds)
            layers[number].append(released.layers)
            endings[ending(released.ran)] = None
    notes = [f"the script {end}" for end in endings if end]
    for side, tag in zip(sides.both, tags, strict=True):
        notes += [f"the tag of {side.image} has become another image"] if _tag(side) != tag else []
    note = "; ".join(notes)
    return {
        "rerun.seconds": Values(tuple(seconds[0]), tuple(seconds[1]), note),
        "rerun.layers": Values(tuple(layers[0]), tuple(layers[1])),
    }


def _tag(side: Side) -> str:
    """The digest of the image that the newest version's tag is."""
    return side.registry.contents(side.image).tags[side.versions[0]]
