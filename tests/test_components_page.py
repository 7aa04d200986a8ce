"""docs/components.md, done as it stands in a clone of this project whose version 1.0 is released, on real parts."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import PROJECT, commit_all, copy_project, kfp_release, run_git
from pages import blocks, commands

from kfp_release.sandbox import Sandbox

PAGE = PROJECT / "docs" / "components.md"
EARLIER = 1_000_000_000
"""Seconds since 1970."""


@dataclass(frozen=True)
class Component:
    """An author's clone, and what the commands of the page printed there."""

    project: Path
    kept: Path
    """The pipeline and what it gave."""
    told: dict[str, str]


@pytest.fixture(scope="module")
def author(engine_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Component:
    folder = tmp_path_factory.mktemp("components")
    project = folder / "project"
    project.mkdir()
    copy_project(project, whole=True)
    run_git(project, "tag", "v1.0")
    done = kfp_release(["release", "v1.0", "--create-repository"], cwd=project, environ=engine_sandbox.environ)
    assert done.returncode == 0, done.stderr
    (wheel,) = (project / "dist").glob("kubeflow_demo_components-*.whl")
    installed = folder / "installed"
    zipfile.ZipFile(wheel).extractall(installed)
    _add_versions(project)
    _lend_environment(project)
    environ = {
        **os.environ,
        **engine_sandbox.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    }
    told, kept = {}, folder / "kept"
    for command in commands(PAGE):
        words = shlex.split(command)
        done = subprocess.run(
            words,
            cwd=project,
            # What pipelines import is the version that was released; the tool is that of the clone it runs in.
            env={**environ, "PYTHONPATH": str(installed)} if words[0] == "python" else environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        told[command] = done.stdout
        if "--keep out" in command:  # a release is made of a clean checkout
            kept.mkdir()
            for name in ("out", "training.yaml"):
                shutil.move(project / name, kept / name)
    return Component(project, kept, told)


def _add_versions(project: Path) -> None:
    """Version 1.1 with one more component, and the CHANGELOG of 1.2."""
    text = (project / "yaml/multiply.yaml").read_text(encoding="utf-8")
    (project / "yaml/multiply_again.yaml").write_text(text.replace("Multiply", "Multiply again"), encoding="utf-8")
    changelog = project / "CHANGELOG.md"
    sections = "".join(f"## [{version}] - 2026-12-01\n\n- More.\n\n" for version in ("1.2", "1.1"))
    changelog.write_text(changelog.read_text(encoding="utf-8").replace("## [1.0]", f"{sections}## [1.0]", 1), "utf-8")
    commit_all(project, "Multiply again")
    run_git(project, "tag", "v1.1")
    commit_all(project, "Nothing")


def _lend_environment(project: Path) -> None:
    """The virtual environment of these tests, newer than all that make would set it up anew for."""
    names = run_git(project, "ls-files", "-z").split("\0")[:-1]
    for name in names:
        os.utime(project / name, (EARLIER, EARLIER))
    (project / ".venv").mkdir()
    (project / ".venv/bin").symlink_to(Path(sys.executable).parent)
    (project / ".venv/.ready").touch()


def test_the_training_pipeline_runs_on_another_table_with_another_algorithm(author: Component) -> None:
    (printed,) = [text for command, text in author.told.items() if command.startswith("python examples/run_local.py")]
    outputs: dict[str, Any] = json.loads(printed)
    assert outputs["score"] > 0.9
    report = (author.kept / "out/report.html").read_text(encoding="utf-8")
    assert f"{outputs['score']:.4f}" in report
    compiled = (author.kept / "training.yaml").read_text(encoding="utf-8")
    pinned = [line for line in compiled.splitlines() if "image:" in line]
    assert pinned
    assert all("/training:1.0@sha256:" in line for line in pinned)


def test_checks_and_diffs_say_what_the_page_says(author: Component) -> None:
    told = author.told
    assert told["kfp-release check"] == "Nothing is wrong.\n"
    assert json.loads(told["kfp-release check --json"]) == {"schema": 1, "problems": [], "errors": 0, "warnings": 0}
    assert "Nothing is wrong." in told["kfp-release check --release 1.2"]
    assert "the same interfaces" in told["kfp-release diff"]
    assert "needs: a minor version, which after 1.0 is 1.1" in told["kfp-release diff 1.0 1.1"]
    changes = json.loads(told["kfp-release diff index:1.0 HEAD --json"])["changes"]
    assert [(change["operator"], change["kind"]) for change in changes] == [("multiply_again_op", "operator-added")]
    assert told["kfp-release diff 1.0 --markdown"].startswith("### Added\n\n- `multiply_again_op")


def test_locks_and_compiled_components_were_up_to_date(author: Component) -> None:
    assert "1 unchanged" in author.told["kfp-release compile"]
    locks = ["requirements.lock", "requirements-training.lock"]
    assert run_git(author.project, "ls-files", "--", "requirements*.lock").split() == sorted(locks)
    assert run_git(author.project, "status", "--porcelain", "--", "yaml", "src", *locks) == ""


def test_the_function_of_the_page_gives_the_component_that_is_here(author: Component) -> None:
    shutil.copy2(author.project / "yaml/drop_missing.yaml", author.project / "before.yaml")
    (snippet,) = blocks(PAGE, "python")
    definitions = author.project / "src/kubeflow_demo_components/definitions.py"
    definitions.write_text(snippet, encoding="utf-8")
    done = kfp_release(["compile"], cwd=author.project, environ={})
    assert done.returncode == 0, done.stderr
    before, after = (
        yaml.safe_load((author.project / name).read_text()) for name in ("before.yaml", "yaml/drop_missing.yaml")
    )
    assert after["deploymentSpec"] == before["deploymentSpec"]
