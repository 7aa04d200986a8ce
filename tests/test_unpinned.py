"""Wheels and sdists that are built beside something else, and end with it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from conftest import commit_all, run_git
from processes import descendants, still_running

from kfp_release.git import Git
from kfp_release.progress import Silent
from kfp_release.projects import BuildFailed
from kfp_release.source import Source, release_source
from kfp_release.unpinned import building

PYPROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "parts"
dynamic = ["version"]

[tool.setuptools_scm]

[tool.kfp-release]
package = "parts"
components = "yaml"
source = "https://example.com/parts"

[tool.kfp-release.images.demo]
repository = "533211398604.dkr.ecr.eu-north-1.amazonaws.com/team/demo"
dockerfile = "Dockerfile"
context = []
platform = "linux/amd64"
"""
SLOW = """\
import time


def build_wheel(out, config_settings=None, metadata_directory=None):
    time.sleep(600)


build_sdist = build_wheel
"""
FAILING = """\
def build_wheel(out, config_settings=None, metadata_directory=None):
    raise SystemExit("error: no luck today")


build_sdist = build_wheel
"""


def project(folder: Path, backend: str) -> Source:
    folder.mkdir()
    (folder / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    (folder / "backend.py").write_text(backend, encoding="utf-8")
    run_git(folder, "init", "--quiet", "--initial-branch=main")
    commit_all(folder, "Parts")
    run_git(folder, "tag", "v1.0")
    return release_source(Git(folder), "v1.0")


def test_an_error_beside_a_build_ends_it(tmp_path: Path) -> None:
    source = project(tmp_path / "project", SLOW)
    before = descendants(os.getpid())

    def error_beside() -> None:
        with building(tmp_path / "project", source, progress=Silent()):
            while not (started := descendants(os.getpid()) - before):
                time.sleep(0.05)
            running.update(started)
            raise ConnectionError("ECR gave no answer")

    running: set[object] = set()
    with pytest.raises(ConnectionError, match="ECR gave no answer"):
        error_beside()
    assert still_running(descendants(os.getpid()) - before) == []
    assert running


def test_a_build_that_fails_is_told_to_who_asks_for_it(tmp_path: Path) -> None:
    source = project(tmp_path / "project", FAILING)
    with building(tmp_path / "project", source, progress=Silent()) as made, pytest.raises(BuildFailed, match="no luck"):
        made()
