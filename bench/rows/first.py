"""The first release of a project, on machines that have nothing."""

from __future__ import annotations

from bench.figure import Values
from bench.stage import Stage


def run(stage: Stage) -> dict[str, Values]:
    """Seconds and bytes. The sides of the last pair are left for rows that need a first version."""
    seconds: list[list[float]] = [[], []]
    sent: list[list[float]] = [[], []]
    for _ in stage.count(3):
        sides = stage.make_sides()
        for number, side in enumerate(sides.both):
            side.forget()
            released = stage.told(side, side.release_next())
            seconds[number].append(released.seconds)
            sent[number].append(released.bytes)
        stage.released = sides
    return {
        "first.seconds": Values(tuple(seconds[0]), tuple(seconds[1])),
        "first.bytes": Values(tuple(sent[0]), tuple(sent[1]), "Docker links the base's layers and uploads them not"),
    }
