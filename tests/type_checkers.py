"""mypy and pyright, run on programs as a pipeline's author writes them, in environments that have the package."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple, TypeAlias

import pytest

PROJECT = Path(__file__).resolve().parent.parent


class Complaint(NamedTuple):
    """What a checker says of a line, and the name of its rule."""

    line: int
    rule: str
    said: str


@dataclass(frozen=True)
class Environment:
    """A virtual environment with kfp and, in some way, the package."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        (found,) = self.folder.glob("lib/python*/site-packages")
        return found

    @classmethod
    def make(cls, folder: Path) -> Environment:
        """One with what the tests have, but for what is installed there as a checkout."""
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        environment = cls(folder)
        # Of a path that is named so, Python reads no further .pth files: those of editable installs.
        (environment.site_packages / "rest.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
        return environment

    def install(self, *arguments: str | Path) -> None:
        """pip's, with nothing from an index."""
        command = (
            sys.executable,
            "-m",
            "pip",
            "--python",
            self.python,
            "install",
            "--quiet",
            "--no-deps",
            "--no-index",
        )
        done = subprocess.run([*command, *arguments], check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


Checker: TypeAlias = Callable[[Environment, Path], list[Complaint]]

_MYPY_LINE = re.compile(r"^(.+?):(\d+): error: (.*?)(?:  \[([\w-]+)\])?$")


def _mypy(environment: Environment, program: Path, *options: str) -> list[Complaint]:
    cache_dir = program.parent / f".mypy_cache{''.join(options)}".replace("/", "_")
    command = (sys.executable, "-m", "mypy", f"--python-executable={environment.python}", f"--cache-dir={cache_dir}")
    done = subprocess.run(
        [*command, "--no-error-summary", *options, program.name],
        cwd=program.parent,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    return list(_complaints(done.stdout, program.name))


def _complaints(printed: str, name: str) -> Iterator[Complaint]:
    for line in printed.splitlines():
        if found := _MYPY_LINE.match(line):
            assert found[1] == name, line
            yield Complaint(int(found[2]), found[4] or "", found[3])
        else:
            assert ": note: " in line, line


def mypy(environment: Environment, program: Path) -> list[Complaint]:
    """As it is without a configuration, but that kfp's lack of types is none of its business."""
    return _mypy(environment, program, "--config-file=", "--disable-error-code=import-untyped")


def strict_mypy(environment: Environment, program: Path) -> list[Complaint]:
    """Strict, with the one setting that kfp needs, for it has annotations and does not say so."""
    config = program.parent / "strict.ini"
    config.write_text("[mypy]\n[mypy-kfp.*]\nfollow_untyped_imports = True\n", encoding="utf-8")
    return _mypy(environment, program, f"--config-file={config.name}", "--strict")


def strictest_mypy(environment: Environment, program: Path) -> list[Complaint]:
    """Strict, with nothing known of kfp."""
    return _mypy(environment, program, "--config-file=", "--strict")


@cache
def pyright_program() -> Path:
    """Installed as locks/pyright says, unless it is there."""
    done = subprocess.run([sys.executable, PROJECT / ".ci/pyright.py"], check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.fail(done.stderr)
    return Path(done.stdout.strip())


def pyright(environment: Environment, program: Path) -> list[Complaint]:
    """In its standard mode, which is what it is in without a configuration."""
    command = ("node", pyright_program(), f"--pythonpath={environment.python}", "--outputjson", program.name)
    done = subprocess.run(command, cwd=program.parent, check=False, capture_output=True, text=True)
    found = json.loads(done.stdout)["generalDiagnostics"]
    assert {Path(each["file"]).name for each in found} <= {program.name}
    return [
        Complaint(each["range"]["start"]["line"] + 1, each.get("rule", ""), each["message"])
        for each in found
        if each["severity"] == "error"
    ]
