"""Git with an identity of its own, whatever the machine has configured."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from kfp_release.errors import ReleaseError

_WHO = {"NAME": "Bench", "EMAIL": "bench@example.com"}
_IDENTITY = {
    **{f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in _WHO.items()},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


def git(folder: Path, *arguments: str) -> str:
    """What it prints. Raise `ReleaseError` where it fails."""
    environ = {name: text for name, text in os.environ.items() if not name.startswith("GIT_")} | _IDENTITY
    done = subprocess.run(["git", "-C", folder, *arguments], env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ReleaseError(f"git {' '.join(arguments)} failed: {done.stderr.strip()}")
    return done.stdout.strip()


def commit_all(folder: Path, message: str) -> None:
    """Commit everything that is in `folder`, which becomes a repository where it is none."""
    if not (folder / ".git").exists():
        git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", f"--message={message}")
