"""Scratch repositories with commits of a fixed time, and what is in them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

TIME = 1_700_000_000
IDENTITY = {
    "GIT_AUTHOR_NAME": "Test",
    "GIT_AUTHOR_EMAIL": "test@example.com",
    "GIT_COMMITTER_NAME": "Test",
    "GIT_COMMITTER_EMAIL": "test@example.com",
    "GIT_AUTHOR_DATE": f"{TIME} +0000",
    "GIT_COMMITTER_DATE": f"{TIME} +0000",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


def run(folder: Path, *arguments: str | Path) -> str:
    environ = {name: text for name, text in os.environ.items() if not name.startswith("GIT_")} | IDENTITY
    return subprocess.run(
        ["git", "-C", folder, *arguments], env=environ, check=True, capture_output=True, text=True
    ).stdout.strip()


def commit(folder: Path, name: str = "a.txt", text: str = "a\n") -> str:
    (folder / name).write_text(text, encoding="utf-8")
    run(folder, "add", "--all")
    run(folder, "commit", "--quiet", "--allow-empty", f"--message={name}")
    return run(folder, "rev-parse", "HEAD")


def state(folder: Path) -> dict[str, bytes]:
    """All files, git's own too."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def new_repository(folder: Path) -> Path:
    """One commit, no tags."""
    folder.mkdir()
    run(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, "pyproject.toml", "[tool.setuptools_scm]\n")
    return folder
