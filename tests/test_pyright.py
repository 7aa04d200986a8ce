"""How the tests get pyright: as a lock says, and with a word where something is missing."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from type_checkers import PROJECT, pyright_program

SCRIPT = PROJECT / ".ci/pyright.py"
LOCK = PROJECT / "locks/pyright/package-lock.json"


def run(project: Path, path: str) -> subprocess.CompletedProcess[str]:
    """The script of a copy of this project that has nothing but what it needs."""
    for file in (SCRIPT, SCRIPT.with_name("npm_lock.py"), LOCK, LOCK.with_name("package.json")):
        target = project / file.relative_to(PROJECT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    command: tuple[str | Path, ...] = (sys.executable, project / SCRIPT.relative_to(PROJECT))
    return subprocess.run(command, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("folder", "package"), [("axe", "axe-core"), ("pyright", "pyright")])
def test_a_lock_has_a_hash_for_all_and_names_no_registry(folder: str, package: str) -> None:
    lock = PROJECT / "locks" / folder / "package-lock.json"
    text = lock.read_text(encoding="utf-8")
    assert "://" not in text
    packages = json.loads(text)["packages"]
    wanted = json.loads(lock.with_name("package.json").read_text(encoding="utf-8"))["dependencies"]
    assert packages[""]["dependencies"] == wanted
    assert packages[f"node_modules/{package}"]["version"] == wanted[package]
    assert all(re.match("sha512-", package["integrity"]) for name, package in packages.items() if name)


def test_it_is_the_locked_version_and_runs() -> None:
    version = json.loads(LOCK.read_text(encoding="utf-8"))["packages"]["node_modules/pyright"]["version"]
    done = subprocess.run(["node", pyright_program(), "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"pyright {version}\n"


@pytest.mark.parametrize(("there", "missing"), [([], "node and npm"), (["node"], "npm"), (["npm"], "node")])
def test_what_is_missing_is_said(tmp_path: Path, there: list[str], missing: str) -> None:
    (tmp_path / "bin").mkdir()
    for name in there:
        (tmp_path / "bin" / name).symlink_to(shutil.which("true") or "")
    done = run(tmp_path / "project", str(tmp_path / "bin"))
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        done.stderr
        == f"error: {missing} is missing; pyright needs node 14 or newer and npm: apt-get install nodejs npm\n"
    )


def test_an_npm_that_fails_is_quoted_and_nothing_is_taken_for_installed(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/node").symlink_to(shutil.which("true") or "")
    npm = tmp_path / "bin/npm"
    npm.write_text("#!/bin/sh\necho 'npm error code ENOTFOUND' >&2\nexit 1\n", encoding="utf-8")
    npm.chmod(0o755)
    for _ in range(2):
        done = run(tmp_path / "project", str(tmp_path / "bin"))
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == "error: npm did not install pyright; it said:\nnpm error code ENOTFOUND\n\n"
