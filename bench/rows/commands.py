"""Commands that only look at this repository."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from bench import PROJECT
from bench.child import run_child
from bench.figure import Values
from bench.runner import plain_environ
from bench.stage import Stage

_COMMANDS = {"commands.help": ("--help",), "commands.check": ("check",)}


def run(stage: Stage) -> dict[str, Values]:
    """Milliseconds of each, wall, from the start of the process to its end."""
    seen: dict[str, list[float]] = {name: [] for name in _COMMANDS}
    for arguments in _COMMANDS.values():  # their bytecode is written once
        _milliseconds(stage, arguments)
    for _ in stage.count(9):
        for name, arguments in _COMMANDS.items():
            seen[name].append(_milliseconds(stage, arguments))
    return {name: Values(tuple(values)) for name, values in seen.items()}


def _milliseconds(stage: Stage, arguments: tuple[str, ...]) -> float:
    command: list[str | Path] = [Path(sys.executable).parent / "kfp-release", *arguments]
    log = stage.folder / "commands-log"
    return run_child(command, environ=plain_environ(os.environ), folder=PROJECT, log=log).seconds * 1000
