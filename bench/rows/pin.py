"""Pinning many component files."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from bench import PROJECT
from bench.child import BenchError, run_child
from bench.components import write_components
from bench.figure import Values
from bench.runner import plain_environ
from bench.stage import Stage

_REPOSITORY: Final = "registry.example.com/team/demo"
_PIN: Final = f"{_REPOSITORY}:1.2@sha256:{'a' * 64}"
_FEW, _MANY = 1_000, 10_000


def run(stage: Stage) -> dict[str, Values]:
    """Milliseconds of CPU for 1,000, beside sed; and microseconds for each file of 1,000 and of 10,000."""
    folder = stage.folder / "pin"
    few, many = folder / "few", folder / "many"
    write_components(few, [_REPOSITORY], _FEW)
    write_components(many, [_REPOSITORY], _MANY)
    thousand, edited, each, each_of_many = [], [], [], []
    for number in stage.count(5):
        thousand.append(_pin(few))
        edited.append(_sed(folder / f"edited-{number}"))
        each.append(_pin(few) * 1000 / _FEW)
        each_of_many.append(_pin(many) * 1000 / _MANY)
    return {
        "pin.thousand": Values(tuple(thousand), tuple(edited), "sed also changes an image: line inside a description"),
        "pin.linear": Values(tuple(each_of_many), tuple(each)),
    }


def _pin(folder: Path) -> float:
    command: list[str | Path] = [sys.executable, "-m", "bench.pinning", folder, _REPOSITORY, _PIN]
    return float(run_child(command, environ=plain_environ(os.environ), folder=PROJECT).stdout)


def _sed(folder: Path) -> float:
    """Milliseconds of CPU of the whole process."""
    write_components(folder, [_REPOSITORY], _FEW)
    files = sorted(folder.iterdir())
    command: list[str | Path] = ["sed", "-i", rf"s|^\( *image: \).*|\1{_PIN}|", *files]
    cpu = run_child(command, environ=plain_environ(os.environ), folder=folder).cpu
    if any(_PIN not in file.read_text(encoding="utf-8") for file in files):
        raise BenchError("sed has not pinned every file")
    return cpu * 1000
