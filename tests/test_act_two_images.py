"""The release workflow, run by act, with two images: each runtime that is missing is built by a job of its own."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import pytest
from conftest import run_git
from ecr_fixtures import ecr_of
from test_act import ROLES, Act
from test_release import change_multiply
from test_two_images import two_images

from kfp_release.sandbox import Sandbox

IMAGES = ("demo", "tables")


@dataclass(frozen=True)
class Run:
    """One run of release.yml: what it wrote, the roles that its jobs took, and the release's record."""

    said: str
    roles: list[str]
    record: Any


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> dict[str, Run]:
    """1.0 with both runtimes new, then 1.1 with none."""
    folder = tmp_path_factory.mktemp("act")
    project = two_images(folder / "project")
    run_git(project, "remote", "add", "origin", "https://github.com/kubeflow-demo/components.git")
    for name in IMAGES:
        repository = f"data-science-kubeflow/{name}"
        ecr_of(sandbox).create_repository(repositoryName=repository, imageTagMutability="IMMUTABLE")
    act, found = Act(folder, project, sandbox), dict[str, Run]()
    for version in ("1.0", "1.1"):
        if found:
            change_multiply(project)
        run_git(project, "tag", f"v{version}")
        roles = folder / "roles"
        roles.unlink(missing_ok=True)
        done = act.run("release.yml", "push", f"refs/tags/v{version}")
        assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
        record = json.loads((folder / "github-release" / "release.json").read_text())
        found[version] = Run(done.stdout, roles.read_text().splitlines(), record)
    return found


def test_each_runtime_that_is_missing_is_built_by_a_job_of_its_own(runs: dict[str, Run]) -> None:
    said, roles = runs["1.0"].said, runs["1.0"].roles
    jobs = set(re.findall(r"\[Release/(Runtime of [a-z]+)\b", said))
    assert sorted(jobs) == ["Runtime of demo", "Runtime of tables"]
    assert roles == [
        f"look {ROLES['READ']}",
        *[f"runtime {ROLES['WRITE']}"] * 2,
        f"plan {ROLES['READ']}",
        f"publish {ROLES['WRITE']}",
        f"verify {ROLES['READ']}",
    ]


def test_a_release_without_a_new_runtime_takes_no_role_that_writes_before_it_publishes(runs: dict[str, Run]) -> None:
    said, roles = runs["1.1"].said, runs["1.1"].roles
    assert "Build the runtime" not in said
    assert roles == [
        f"look {ROLES['READ']}",
        f"plan {ROLES['READ']}",
        f"publish {ROLES['WRITE']}",
        f"verify {ROLES['READ']}",
    ]


def test_both_releases_are_whole(runs: dict[str, Run]) -> None:
    for version, run in runs.items():
        images = run.record["images"]
        assert run.record["version"] == version
        assert sorted(images) == sorted(IMAGES)
        assert all(f":{version}@sha256:" in image["pin"] for image in images.values())
    keys = [{name: image["runtime_key"] for name, image in run.record["images"].items()} for run in runs.values()]
    assert keys[0] == keys[1]
