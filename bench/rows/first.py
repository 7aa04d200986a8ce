"""The first release of a project, on machines that have nothing."""

from __future__ import annotations

from statistics import median

from bench.figure import Values
from bench.goals import Unit
from bench.stage import Stage
from bench.table import told


def run(stage: Stage) -> dict[str, Values]:
    """Seconds and bytes. The sides of the last pair are left for rows that need a first version."""
    seconds: list[list[float]] = [[], []]
    sent: list[list[float]] = [[], []]
    linked: list[list[float]] = [[], []]
    for _ in stage.count(3):
        sides = stage.make_sides()
        for number, side in enumerate(sides.both):
            side.forget()
            released = stage.told(side, side.release_next())
            seconds[number].append(released.seconds)
            sent[number].append(released.bytes)
            linked[number].append(released.linked)
        stage.released = sides
    return {
        "first.seconds": Values(tuple(seconds[0]), tuple(seconds[1])),
        "first.bytes": Values(tuple(sent[0]), tuple(sent[1]), _linked(linked)),
    }


def _linked(linked: list[list[float]]) -> str:
    """What nobody uploaded, since the registry had it in another repository: the base's layers."""
    sides = zip(("this project's", "the script's"), map(median, linked), strict=True)
    return "; ".join(
        f"{told(size, Unit.BYTES)} of {whose} image are linked from another repository and not uploaded"
        for whose, size in sides
        if size
    )
