"""Releases that are killed at any instant, and run again to the end that they would have had.

All versions of a small project are released in one universe without a disturbance. Then they are released in others,
each killed once with all that it started; the same command completes it, on that machine or on another with a fresh
clone and an empty cache. What is public then, and release.json, are compared to the byte with the first universe;
nothing that was public may have been sent again. A watcher follows what the index offers all the time.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from random import Random

from chaos.history import Drawn, History
from chaos.instant import InStep
from chaos.kill import Kill, draw_kill
from chaos.reference import Reference
from chaos.stage import Result, Stage

_SHORT, _LONG = (4, 3), (20, 200)
"""Versions, and how many releases are killed at least."""
_MOST = 2
"""Times as many releases as are to be killed are tried at most, where they end before the kill."""

_APART = 0.25
"""How many are released by the four commands that do the same as ``release``."""
_COMMANDS = (
    ("runtime look-up", "runtime build", "runtime push"),
    ("look at git", "look at ECR and index"),
    ("package build", "pin"),
    ("layer push", "PutImage", "sdist upload", "wheel upload", "verify"),
)
"""The steps of ``runtime``, ``plan``, ``build`` and ``publish`` in which one is killed."""


def run(stage: Stage) -> Result:
    """Kill as many as `_LONG` or `_SHORT` say."""
    versions, enough = _SHORT if stage.short else _LONG
    history = History(stage, versions)
    history.release_undisturbed()
    for number in range(1, 2 + _MOST * enough // versions):
        if (killed := len(history.struck)) >= enough:
            break
        stage.progress.step(f"universe {number}: {killed} of {enough} releases were killed")
        history.release_cut(number, draw)
    figures = {"killed": len(history.struck), **history.figures}
    missed = history.steps - {row["landed"] for row in history.struck}
    return Result(figures, (*history.broken, *too_few(len(history.struck), enough, missed, stage)), history.rows)


def draw(random: Random, reference: Reference) -> Drawn:
    """A kill of ``release``, or, of a quarter, of one of the four commands, each as often as another."""
    if random.random() >= _APART:
        return draw_kill(random, reference), None
    command = random.randrange(len(_COMMANDS))
    step = random.choice([step for step in _COMMANDS[command] if step in reference.seconds])
    return Kill(InStep(step, random.random() * reference.seconds[step])), command


def too_few(killed: int, enough: int, missed: AbstractSet[str], stage: Stage) -> Iterator[str]:
    """Where what was tried does not show what it is there to show, a line each; `missed` are steps without a kill."""
    if killed < enough:
        yield f"only {killed} of {enough} releases were running until they were killed"
    if len(missed) > 1 and not stage.short:
        yield f"no release was killed in these steps: {', '.join(sorted(missed))}"
