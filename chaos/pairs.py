"""Pairs of releases of one tag at the same time: one content wins as a whole, and both know which.

Two clones have the tag at different commits, or at the same one; half of the pairs have two images, in one order or
in two. Each release is held at a drawn request until the other comes to the same, and both go on at once. Afterwards
images, sdist and wheel are of one commit; whose it is ended with 0, the other with 1 and a message with both contents.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from typing import Any

from chaos.lanes import open_lanes
from chaos.meeting import PLACES
from chaos.project import IMAGES
from chaos.race import Pair
from chaos.stage import Result, Stage
from chaos.universe import Universe
from chaos.watcher import Watcher

_SHORT, _LONG = (2, 1), (20, 5)
"""Pairs of different content, and of the same."""
_LATE = 0.03
"""Seconds by which one of them goes on later than the other at most."""
_ONE, _TWO = IMAGES[-1:], IMAGES
_DIFFERENT = ((_ONE, _ONE), (_TWO, _TWO[::-1]), (_ONE, _ONE), (_TWO, _TWO))
_SAME = ((_TWO, _TWO), (_ONE, _ONE))


def run(stage: Stage) -> Result:
    """Race as many as `_LONG` or `_SHORT` say, one pair after the other."""
    rows: list[dict[str, Any]] = []
    pairs = list(_drawn(stage))
    with (
        Universe(stage.folder / "universe") as universe,
        open_lanes(stage.folder, universe.environ) as lanes,
        Watcher(universe.environ) as watcher,
    ):
        for number, pair in enumerate(pairs, 1):
            stage.progress.step(f"pair {number} of {len(pairs)}: {pair}")
            folder = stage.folder / "machines" / pair.version
            sides = pair.race(folder, universe, lanes)
            problems = list(pair.problems(sides, universe))
            rows.append({"pair": str(pair), "codes": [side.code for side in sides], "problems": problems})
            shutil.rmtree(folder)
    figures = {
        "raced": len(pairs),
        "mixed or untold": sum(bool(row["problems"]) for row in rows),
        "deadlocks": sum(None in row["codes"] for row in rows),
        "files without their image": len(watcher.violations),
        "of other content": sum(not pair.same for pair in pairs),
        "with two images": sum(len(pair.images[0]) > 1 for pair in pairs),
        "samples": watcher.samples,
        "files followed": watcher.followed,
        "won by the first": sum(row["codes"] == [0, 1] for row in rows),
        "won by the second": sum(row["codes"] == [1, 0] for row in rows),
        **Counter(f"met at {pair.place}" for pair in pairs),
    }
    broken = [f"{row['pair']}: {problem}" for row in rows for problem in row["problems"]]
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
