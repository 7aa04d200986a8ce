"""The functions of a project that are components: compiled by kfp, which is imported in another process alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kfp_release.errors import Problem, ReleaseError
from kfp_release.git_command import run_git
from kfp_release.json_text import BadJson, read_json
from kfp_release.python_path import child_environment

TIMEOUT = 300.0
"""Seconds for all modules together."""
_LONGEST = 256 * 1024 * 1024
"""Bytes of their answer."""
_QUIET = "importing a module of components must do nothing but define them"


@dataclass(frozen=True, slots=True)
class CompiledFunction:
    """One function, as a component file."""

    name: str
    text: str
    """As kfp writes it."""
    path: str
    """Of the module that defines it; relative to the project."""
    line: int


@dataclass(frozen=True, slots=True)
class CompiledModule:
    """What a module defines."""

    name: str
    files: tuple[str, ...]
    """What of the project was read for it, itself included; relative to the project."""
    functions: tuple[CompiledFunction, ...]
    problems: tuple[Problem, ...]
    """Those of the module's name have no path."""


def compile_modules(
    names: Sequence[str], *, project: Path, source: Path, timeout: float = TIMEOUT
) -> tuple[CompiledModule, ...]:
    """The modules called `names`, which are in the folder `source` of `project`, in that order.

    Raise `ReleaseError` where kfp is not installed, and where their code does not come to an end.
    """
    try:
        child = subprocess.run(
            [sys.executable, "-P", "-m", "kfp_release.python_compiler"],
            input=json.dumps({"project": str(project.resolve()), "modules": list(names)}),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            env=child_environment(source),
            cwd=project,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ReleaseError(f"{', '.join(names)}: not imported within {timeout:g} s", remedy=_QUIET) from error
    try:
        answer = read_json(child.stdout.encode(), most=_LONGEST)
        if "kfp" in answer:
            raise ReleaseError(
                f"kfp cannot be imported, and {', '.join(names)} is compiled with it: {answer['kfp']}",
                remedy="run kfp-release compile where kfp is installed, and commit what it writes; or install kfp into"
                f" the environment of {sys.executable}: python -m pip install 'kfp>=2.17,<3'",
            )
        modules = tuple(_module(name, answer[name]) for name in names)
    except (BadJson, LookupError, TypeError, ValueError) as error:
        last = (child.stderr.strip().splitlines() or ["it said nothing"])[-1][:300]
        raise ReleaseError(
            f"compiling {', '.join(names)} ended with exit code {child.returncode}: {last}", remedy=_QUIET
        ) from error
    ignored = _ignored(project, {path for module in modules for path in module.files})
    return tuple(
        replace(module, files=tuple(path for path in module.files if path not in ignored)) for module in modules
    )


def _module(name: str, answer: Mapping[str, Any]) -> CompiledModule:
    return CompiledModule(
        name,
        tuple(map(str, answer["files"])),
        tuple(CompiledFunction(**function) for function in answer["functions"]),
        tuple(Problem(**problem) for problem in answer["problems"]),
    )


def _ignored(project: Path, files: Collection[str]) -> Collection[str]:
    """Those that git ignores, as a version that was generated: another checkout has them otherwise, or not at all."""
    if not files:
        return ()
    try:
        found = run_git(
            project, ["ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--", *sorted(files)]
        )
    except ReleaseError:  # there is no repository
        return ()
    return found.decode().split("\0")
