"""What `kfp-release init` writes, held against this repository and against the linters of workflows."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import PROJECT, run_git

from kfp_release.config import Config
from kfp_release.index_settings import IndexUrls
from kfp_release.new_project import parse_answers
from kfp_release.template_files import filled_templates
from kfp_release.tool_pin import TOOL_LOCK, ToolPin

BIN = Path(sys.executable).parent
CATALOG = ".github/workflows/catalog.yml"
ANSWERS = parse_answers(
    {
        "distribution": "forecasting-components",
        "repository": "533211398604.dkr.ecr.eu-north-1.amazonaws.com/forecasting/parts",
        "source": "https://github.com/forecasting/components",
        "index-url": "https://pypi.data-science.example/simple/",
    },
    defaults={},
)
FILES = filled_templates(ANSWERS, ToolPin.of("1.1"))
PYPROJECT = tomllib.loads(FILES["pyproject.toml"])
OURS: Any = tomllib.loads((PROJECT / "pyproject.toml").read_text())


@pytest.fixture(scope="module", params=["", "c0ffee" * 6 + "c0de"], ids=["tag", "commit"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All files, the release workflow called by the version's tag, or by a commit."""
    folder = tmp_path_factory.mktemp("files")
    for path, text in filled_templates(ANSWERS, ToolPin.of("1.1", request.param)).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    run_git(folder, "init", "--quiet")
    return folder


def test_actionlint_and_the_pedantic_zizmor_find_nothing(folder: Path) -> None:
    for command in (
        ["actionlint"],
        ["zizmor", "--quiet", "--offline", "--persona", "pedantic", "--no-config", ".github"],
    ):
        done = subprocess.run([BIN / command[0], *command[1:]], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_pre_commit_takes_the_configuration(folder: Path) -> None:
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "pre_commit",
        "validate-config",
        folder / ".pre-commit-config.yaml",
    ]
    assert subprocess.run(command, check=False, capture_output=True, text=True).returncode == 0


def test_ruff_finds_nothing_of_note_in_the_programs(folder: Path) -> None:
    command: list[str | Path] = [BIN / "ruff", "check", "--isolated", "--line-length=120", "--select=E,F,W,I,UP,B", "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_no_placeholder_is_left_and_every_file_ends_with_a_line() -> None:
    for path, text in FILES.items():
        assert "@@" not in path + text
        assert text.endswith("\n")
        assert not text.endswith("\n\n")


@pytest.mark.parametrize("name", ["release.yml", "reconcile.yml", "catalog.yml"])
def test_a_workflow_passes_every_secret_and_grants_what_the_jobs_ask_for(name: str) -> None:
    called = yaml.safe_load((PROJECT / ".github/workflows" / name).read_text())
    (job,) = yaml.safe_load(FILES[f".github/workflows/{name}"])["jobs"].values()
    assert f"/{name}@v1.1" in job["uses"]
    assert set(job["secrets"]) == set(called[True]["workflow_call"]["secrets"])
    asked: dict[str, str] = {}
    for each in called["jobs"].values():
        asked |= {right: level for right, level in each["permissions"].items() if asked.get(right) != "write"}
    assert job["permissions"] == asked


@pytest.mark.parametrize("name", ["release.yml", "reconcile.yml", "catalog.yml"])
def test_caller_and_called_have_other_concurrency_groups(name: str) -> None:
    texts = (FILES[f".github/workflows/{name}"], (PROJECT / ".github/workflows" / name).read_text())
    callers, called = (groups(yaml.safe_load(text)) for text in texts)
    assert len(callers) == 1
    assert called
    assert not callers & called


def groups(workflow: dict[str, Any]) -> set[str]:
    """Of the workflow and of its jobs."""
    parts = [workflow, *workflow["jobs"].values()]
    return {part["concurrency"]["group"].lower() for part in parts if "concurrency" in part}


def test_a_release_that_failed_takes_no_waiting_catalogs_place() -> None:
    for text in (FILES[CATALOG], (PROJECT / CATALOG).read_text()):
        value = yaml.safe_load(text)
        assert "concurrency" not in value
        (job,) = [job for job in value["jobs"].values() if "needs" not in job]
        assert """contains(fromJSON('["success", "failure"]'), github.event.workflow_run.conclusion)""" in job["if"]
        assert job["concurrency"]["cancel-in-progress"] is False


def test_actions_are_used_at_the_commits_of_this_repository() -> None:
    ours = "".join(path.read_text() for path in PROJECT.glob(".github/**/*.yml"))
    theirs = {use for text in FILES.values() for use in re.findall(r"uses: (actions/\S+ # \S+)", text)}
    assert theirs
    assert [use for use in theirs if use not in ours] == []


def test_the_locks_are_those_of_this_repository() -> None:
    for name in (TOOL_LOCK, "locks/builder.lock"):
        assert FILES[name] == (PROJECT / name).read_text(), "make lock copies it"


def test_it_is_built_with_the_versions_that_build_this_repository_and_that_its_lock_installs() -> None:
    tool, *others = PYPROJECT["build-system"]["requires"]
    assert (tool, others) == ("kfp-release==1.1", OURS["build-system"]["requires"])
    locked = re.findall(r"^(\S+==\S+)", FILES[TOOL_LOCK], re.MULTILINE)
    assert {one.lower() for one in others} <= set(locked)


def test_it_needs_the_kfp_and_has_the_base_image_of_this_repository() -> None:
    assert PYPROJECT["project"]["dependencies"] == OURS["project"]["dependencies"]
    assert PYPROJECT["project"]["requires-python"] == OURS["project"]["requires-python"]
    ours, theirs = (value["tool"]["kfp-release"]["images"] for value in (OURS, PYPROJECT))
    assert theirs["parts"]["build-args"]["BASE"] == ours["demo"]["build-args"]["BASE"]


def test_its_runtime_is_made_as_those_of_this_repository() -> None:
    def steps(text: str) -> list[str]:
        kept = [line for line in text.splitlines() if line and not line.startswith(("#", "ARG LOCK", "COPY"))]
        return "\n".join(kept).replace("${LOCK}", "requirements.lock").splitlines()

    assert steps(FILES["Dockerfile"]) == steps((PROJECT / "Dockerfile").read_text())


def test_the_settings_are_a_configuration_of_at_most_15_lines() -> None:
    config = Config.parse(FILES["pyproject.toml"].encode(), {})
    assert (config.distribution, config.package) == ("forecasting-components", "forecasting_components")
    urls = ("https://pypi.data-science.example/", "https://pypi.data-science.example/simple/")
    assert config.require_index() == IndexUrls(*urls)
    settings = FILES["pyproject.toml"].partition("[tool.kfp-release]")[2].splitlines()
    assert len(settings) <= 15


@pytest.mark.parametrize("name", ["forecasting-components", "A", "x.y_z"])
def test_any_name_gives_files_that_can_be_read(name: str) -> None:
    answers = parse_answers({**ANSWERS, "distribution": name, "package": "", "image": "a_B-0"}, defaults={})
    files = filled_templates(answers, ToolPin.of("2.0rc1"))
    assert Config.parse(files["pyproject.toml"].encode(), {}).distribution == name
    for path, text in files.items():
        if path.endswith(".py"):
            compile(text, path, "exec")
        elif path.endswith((".yml", ".yaml")):
            yaml.safe_load(text)
