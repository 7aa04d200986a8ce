"""The real parts that integration tests stand on: a sandbox, and scratch repositories of this project."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from ecr_fixtures import LocalEcr, running_ecr
from hypothesis import HealthCheck, settings

from kfp_release.progress import Silent
from kfp_release.sandbox import Sandbox

PROJECT = Path(__file__).resolve().parent.parent

_OF_THE_MACHINE = ("AWS_", "TWINE_", "KFP_RELEASE_", "SETUPTOOLS_SCM_", "TTY_", "GITHUB_")
_OF_THE_TERMINAL = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "CI", "PYTHONUNBUFFERED", "SOURCE_DATE_EPOCH")


def _settle() -> None:
    """Whoever runs the tests, from whatever shell: the same environment for them, and for what they start."""
    for name in list(os.environ):
        if (name.startswith(_OF_THE_MACHINE) and not name.endswith("_CA_BUNDLE")) or name in _OF_THE_TERMINAL:
            del os.environ[name]
    os.environ |= {"TERM": "xterm", "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"}
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1", "localhost"]))
    os.umask(0o022)
    # A shell that runs them in the background has them, and all that they start, ignore Ctrl-C.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # On a busy machine an example may take its time; and what passed here passes there.
    settings.register_profile("suite", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("suite")


_settle()

LONG = (
    *("test_demo", "test_act_two_images", "test_components_page", "test_act_new_team", "test_interrupt", "test_act"),
    *("test_new_team", "test_rebuild", "test_pipeline_repo", "test_aws_actions", "test_release", "test_operations"),
    *("test_engine", "test_act_pipeline_repo", "test_faults", "test_release_to_indexes", "test_local_run"),
    *("test_pre_commit", "test_chaos", "test_types", "test_pipelines_page", "test_aws_index_actions"),
)
"""Modules of a minute or so. Of two that follow each other one needs no engine, for engines take turns."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first: two processes take modules in this order, and neither is to wait for the other's last."""
    order = {name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))


SMALL_DOCKERFILE = """\
ARG BASE
FROM ${BASE}
RUN SOURCE_DATE_EPOCH=315532800 python3 -m venv --without-pip /opt/app
ENV PATH=/opt/app/bin:/usr/local/bin:/usr/bin:/bin
USER 10001:10001
"""
"""A runtime with an interpreter and nothing else: enough for multiply, and built in seconds."""


def run_git(repository: Path, *arguments: str) -> str:
    """Git with an identity of its own, whatever the machine has configured."""
    identity = {
        "GIT_AUTHOR_NAME": "Test",
        "GIT_AUTHOR_EMAIL": "test@example.com",
        "GIT_COMMITTER_NAME": "Test",
        "GIT_COMMITTER_EMAIL": "test@example.com",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | identity
    return subprocess.run(
        ["git", "-C", repository, *arguments], env=environ, check=True, capture_output=True, text=True
    ).stdout


def commit_all(repository: Path, message: str) -> str:
    """Commit everything; the commit's 40 hex digits."""
    run_git(repository, "add", "--all")
    run_git(repository, "commit", "--quiet", "--allow-empty", f"--message={message}")
    return run_git(repository, "rev-parse", "HEAD").strip()


def copy_project(target: Path, *, whole: bool = False) -> Path:
    """The files of this project in a new git repository with one commit and no tags.

    Unless it is to be `whole`, of its images the small one alone.
    """
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, names.split("\0")):
        if (PROJECT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, target / name)
    if not whole:
        _leave_one_image(target)
    run_git(target, "init", "--quiet", "--initial-branch=main")
    commit_all(target, "Components")
    return target


def _leave_one_image(project: Path) -> None:
    """Take the image `training` away, and the components that name it: to build it takes a test's whole time."""
    pyproject = project / "pyproject.toml"
    text = pyproject.read_text(encoding="utf-8")
    (repository,) = re.findall(r'^repository = "(\S+/training)"$', text, re.MULTILINE)
    section = re.compile(
        r"^\[tool\.kfp-release\.images\.training\]\n.*?(?=^\[tool\.kfp-release\.index)", re.MULTILINE | re.DOTALL
    )
    pyproject.write_text(section.sub("", text), encoding="utf-8")
    for path in (project / "yaml").glob("*.yaml"):
        if f"image: {repository}\n" in path.read_text(encoding="utf-8"):
            path.unlink()


def kfp_release(
    arguments: Sequence[str | Path], *, cwd: Path, environ: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """The command as a user runs it, with nothing of the machine's AWS or index settings, nor of the user's cache."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TWINE_", "KFP_", "GIT"))}
    if bundle := os.environ.get("AWS_CA_BUNDLE"):
        kept["AWS_CA_BUNDLE"] = bundle
    return subprocess.run(
        [sys.executable, "-m", "kfp_release", *arguments],
        cwd=cwd,
        env={**kept, "XDG_CACHE_HOME": str(PROJECT / "build" / "test-cache"), **environ},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalEcr]:
    """A registry with the stand-in for ECR before it."""
    with running_ecr(tmp_path_factory.mktemp("ecr")) as running:
        yield running


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox for one module's tests: ECR, index and base image, no engine."""
    with Sandbox(tmp_path_factory.mktemp("sandbox"), progress=Silent()) as running:
        yield running


@pytest.fixture(scope="module")
def engines_turn() -> Iterator[None]:
    """Tests may run in several processes, and engines share the machine's bridge and firewall: one at a time."""
    lock = PROJECT / "build" / "engine.lock"
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="module")
def engine_sandbox(engines_turn: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:  # noqa: ARG001 - in its turn
    """A sandbox with a Docker engine."""
    with Sandbox(tmp_path_factory.mktemp("sandbox"), engine=True, progress=Silent()) as running:
        yield running


def make_scratch_project(folder: Path) -> Path:
    """A clean repository of this project with a small runtime, no tags yet."""
    folder.mkdir()
    copy_project(folder)
    (folder / "Dockerfile").write_text(SMALL_DOCKERFILE, encoding="utf-8")
    commit_all(folder, "A small runtime")
    return folder


@pytest.fixture
def scratch_project(tmp_path: Path) -> Path:
    """One of the test's own."""
    return make_scratch_project(tmp_path / "project")
