"""Pairs of releases of one tag at the same time: one content wins as a whole, and both know which.

Two clones have the tag at different commits, or at the same one; half of the pairs have two images, in one order or
in two. Each release is held at a drawn request until the other comes to the same, and both go on at once; a pair that
did not meet is told, does not count, and is tried again. Afterwards images, sdist and wheel are of one commit; whose it
is ended with 0, the other with 1 and an error with both contents.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from chaos.lanes import Lanes, open_lanes
from chaos.meeting import PLACES
from chaos.project import IMAGES
from chaos.race import Pair
from chaos.stage import Result, Stage
from chaos.universe import Universe
from chaos.watcher import Watcher

_SHORT, _LONG = (2, 1), (20, 2)
"""Pairs of different content, and of the same, that have to meet."""
_AGAIN = 2
"""How often a pair that did not meet is tried once more, under a version of its own."""
_LATE = 0.03
"""Seconds by which one of them goes on later than the other at most."""
_ONE, _TWO = IMAGES[-1:], IMAGES
_DIFFERENT = ((_ONE, _ONE), (_TWO, _TWO[::-1]), (_ONE, _ONE), (_TWO, _TWO))
_SAME = ((_TWO, _TWO), (_ONE, _ONE))


def run(stage: Stage) -> Result:
    """Race as many as `_LONG` or `_SHORT` say, one pair after the other."""
    rows: list[dict[str, Any]] = []
    pairs = list(_drawn(stage))
    wanted = Counter(pair.same for pair in pairs)
    with (
        Universe(stage.folder / "universe") as universe,
        open_lanes(stage.folder, universe.environ) as lanes,
        Watcher(universe.environ) as watcher,
    ):
        for number, drawn in enumerate(pairs, 1):
            for time in range(1 + _AGAIN):
                pair = replace(drawn, version=f"{drawn.version}.{time}" if time else drawn.version)
                stage.progress.step(f"pair {number} of {len(pairs)}: {pair}")
                rows.append(_raced(pair, stage, universe, lanes))
                if rows[-1]["met"]:
                    break
    return result_of(rows, wanted, watcher)


def _raced(pair: Pair, stage: Stage, universe: Universe, lanes: Lanes) -> dict[str, Any]:
    folder = stage.folder / "machines" / pair.version
    sides, met = pair.race(folder, universe, lanes)
    problems = list(pair.problems(sides, universe))
    shutil.rmtree(folder)
    return {
        "pair": str(pair),
        "met": met,
        "place": pair.place,
        "same": pair.same,
        "images": len(pair.images[0]),
        "codes": [side.code for side in sides],
        "problems": problems,
    }


def result_of(rows: Sequence[Mapping[str, Any]], wanted: Mapping[bool, int], watcher: Watcher) -> Result:
    """What all of it comes to; `wanted` are the pairs that have to meet, by whether they are of the same content."""
    met = [row for row in rows if row["met"]]
    other = [row for row in met if not row["same"]]
    two = sum(row["images"] > 1 for row in other)
    figures = {
        "raced": len(met),
        "mixed or untold": sum(bool(row["problems"]) for row in rows),
        "deadlocks": sum(None in row["codes"] for row in rows),
        "files without their image": len(watcher.violations),
        "of other content": len(other),
        "of these with two images": two,
        "did not meet": len(rows) - len(met),
        **watcher.figures,
        "won by the first": sum(row["codes"] == [0, 1] for row in rows),
        "won by the second": sum(row["codes"] == [1, 0] for row in rows),
        **Counter(f"met at {row['place']}" for row in met),
    }
    broken = [f"{row['pair']}: {problem}" for row in rows for problem in row["problems"]]
    if len(other) < wanted[False] or len(met) - len(other) < wanted[True]:
        broken.append(f"only {len(other)} pairs of other content and {len(met) - len(other)} of the same met")
    if two * 2 < len(other):
        broken.append(f"only {two} of {len(other)} pairs of other content had two images")
    return Result(figures, (*broken, *watcher.violations), rows)


def _drawn(stage: Stage) -> Iterator[Pair]:
    different, same = _SHORT if stage.short else _LONG
    random = stage.random("pairs")
    for number in range(different + same):
        is_same = number >= different
        images = _SAME[number % len(_SAME)] if is_same else _DIFFERENT[number % len(_DIFFERENT)]
        # Who loses never comes to the places behind the first image.
        places = sorted(PLACES) if is_same else ["the first layer", "PutImage", "PutImage"]
        version = f"1.{number}"
        runtime = random.choice(["that all share", f"of {version} alone"])
        late = (random.random() * _LATE, random.random() * _LATE)
        yield Pair(version, images, runtime, random.choice(places), late, is_same)
