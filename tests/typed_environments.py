"""Environments with the package, whose components are more than this project's: installed, and as a checkout."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import commit_all, copy_project, run_git
from type_checkers import Environment
from typed_components import write_components


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this project with more components."""
    folder = copy_project(tmp_path_factory.mktemp("types") / "project")
    write_components(folder / "yaml")
    commit_all(folder, "More components")
    run_git(folder, "tag", "v1.0")
    return folder


@pytest.fixture(scope="module")
def installed(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """With the wheel."""
    folder = tmp_path_factory.mktemp("installed")
    command = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index")
    subprocess.run([*command, "--wheel-dir", folder, project], check=True, capture_output=True)
    environment = Environment.make(folder / "venv")
    environment.install(*folder.glob("*.whl"))
    assert (environment.site_packages / "kubeflow_demo_components/py.typed").is_file()
    return environment


@pytest.fixture(scope="module")
def editable(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """With the checkout, as developers have it."""
    environment = Environment.make(tmp_path_factory.mktemp("editable") / "venv")
    environment.install("--no-build-isolation", "--editable", project)
    assert not (environment.site_packages / "kubeflow_demo_components").exists()
    assert run_git(project, "status", "--porcelain") == ""
    return environment


@pytest.fixture(params=["installed", "editable"])
def environment(request: pytest.FixtureRequest) -> Environment:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Environment)
    return found
