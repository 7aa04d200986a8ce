"""The git program: run with argument lists, in an environment that no caller, hook or user setting changes."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from kfp_release.errors import MAKE_ROOM, ReleaseError
from kfp_release.terminal_text import one_line

_FIXED = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_ATTR_NOSYSTEM": "1",
}
_OPTIONS = (
    "--no-optional-locks",  # looking must not write the index
    "--literal-pathspecs",
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.quotePath=false"),
    *("-c", "core.attributesFile=/dev/null"),
)
_REPOSITORY = re.compile(r"repository at '([^'\n]+)'")
_UNKNOWN = re.compile(r"not a tree|not a valid object|bad object|unable to read tree")
_FULL = re.compile(r"no space left|disk quota exceeded|out of diskspace|unable to write file", re.IGNORECASE)
"""The system's words, and git's own: for the index, and all that it says of a file that it checks out."""
_TIMEOUT = 600
"""Seconds."""


class GitFailed(ReleaseError):
    """git ended with an error. `status` is its exit code."""

    def __init__(self, message: str, *, status: int, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.status = status


def git_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` without what would lead git elsewhere (GIT_DIR of a hook, say), and without prompts.

    GIT_CONFIG… stays: it holds safe.directory on some CI systems.
    """
    kept = {name: text for name, text in environ.items() if not name.startswith("GIT_") or "GIT_CONFIG" in name}
    return {**kept, **_FIXED}


def run_git(root: Path, arguments: Sequence[str], *, data: bytes = b"") -> bytes:
    """What git prints, run in `root` with `data` on its standard input.

    Raise `GitFailed` with the remedy, or `ReleaseError` where it cannot run.
    """
    root = root.resolve()  # for the messages: "." does not say where
    if not root.is_dir():
        raise ReleaseError(f"{root} is not a folder", remedy="name the project's folder with -C")
    try:
        ended = subprocess.run(  # noqa: S603 - a list, and names from outside stand behind --end-of-options or --
            ["git", *_OPTIONS, *arguments],  # noqa: S607 - the user's git, found on PATH
            cwd=root,
            env=git_environment(os.environ),
            input=data,
            capture_output=True,
            check=False,
            timeout=_TIMEOUT,
            umask=0o022,  # a clone's modes must not depend on who makes it
        )
    except FileNotFoundError as error:
        raise ReleaseError("git is not installed, or not on PATH", remedy="apt-get install git") from error
    except (OSError, ValueError) as error:
        raise ReleaseError(f"git cannot be run in {root}: {error}") from error
    except subprocess.TimeoutExpired as error:
        raise ReleaseError(f"git {arguments[0]} took more than {_TIMEOUT} seconds in {root}") from error
    if ended.returncode:
        raise _failure(root, arguments[0], ended.stderr.decode(errors="replace"), ended.returncode)
    return ended.stdout


def _failure(root: Path, command: str, stderr: str, status: int) -> GitFailed:
    if "dubious ownership" in stderr:
        found = _REPOSITORY.search(stderr)
        return GitFailed(
            f"git refuses {root}, which belongs to another user",
            remedy=f"git config --global --add safe.directory {found[1] if found else root}",
            status=status,
        )
    if "not a git repository" in stderr:
        return GitFailed(
            f"{root} is not in a git repository",
            remedy="run it in a clone of your repository, or name one with -C",
            status=status,
        )
    if "must be run in a work tree" in stderr:
        return GitFailed(
            f"{root} is a bare repository", remedy="git clone it and run there: files are needed", status=status
        )
    said = one_line(stderr, 500) or "nothing"
    remedy = "git fetch --all --tags brings what this clone lacks" if _UNKNOWN.search(stderr) else ""
    if _FULL.search(stderr):
        remedy = MAKE_ROOM
    message = f"git {command} failed in {root} with exit code {status}; it said: {said}"
    return GitFailed(message, status=status, remedy=remedy)
