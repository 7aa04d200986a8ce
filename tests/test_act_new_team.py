"""Another team's release workflow, which calls this project's, run by act against the sandbox."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import PROJECT, SMALL_DOCKERFILE, commit_all, run_git
from ecr_fixtures import ecr_of
from new_team import NAME, PACKAGE, PAGE, REPOSITORY, TOOL, Team, release_tool
from pages import commands
from test_act import ROLES, Act, _index_secrets

from kfp_release.cache import cache_folder
from kfp_release.sandbox import Sandbox

CALLED = f"kubeflow-demo/components@v{TOOL}"


@dataclass(frozen=True)
class TeamAct(Act):
    """Their repository on GitHub; `CALLED` is this checkout."""

    def secrets(self) -> dict[str, str]:
        return {**_index_secrets(self.sandbox.environ), "PIP_INDEX_URL": self.sandbox.pip_index_url}

    def variables(self) -> dict[str, str]:
        return {**super().variables(), "CATALOG": "pages"}

    def workflows(self) -> list[Path]:
        called = [PROJECT / ".github/workflows" / f"{name}.yml" for name in ("release", "reconcile", "catalog")]
        return [*super().workflows(), *called]

    def stand_ins(self) -> list[str]:
        of_actions = [each for each in super().stand_ins() if "=kubeflow-demo/" not in each]
        return [*of_actions, f"--local-repository={CALLED}={PROJECT}"]


@dataclass(frozen=True)
class Run:
    """What came of one run."""

    act: TeamAct
    said: str
    roles: list[str]
    record: Any

    @property
    def sandbox(self) -> Sandbox:
        return self.act.sandbox


@pytest.fixture(scope="module")
def team(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Team:
    """Their repository, tagged as 0.1."""
    folder = tmp_path_factory.mktemp("team")
    release_tool(folder, sandbox)
    team = Team(folder, sandbox)
    team.begin()
    (team.repository / "Dockerfile").write_text(SMALL_DOCKERFILE, encoding="utf-8")
    commit_all(team.repository, "A small runtime")
    run_git(team.repository, "remote", "set-url", "origin", "https://github.com/forecasting/components.git")
    run_git(team.repository, "tag", "v0.1")
    return team


@pytest.fixture(scope="module")
def run(team: Team, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """0.1, released by their workflow."""
    sandbox = team.sandbox
    ecr_of(sandbox).create_repository(repositoryName=REPOSITORY, imageTagMutability="IMMUTABLE")
    act = TeamAct(tmp_path_factory.mktemp("act"), team.repository, sandbox, "forecasting")
    done = act.run("release.yml", "push", "refs/tags/v0.1")
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    record = json.loads((act.folder / "github-release/release.json").read_text())
    return Run(act, done.stdout, (act.folder / "roles").read_text().splitlines(), record)


def test_their_tag_is_released_by_the_workflow_of_this_project(run: Run) -> None:
    assert (run.record["version"], run.record["distribution"]) == ("0.1", NAME)
    (image,) = ecr_of(run.sandbox).describe_images(repositoryName=REPOSITORY, imageIds=[{"imageTag": "0.1"}])[
        "imageDetails"
    ]
    assert run.record["images"]["parts"]["pin"].endswith(f"/{REPOSITORY}:0.1@{image['imageDigest']}")
    public = {path.name for path in run.sandbox.packages.glob(f"{PACKAGE}-*")}
    assert public == {item["filename"] for item in run.record["distributions"]}
    assert len(public) == 2


def test_each_job_takes_the_role_that_it_takes_in_this_project(run: Run) -> None:
    jobs = [line.partition(" ") for line in run.roles]
    assert [(job, role) for job, _, role in jobs] == [
        ("look", ROLES["READ"]),
        ("runtime", ROLES["WRITE"]),
        ("plan", ROLES["READ"]),
        ("publish", ROLES["WRITE"]),
        ("verify", ROLES["READ"]),
    ]


def test_the_tool_comes_from_the_index_and_the_build_takes_its_requirements_from_it(run: Run) -> None:
    assert run.record["tools"]["kfp-release"] == TOOL
    assert f"kfp-release=={TOOL}" in run.said  # of the build requirements


def test_the_index_s_password_is_in_no_log(run: Run) -> None:
    assert run.sandbox.environ["TWINE_PASSWORD"] not in run.said
    assert not re.search(r"://[^/\s]*:[^/\s*]+@127", run.said)


def test_every_night_their_tags_are_compared_by_the_workflow_of_this_project(run: Run) -> None:
    done = run.act.run("reconcile.yml", "schedule", "refs/heads/main")
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    assert f"{NAME}: 1 in order" in done.stdout


def test_a_site_of_what_they_released_is_published_by_the_workflow_of_this_project(run: Run) -> None:
    roles = run.act.folder / "roles"
    roles.unlink()
    workflow = run.act.repository / ".github/workflows/catalog.yml"
    text = workflow.read_text()
    workflow.write_text(re.sub(r"^ *cache-mode: .*\n", "", text, flags=re.MULTILINE))  # which act does not know yet
    done = run.act.run("catalog.yml", "workflow_dispatch", "refs/heads/main")
    workflow.write_text(text)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    assert roles.read_text().split() == ["site", ROLES["READ"]]
    pages = run.act.folder / "pages"
    assert "add_op" in (pages / "index.html").read_text()
    assert run.record["images"]["parts"]["pin"].partition("@")[2] in (pages / "versions/0.1.html").read_text()


def test_on_a_machine_alone_the_same_release_goes_to_a_sandbox(team: Team, tmp_path: Path) -> None:
    """As the page says, in a clone with an environment of its own. The sandbox's base image is this machine's."""
    cache = team.folder / "cache/kfp-release"
    cache.mkdir(parents=True, exist_ok=True)
    for made in (path for path in cache_folder().iterdir() if path.is_dir() and path.name != "runtimes"):
        (cache / made.name).symlink_to(made)
    run_git(tmp_path, "clone", "--quiet", str(team.repository), "clone")
    lines = [line for line in commands(PAGE, "The first release") if line.startswith(("pip ", "kfp-release sandbox"))]
    assert len(lines) == 2
    said = team.run(["python3 -m venv --without-pip .venv", ". .venv/bin/activate", *lines], tmp_path / "clone")
    assert said.startswith(f"{NAME} 0.1 is released\n")
    assert re.search(rf"{PACKAGE}-0\.1-py3-none-any\.whl +sent ", said)
    (host,) = {*re.findall(rf"(127\.0\.0\.1:\d+)/{REPOSITORY}:0\.1@sha256:", said)}
    assert host != team.sandbox.environ["KFP_RELEASE_REGISTRY"]
