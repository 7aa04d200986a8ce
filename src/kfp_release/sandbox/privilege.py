"""Root's rights, for the few things that need them: packages and a Docker engine."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin"
"""Where programs of the system are that an ordinary user's PATH does not name."""


def find(program: str) -> Path | None:
    """Where `program` is, on PATH or among the system's own."""
    found = shutil.which(program, path=f"{os.environ.get('PATH', os.defpath)}:{SYSTEM_PATH}")
    return Path(found) if found else None


def root_prefix() -> list[str] | None:
    """What to put before a command that needs root: nothing for root, ``sudo -n`` where it asks no password.

    None where neither is at hand.
    """
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo is None:
        return None
    asked = subprocess.run(  # noqa: S603 - a list of our own
        [sudo, "-n", "true"], stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    return [sudo, "-n"] if asked.returncode == 0 else None


def run_as_root(prefix: Sequence[str], *command: str | Path, data: str = "") -> str | None:
    """The output of a short command of the system, with `data` on its standard input; None where it fails."""
    words = [*prefix, *(str(word) for word in command)]
    try:
        done = subprocess.run(  # noqa: S603 - a list of our own, no shell
            words, input=data, capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
