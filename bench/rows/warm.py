"""Releases in which only code changed, on the machine that has released before."""

from __future__ import annotations

from bench.figure import Values
from bench.stage import Stage


def run(stage: Stage) -> dict[str, Values]:
    """Seconds and bytes. The first release of each side warms its machine and is not measured."""
    sides = stage.sides()
    for side in sides.both:
        side.release_next()
    seconds: list[list[float]] = [[], []]
    sent: list[list[float]] = [[], []]
    for _ in stage.count(5):
        for number, side in enumerate(sides.both):
            released = stage.told(side, side.release_next())
            seconds[number].append(released.seconds)
            sent[number].append(released.bytes)
    return {
        "warm.seconds": Values(tuple(seconds[0]), tuple(seconds[1])),
        "warm.bytes": Values(tuple(sent[0]), tuple(sent[1])),
    }
