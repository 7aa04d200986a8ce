"""Problems on the pages of a GitHub Actions run: at the lines of the checkout's files that they are about."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from kfp_release.errors import Problem
from kfp_release.terminal_text import annotation


def is_in_actions(environ: Mapping[str, str]) -> bool:
    """Whether this is a step of GitHub Actions, which reads what it prints."""
    return environ.get("GITHUB_ACTIONS") == "true"


def github_annotations(problems: Iterable[Problem], project: Path, environ: Mapping[str, str]) -> Iterator[str]:
    """A line for each of `problems`, whose paths are relative to `project`; one that names no file says so in words.

    The checkout is ``GITHUB_WORKSPACE``, or where this runs.
    """
    for problem in problems:
        text = f"{problem.message}\n→ {problem.remedy}" if problem.remedy else problem.message
        if file := _of_checkout(project, problem.path, environ):
            yield annotation(text, severity=problem.severity, file=file, line=problem.line)
        else:
            yield annotation(f"{problem.path}: {text}" if problem.path else text, severity=problem.severity)


def _of_checkout(project: Path, path: str, environ: Mapping[str, str]) -> str:
    """The file in the checkout that a problem's path names; empty for an image's name, a variable or a missing file."""
    checkout = os.path.realpath(environ.get("GITHUB_WORKSPACE") or ".")
    file = os.path.join(os.path.realpath(project), path)  # noqa: PTH118 - as the next
    if not os.path.isfile(file):  # noqa: PTH113 - Path.is_file raises for a name that is too long
        return ""
    relative = os.path.relpath(file, checkout)
    return "" if Path(relative).parts[0] == os.pardir else relative
