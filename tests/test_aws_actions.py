"""What the two roles may do in ECR is what the tool does there in their jobs: no action less, and none more."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from aws_stacks import AWS, allowed, client, deploy_repositories, deploy_roles, empty_account
from conftest import PROJECT, run_git
from ecr_fixtures import ecr_of
from relay import Relay
from test_release import small_project

from kfp_release.sandbox import Sandbox

pytestmark = pytest.mark.skipif(not AWS.is_dir(), reason="the sdist has no templates")

REPOSITORY = "data-science-kubeflow/demo"
NEVER_ALLOWED = {"ecr:CreateRepository"}
"""With --create-repository alone, which no job says: the template makes the repositories."""
FOR_BASES = {"ecr:GetAuthorizationToken"}
"""Only where a runtime's base image is in ECR: by the parameter BaseRepositoryArns."""
ROLES = {"vars.AWS_READ_ROLE": "read", "vars.AWS_WRITE_ROLE": "write"}


@dataclass(frozen=True)
class Allowed:
    """Actions in ECR, by the templates."""

    read: set[str]
    write: set[str]
    with_bases: set[str]
    """Of the role that writes."""
    repository: dict[str, Any]
    """Properties of the repository of images."""


@dataclass(frozen=True)
class Step:
    """One command of a job that takes a role."""

    role: str
    command: str


def jobs_steps() -> list[Step]:
    """The commands of kfp-release that the workflows run with a role, in their order; without one: ``build``."""
    found = []
    for name in ("release.yml", "reconcile.yml", "catalog.yml"):
        jobs = yaml.safe_load((PROJECT / ".github/workflows" / name).read_text(encoding="utf-8"))["jobs"]
        for job in jobs.values():
            role = "none"
            for step in job["steps"]:
                given = str(step.get("with", {}).get("role-to-assume", ""))
                role = ROLES[given.strip("${ }")] if given else role
                # With --to, which is for S3, the catalog asks ECR nothing else.
                if step.get("run", "").startswith("kfp-release") and "--to" not in step["run"]:
                    found.append(Step(role, step["run"]))
    return found


@dataclass(frozen=True)
class Ran:
    """What a release and its repair asked of ECR, and said."""

    actions: dict[str, set[str]]
    """By role."""
    said: dict[str, str]
    """By command, the last of its kind."""


@pytest.fixture(scope="module")
def by_templates() -> Allowed:
    with empty_account():
        repositories = deploy_repositories()
        plain = deploy_roles(repositories, GitHubRepository="data-science/components").outputs
        read, write = (allowed(plain[role], "ecr") for role in ("ReadRoleArn", "WriteRoleArn"))
        repository = repositories[0].properties("Repository")
    with empty_account():
        repositories = deploy_repositories()
        given = {"GitHubRepository": "data-science/components", "BaseRepositoryArns": repositories[0].outputs["Arn"]}
        with_bases = allowed(deploy_roles(repositories, **given).outputs["WriteRoleArn"], "ecr")
    return Allowed(read, write, with_bases, repository)


@pytest.fixture(scope="module")
def ran(sandbox: Sandbox, by_templates: Allowed, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A tag is released, looked at, damaged and completed again, in a repository as the template makes it."""
    project = small_project(tmp_path_factory.mktemp("actions") / "project")
    run_git(project, "tag", "v1.0")
    ecr, wanted = ecr_of(sandbox), by_templates.repository
    ecr.create_repository(repositoryName=REPOSITORY, imageTagMutability=wanted["ImageTagMutability"])
    policy = wanted["LifecyclePolicy"]["LifecyclePolicyText"]
    ecr.put_lifecycle_policy(repositoryName=REPOSITORY, lifecyclePolicyText=policy)
    done = Ran({"none": set(), "read": set(), "write": set()}, {})
    with Relay(sandbox.environ["AWS_ENDPOINT_URL_ECR"]).running() as relay:
        environ = {**_machine(), **sandbox.environ, "AWS_ENDPOINT_URL_ECR": relay.url}
        environ |= {"GITHUB_REF_NAME": "v1.0", "IMAGE": "demo"}
        for step in jobs_steps():
            _run(step, project, environ, relay, done)
        ecr.put_image_tag_mutability(repositoryName=REPOSITORY, imageTagMutability="MUTABLE")
        ecr.batch_delete_image(repositoryName=REPOSITORY, imageIds=[{"imageTag": "1.0"}])
        ecr.put_image_tag_mutability(repositoryName=REPOSITORY, imageTagMutability="IMMUTABLE")
        _run(Step("write", "kfp-release reconcile"), project, environ, relay, done)
    return done


def _run(step: Step, project: Path, environ: dict[str, str], relay: Relay, into: Ran) -> None:
    """As a job does, in bash."""
    before = len(relay.calls)
    done = subprocess.run(
        ["bash", "-c", step.command], cwd=project, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, step.command + done.stdout + done.stderr
    # What has no target is a download by a URL that was handed out.
    into.actions[step.role] |= {f"ecr:{call.target}" for call in relay.calls[before:] if call.target}
    into.said[step.command.split()[1]] = done.stdout + done.stderr


def _machine() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TWINE_", "KFP_", "GIT"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**kept, "PATH": path, "XDG_CACHE_HOME": str(PROJECT / "build" / "test-cache")}


def test_the_jobs_that_take_a_role_are_known() -> None:
    assert [(step.role, step.command.split()[1]) for step in jobs_steps()] == [
        ("none", "check"),
        ("read", "runtime"),
        ("write", "runtime"),
        ("read", "plan"),
        ("none", "build"),
        ("write", "publish"),
        ("read", "verify"),
        ("read", "status"),
        ("read", "catalog"),
    ]


def test_the_role_that_reads_may_do_what_its_jobs_do_and_nothing_else(ran: Ran, by_templates: Allowed) -> None:
    assert ran.actions["read"] == by_templates.read


def test_the_role_that_writes_may_do_what_its_jobs_and_reconcile_do_and_nothing_else(
    ran: Ran, by_templates: Allowed
) -> None:
    assert ran.actions["write"] == by_templates.with_bases  # the sandbox's base image is in its ECR
    assert by_templates.with_bases == by_templates.write | FOR_BASES


def test_a_job_without_a_role_asks_ecr_nothing(ran: Ran) -> None:
    assert ran.actions["none"] == set()


def test_every_operation_in_the_sources_is_one_that_was_seen_or_has_a_reason(ran: Ran, by_templates: Allowed) -> None:
    assert operations_of_the_sources() == ran.actions["read"] | ran.actions["write"] | NEVER_ALLOWED
    assert not NEVER_ALLOWED & by_templates.with_bases


def test_a_repository_as_the_template_makes_it_gives_the_tool_nothing_to_warn_of(ran: Ran) -> None:
    assert "kubeflow-demo-components: 1 in order" in ran.said["status"]
    for command in ("plan", "status"):
        assert "lifecycle" not in ran.said[command]
        assert "warning" not in ran.said[command]


def test_no_job_may_or_does_create_a_repository() -> None:
    assert [step for step in jobs_steps() if "--create-repository" in step.command] == []


def operations_of_the_sources() -> set[str]:
    """The actions of all ECR operations that the tool's sources name, but for the sandbox's."""
    names = client("ecr").meta.method_to_api_mapping
    files = [
        path for path in (PROJECT / "src/kfp_release").rglob("*.py") if "sandbox" not in path.parts and path.is_file()
    ]
    return {
        f"ecr:{names[node.value]}"
        for path in files
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in names
    }
