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
from new_team import NAME, PACKAGE, REPOSITORY, TOOL, Team, release_tool
from test_act import ROLES, Act, _index_secrets

from kfp_release.sandbox import Sandbox

CALLED = f"kubeflow-demo/components@v{TOOL}"


@dataclass(frozen=True)
class TeamAct(Act):
    """Their repository on GitHub; `CALLED` is this checkout."""

    def secrets(self) -> dict[str, str]:
        return {**_index_secrets(self.sandbox.environ), "PIP_INDEX_URL": self.sandbox.pip_index_url}

    def workflows(self) -> list[Path]:
        return [*super().workflows(), *PROJECT.glob(".github/workflows/re*.yml")]

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
def run(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """0.1, released by their workflow."""
    folder = tmp_path_factory.mktemp("team")
    release_tool(folder, sandbox)
    team = Team(folder, sandbox)
    team.begin()
    (team.repository / "Dockerfile").write_text(SMALL_DOCKERFILE, encoding="utf-8")
    commit_all(team.repository, "A small runtime")
    run_git(team.repository, "remote", "set-url", "origin", "https://github.com/forecasting/components.git")
    run_git(team.repository, "tag", "v0.1")
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
