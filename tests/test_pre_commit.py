"""The pre-commit hook, with pre-commit itself, in a repository that uses this one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import PROJECT, commit_all, copy_project, run_git
from test_check import FILES, change

HOOKS = PROJECT / ".pre-commit-hooks.yaml"


def pre_commit(folder: Path, home: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    environ = {name: text for name, text in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(
        [sys.executable, "-m", "pre_commit", *arguments],
        cwd=folder,
        env={**environ, "PRE_COMMIT_HOME": str(home), "PRE_COMMIT_COLOR": "never"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pre-commit keeps what it installs: once for all tests of the module."""
    return tmp_path_factory.mktemp("pre-commit")


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository at a tag, as another team clones it."""
    folder = copy_project(tmp_path_factory.mktemp("tool"))
    run_git(folder, "tag", "v1.0")
    return folder


@pytest.fixture
def project(tool: Path, tmp_path: Path) -> Path:
    """Another team's components, and their pre-commit configuration."""
    for path, text in FILES.items():
        place = tmp_path / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    used = {"repo": tool.as_uri(), "rev": "v1.0", "hooks": [{"id": "kfp-release-check"}]}
    (tmp_path / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [used]}), encoding="utf-8")
    run_git(tmp_path, "init", "--quiet")
    commit_all(tmp_path, "Components")
    return tmp_path


def test_it_passes_where_nothing_is_wrong(project: Path, home: Path) -> None:
    done = pre_commit(project, home, "run", "--all-files")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^kfp-release check\.+Passed$", done.stdout, re.MULTILINE)


def test_it_fails_with_file_line_and_remedy_where_something_is(project: Path, home: Path) -> None:
    change(project, "yaml/train.yaml", "type: Float", "type: Floot")
    run_git(project, "add", "--all")
    done = pre_commit(project, home, "run")
    assert done.returncode == 1
    assert "\nyaml/train.yaml:3: input 'rate' has the type 'Floot', which kfp takes for an artifact" in done.stdout
    assert "\n  → did you mean Float?\n" in done.stdout


@pytest.mark.parametrize("path", ["README.md", "requirements.lock", "src/demo_parts/train.py", "images/gpu.Dockerfile"])
def test_it_runs_whatever_has_changed(project: Path, home: Path, path: str) -> None:
    changed = project / path
    changed.parent.mkdir(parents=True, exist_ok=True)
    with changed.open("a", encoding="utf-8") as file:
        file.write("\n# changed\n")
    run_git(project, "add", "--all")
    done = pre_commit(project, home, "run")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^kfp-release check\.+Passed$", done.stdout, re.MULTILINE)


def test_a_program_that_is_deleted_fails_though_no_other_file_has_changed(project: Path, home: Path) -> None:
    run_git(project, "rm", "--quiet", "src/demo_parts/train.py")
    done = pre_commit(project, home, "run")
    assert done.returncode == 1
    assert "program train cannot tell its options" in done.stdout


def test_a_program_s_option_that_is_renamed_fails_though_no_component_file_has_changed(
    project: Path, home: Path
) -> None:
    change(project, "src/demo_parts/train.py", '"--data", "--table"', '"--data"')
    run_git(project, "add", "--all")
    done = pre_commit(project, home, "run")
    assert done.returncode == 1
    assert "yaml/train.yaml:14: passes --table, which train does not take" in done.stdout


def test_a_project_in_a_folder_is_checked_with_paths_from_there(
    tool: Path, project: Path, tmp_path_factory: pytest.TempPathFactory, home: Path
) -> None:
    top = tmp_path_factory.mktemp("top")
    project.rename(top / "components")
    (top / "components/.git").rename(top / ".git")
    hook = {"id": "kfp-release-check", "args": ["-C", "components", "check"]}
    used = {"repo": tool.as_uri(), "rev": "v1.0", "hooks": [hook]}
    (top / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [used]}), encoding="utf-8")
    change(top / "components", "Dockerfile", "ARG BASE\n", "ARG BASE\nENTRYPOINT x\n")
    commit_all(top, "In a folder")
    done = pre_commit(top, home, "run", "--all-files")
    assert done.returncode == 1
    assert "\nDockerfile:2: has an ENTRYPOINT" in done.stdout


def test_it_installs_the_tool_and_what_the_check_imports_alone(project: Path, home: Path) -> None:
    assert pre_commit(project, home, "run", "--all-files").returncode == 0
    installed = {path.name.partition("-")[0] for path in home.glob("repo*/py_env*/lib/*/site-packages/*.dist-info")}
    named = {"click", "packaging", "pyyaml", "kfp_release"}
    assert named <= installed
    assert installed - named <= {"kubeflow_demo_components", "pip", "setuptools", "wheel"}


def test_it_is_checked_with_the_versions_that_are_locked() -> None:
    (hook,) = yaml.safe_load(HOOKS.read_text(encoding="utf-8"))
    pinned = [word.lower() for word in hook["additional_dependencies"] if "==" in word]
    lock = (PROJECT / "locks/release.lock").read_text(encoding="utf-8")
    assert pinned
    assert [word for word in pinned if f"\n{word} \\" not in f"\n{lock}"] == []


@pytest.mark.parametrize(
    ("command", "name"),
    [("validate-manifest", ".pre-commit-hooks.yaml"), ("validate-config", ".pre-commit-config.yaml")],
)
def test_pre_commit_takes_the_files_of_this_repository(command: str, name: str, tmp_path: Path) -> None:
    done = pre_commit(PROJECT, tmp_path, command, name)
    assert done.returncode == 0, done.stdout + done.stderr


def test_pre_commit_takes_the_examples_of_the_docs(tmp_path: Path) -> None:
    page = (PROJECT / "docs/components.md").read_text(encoding="utf-8")
    examples = re.findall(r"^```yaml\n(repos:.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(examples) == 3
    for number, text in enumerate(examples):
        (tmp_path / f"{number}.yaml").write_text(text, encoding="utf-8")
        done = pre_commit(PROJECT, tmp_path, "validate-config", tmp_path / f"{number}.yaml")
        assert done.returncode == 0, done.stdout + done.stderr


def test_this_repository_s_own_hooks_stop_a_commit_that_is_wrong(tool: Path, tmp_path: Path, home: Path) -> None:
    clone = tmp_path / "clone"
    run_git(tmp_path, "clone", "--quiet", str(tool), str(clone))
    (clone / ".venv").symlink_to(Path(sys.prefix))
    assert pre_commit(clone, home, "install").returncode == 0
    (clone / "src/kubeflow_demo_components/odd.py").write_text("import os\n", encoding="utf-8")
    change(clone, "yaml/multiply.yaml", "type: Float", "type: Floot")
    run_git(clone, "add", "yaml", "src")
    environ = {**os.environ, "PRE_COMMIT_HOME": str(home)}
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
    done = subprocess.run(
        ["git", *identity, "commit", "-m", "Odd"], cwd=clone, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "yaml/multiply.yaml:4: input 'a' has the type 'Floot'" in done.stderr
    assert "`os` imported but unused" in done.stderr


def test_this_repository_s_own_hook_runs_where_a_file_is_deleted_alone(tool: Path, tmp_path: Path, home: Path) -> None:
    clone = tmp_path / "clone"
    run_git(tmp_path, "clone", "--quiet", str(tool), str(clone))
    (clone / ".venv").symlink_to(Path(sys.prefix))
    run_git(clone, "rm", "--quiet", "src/kubeflow_demo_components/programs/multiply.py")
    done = pre_commit(clone, home, "run", "kfp-release-check")
    assert done.returncode == 1
    assert "program multiply cannot tell its options" in done.stdout
