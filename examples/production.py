"""The way of a pipeline into production, for `demo.py`: its images are copied to a mirror, and it runs from there."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from running import run, run_compiled

PREFIX = "production"
"""Below which the images lie on the same registry; another account's registry is a mirror like this one."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A pipeline on a mirror."""

    bytes_copied: int
    states: frozenset[str]
    """That its tasks have when it is traced."""
    results: Mapping[str, Any]


def to_production(version: str, compiled: Path, *, python: Path, repository: Path, environ: Mapping[str, str]) -> Moved:
    """Promote the images of `version`, rehome the pipeline `compiled` beside it, trace it, and run it.

    `python` is that of an environment with the package, `repository` a checkout of the components.
    """
    registry = f"{environ['KFP_RELEASE_REGISTRY']}/{PREFIX}"
    tool = [sys.executable, "-m", "kfp_release"]
    promote = [*tool, "promote", version, "--to", registry, "--create-repository", "--json"]
    promoted = json.loads(run(promote, environ=environ, cwd=repository))
    there = compiled.with_stem(f"{compiled.stem}-{PREFIX}")
    rehome: list[str | Path] = [python, "-m", "kubeflow_demo_components", "rehome", compiled, "--to", registry]
    run([*rehome, "--output", there, "--force"], environ=environ, cwd=compiled.parent)
    traced = json.loads(run([*tool, "trace", there, "--json"], environ=environ, cwd=repository))
    results = run_compiled(python, there, environ=environ, cwd=python.parents[1])
    return Moved(promoted["bytes_copied"], frozenset(task["state"] for task in traced["tasks"]), results)
