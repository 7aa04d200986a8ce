"""Releases whose network is lost for good midway, or whose disk is full, and that are run again once it is put right.

As `chaos.kills`, but the release ends by itself: with one clear error that names what was lost, within its time, and
nothing of it runs on. Where no disk can be mounted, which needs root, all lose their network.
"""

from __future__ import annotations

from random import Random

from chaos.disk import can_mount, draw_disk
from chaos.history import Drawn, History
from chaos.network import draw_network
from chaos.reference import Reference
from chaos.stage import Result, Stage

_SHORT, _LONG = (2, 1), (8, 2)
"""Versions, and in how many universes they are cut off."""


def run(stage: Stage) -> Result:
    """Cut off as many as `_LONG` or `_SHORT` say, half of them by either."""
    versions, universes = _SHORT if stage.short else _LONG
    kinds = (draw_disk, draw_network) if can_mount(stage.folder / "disk") else (draw_network,)
    if draw_disk not in kinds:
        stage.progress.note("no disk can be mounted here without root's rights, so none is full")
    drawn = 0

    def draw(random: Random, reference: Reference) -> Drawn:
        nonlocal drawn
        drawn += 1
        return kinds[drawn % len(kinds)](random, reference), None

    history = History(stage, versions)
    history.release_undisturbed()
    for number in range(1, universes + 1):
        stage.progress.step(f"universe {number} of {universes}: {versions} releases are cut off")
        history.release_cut(number, draw)
    lost, full = (sum(row["cut"].startswith(kind) for row in history.struck) for kind in ("network", "disk"))
    unharmed = sum(row["ended"] == "exit code 0" for row in history.struck)
    longest = max((row["seconds to its end"] or 0.0 for row in history.struck), default=0.0)
    figures = {
        "networks lost": lost,
        "disks full": full,
        **history.figures,
        "needed no more of it": unharmed,
        "seconds from the cut to the end at most": longest,
    }
    missing = [kind.__name__ for kind, seen in ((draw_disk, full), (draw_network, lost)) if kind in kinds and not seen]
    broken = [f"{kind}: none was met by a release that ran" for kind in missing]
    return Result(figures, (*history.broken, *([] if stage.short else broken)), history.rows)
