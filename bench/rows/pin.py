"""Pinning many component files."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench import PROJECT
from bench.child import BenchError, Ran, run_child
from bench.components import write_components
from bench.figure import Values
from bench.runner import plain_environ
from bench.stage import Stage

_REPOSITORY: Final = "registry.example.com/team/demo"
_PIN: Final = f"{_REPOSITORY}:1.2@sha256:{'a' * 64}"
_FEW, _MANY = 1_000, 10_000
_INSIDE: Final = "  image: an-older-one\n"
_DESCRIBED: Final = f"""\
name: Multiply
description: |
  Once it was run with
{_INSIDE}implementation:
  container:
    image: {_REPOSITORY}
    command: [multiply]
"""


def run(stage: Stage) -> dict[str, Values]:
    """Milliseconds of CPU for 1,000, alone and beside sed; microseconds for each file of 1,000 and of 10,000."""
    folder = stage.folder / "pin"
    few, many = folder / "few", folder / "many"
    write_components(few, [_REPOSITORY], _FEW)
    write_components(many, [_REPOSITORY], _MANY)
    thousand, written, edited, each, each_of_many = [], [], [], [], []
    for number in stage.count(5):
        thousand.append(_alone(few))
        written.append(_in_place(folder / f"written-{number}", ours=True))
        edited.append(_in_place(folder / f"edited-{number}", ours=False))
        each.append(_alone(few) * 1000 / _FEW)
        each_of_many.append(_alone(many) * 1000 / _MANY)
    return {
        "pin.thousand": Values(tuple(thousand)),
        "pin.process": Values(tuple(written), tuple(edited), _inside_a_description(folder / "inside")),
        "pin.linear": Values(tuple(each_of_many), tuple(each)),
    }


def _alone(folder: Path) -> float:
    """Milliseconds of reading and pinning, as the process itself tells."""
    return float(_run(_ours(folder)).stdout)


def _in_place(folder: Path, *, ours: bool) -> float:
    """Milliseconds of a whole process that reads, pins and writes the files of a new folder."""
    write_components(folder, [_REPOSITORY], _FEW)
    cpu = _run([*_ours(folder), folder] if ours else _sed(folder)).cpu
    if any(_PIN not in file.read_text(encoding="utf-8") for file in folder.iterdir()):
        raise BenchError(f"not every file of {folder.name} is pinned")
    return cpu * 1000


def _inside_a_description(folder: Path) -> str:
    """Which of the two also changes a line ``image:`` of a description: tried, with one file for each."""
    changing = []
    for who, ours in (("this project", True), ("sed", False)):
        file = folder / who / "multiply.yaml"
        file.parent.mkdir(parents=True)
        file.write_text(_DESCRIBED, encoding="utf-8")
        _run([*_ours(file.parent), file.parent] if ours else _sed(file.parent))
        changing += [] if _INSIDE in file.read_text(encoding="utf-8") else [who]
    return f"an image: line inside a description is changed too by {' and '.join(changing) or 'neither'}"


def _ours(folder: Path) -> list[str | Path]:
    return [sys.executable, "-m", "bench.pinning", folder, _REPOSITORY, _PIN]


def _sed(folder: Path) -> list[str | Path]:
    """With the expression of ``bench/baseline.sh``."""
    return ["sed", "-i", rf"s|^\( *image: \).*|\1{_PIN}|", *sorted(folder.iterdir())]


def _run(command: Sequence[str | Path]) -> Ran:
    return run_child(command, environ=plain_environ(os.environ), folder=PROJECT)
