"""The programs of a package: which options their parsers take."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kfp_release.entry_points import ConsoleScript
from kfp_release.errors import ReleaseError
from kfp_release.json_text import BadJson, read_json
from kfp_release.python_path import child_environment

TIMEOUT = 60.0
"""Seconds for all programs together."""
_LONGEST = 4 * 1024 * 1024
"""Bytes of their answer."""


@dataclass(frozen=True, slots=True)
class Program:
    """One console script: its options, or why they cannot be told."""

    name: str
    options: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset()
    """Those of `options` that take no value."""
    required: tuple[tuple[str, ...], ...] = ()
    """The names of each option that a call must have."""
    values: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """How many words each of `options` takes, at least and at most; without those of which that cannot be told."""
    positionals: int | None = None
    """How many words it takes at most that belong to no option; None where there is no bound, or none can be told."""
    missing: str = ""
    """Why its function is none that could be called."""
    error: str = ""
    """Why its parser cannot be had."""


def read_programs(scripts: Collection[ConsoleScript], *, source: Path, timeout: float = TIMEOUT) -> dict[str, Program]:
    """Ask the programs of `scripts`, whose modules are in the folder `source`.

    They run in one process of their own, without this one's environment. Raise `ReleaseError` where it gives no answer.
    """
    if not scripts:
        return {}
    try:
        child = subprocess.run(
            [sys.executable, "-P", "-m", "kfp_release.program_parsers"],
            input=json.dumps({script.name: (script.module, script.function) for script in scripts}),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            env=child_environment(source),
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ReleaseError(
            f"the programs {', '.join(sorted(script.name for script in scripts))} gave no answer within {timeout:g} s",
            remedy="importing a program's module must do nothing but define it",
        ) from error
    try:
        answers = read_json(child.stdout.encode(), most=_LONGEST)
        return {name: _program(name, answer) for name, answer in answers.items()}
    # Its module may have written there too.
    except (BadJson, LookupError, TypeError, ValueError, AttributeError) as error:
        last = (child.stderr.strip().splitlines() or ["it said nothing"])[-1][:300]
        raise ReleaseError(
            f"asking the programs for their options ended with exit code {child.returncode}: {last}",
            remedy="importing a program's module must do nothing but define it",
        ) from error


def _program(name: str, answer: Mapping[str, Any]) -> Program:
    if "options" not in answer:
        return Program(name, missing=str(answer.get("missing", "")), error=str(answer.get("error", "")))
    required = tuple(_texts(options) for options in answer["required"] if options)
    options, flags = frozenset(_texts(answer["options"])), frozenset(_texts(answer["flags"]))
    values = {option: _bounds(bounds) for option, bounds in answer["values"].items()}
    positionals = answer["positionals"]
    return Program(name, options, flags, required, values, None if positionals is None else _count(positionals))


def _bounds(value: Any) -> tuple[int, int]:
    least, most = value
    return _count(least), _count(most)


def _count(value: Any) -> int:
    if not isinstance(value, int):
        raise TypeError(value)
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise TypeError(value)
    return tuple(value)
