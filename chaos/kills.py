"""Releases that are killed at any instant, and run again to the end that they would have had.

All versions of a small project are released in one universe without a disturbance. Then they are released in others,
each killed once with all that it started; the same command completes it, on that machine or on another with a fresh
clone and an empty cache. What is public then, and release.json, are compared to the byte with the first universe;
nothing that was public may have been sent again. A watcher follows what the index offers all the time.
"""

from __future__ import annotations

from itertools import count

from chaos.history import History
from chaos.kill import draw_kill
from chaos.stage import Result, Stage

_SHORT, _LONG = (4, 3), (20, 200)
"""Versions, and how many releases are killed at least."""


def run(stage: Stage) -> Result:
    """Kill as many as `_LONG` or `_SHORT` say."""
    versions, enough = _SHORT if stage.short else _LONG
    history = History(stage, versions)
    history.release_undisturbed()
    for number in count(1):
        if (killed := len(history.struck)) >= enough:
            break
        stage.progress.step(f"universe {number}: {killed} of {enough} releases were killed")
        history.release_cut(number, draw_kill)
    return Result({"killed": len(history.struck), **history.figures}, tuple(history.broken), history.rows)
