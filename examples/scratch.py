"""A scratch repository of this project: its files without their history, and a change of one component."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from running import DemoError, run

PROJECT = Path(__file__).resolve().parent.parent
MULTIPLY = Path("src/kubeflow_demo_components/programs/multiply.py")

CHANGED_SECTION = """\
## [1.1] - 2026-11-23

### Changed

- `multiply` gives the product in percent.

"""


def git(repository: Path, *arguments: str) -> str:
    """Run git with an identity of its own, whatever the machine has configured."""
    identity = {
        **{f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in AUTHOR.items()},
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    return run(["git", "-C", repository, *arguments], environ={**os.environ, **identity}, cwd=repository)


AUTHOR = {"NAME": "Demo", "EMAIL": "demo@example.com"}


def scratch_repository(target: Path) -> None:
    """A new git repository with this project's files, its history and tags left behind."""
    names = run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], environ=os.environ, cwd=PROJECT
    )
    for name in filter(None, names.split("\0")):
        if (PROJECT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, target / name)
    git(target, "init", "--quiet", "--initial-branch=main")
    commit(target, "Components")


def commit(repository: Path, message: str) -> None:
    """Commit all there is."""
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", f"--message={message}")


def change_multiply(repository: Path) -> None:
    """Change one component's code, as version 1.1."""
    program = repository / MULTIPLY
    before = program.read_text(encoding="utf-8")
    after = before.replace("return a * b\n", "return a * b * 100\n")
    if after == before:
        raise DemoError(f"{MULTIPLY} has no line `return a * b` to change")
    program.write_text(after, encoding="utf-8")
    changelog = repository / "CHANGELOG.md"
    text = changelog.read_text(encoding="utf-8")
    changelog.write_text(text.replace("## [1.0]", CHANGED_SECTION + "## [1.0]", 1), encoding="utf-8")
    commit(repository, "multiply gives percent")
