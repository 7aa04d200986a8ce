"""docs/github.md: what it has a reader deploy is deployed as it stands, and what it says of the roles is so."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from aws_stacks import AWS, Stack, allowed, deploy, empty_account

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs/github.md"

pytestmark = pytest.mark.skipif(not AWS.is_dir(), reason="the sdist has no templates")


@dataclass(frozen=True)
class Deployment:
    """One `aws cloudformation deploy`."""

    stack: str
    template: str
    capabilities: str
    parameters: dict[str, str]

    @property
    def needs_iam(self) -> bool:
        return "AWS::IAM::" in (ROOT / self.template).read_text(encoding="utf-8")


def deployments() -> list[Deployment]:
    found = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        words = shlex.split(line) if line.startswith("aws cloudformation deploy ") else []
        if words:
            at = words.index("--parameter-overrides")
            options = dict(zip(words[3:at:2], words[4:at:2], strict=True))
            parameters = dict(word.split("=", 1) for word in words[at + 1 :])
            template, stack = options.pop("--template-file"), options.pop("--stack-name")
            found.append(Deployment(stack, template, options.pop("--capabilities", ""), parameters))
            assert not options
    return found


@pytest.fixture(scope="module")
def stacks() -> Iterator[dict[str, Stack]]:
    """All that the page deploys, in its order; the provider is there, as moto's CloudFormation makes none."""
    with empty_account():
        yield {
            one.stack: deploy(
                Path(one.template).name,
                one.stack,
                **one.parameters,
                **({"OidcProvider": "exists"} if one.needs_iam else {}),
            )
            for one in deployments()
        }


def test_a_stack_that_makes_roles_is_given_the_capability_to() -> None:
    assert {one.stack: one.capabilities for one in deployments()} == {
        one.stack: "CAPABILITY_IAM" if one.needs_iam else "" for one in deployments()
    }


def test_the_page_deploys_a_repository_for_each_image_of_this_project_and_roles_for_all(
    stacks: dict[str, Stack],
) -> None:
    images = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["kfp-release"]["images"]
    names = {image["repository"].partition("/")[2] for image in images.values()}
    assert {one.parameters["Name"] for one in deployments() if not one.needs_iam} == names
    (roles,) = (one for one in deployments() if one.needs_iam)
    given = roles.parameters["RepositoryArns"].split(",")
    hosts = {image["repository"].partition(".")[0] for image in images.values()}
    assert [arn.rpartition(":repository/")[2] for arn in given] == sorted(names)
    assert {arn.split(":")[4] for arn in given} == hosts
    assert set(stacks[roles.stack].outputs) == {"ReadRoleArn", "WriteRoleArn"}


def test_the_stacks_that_the_page_asks_for_their_outputs_are_deployed(stacks: dict[str, Stack]) -> None:
    asked = set(re.findall(r"--stack-name (\S+?)[ `]", PAGE.read_text(encoding="utf-8")))
    assert asked == set(stacks)
    assert set(stacks["components-demo"].outputs) == {"Uri", "Arn"}


def test_the_page_names_every_parameter_of_the_templates() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for template in AWS.glob("*.yaml"):
        text = template.read_text(encoding="utf-8")
        section = text[text.index("Parameters:") : text.index("Resources:")]
        for name in re.findall(r"^  (\w+):\n    Type:", section, re.MULTILINE):
            assert re.search(rf"`{name}`|\b{name}=", page), name


def test_the_table_of_actions_is_what_the_roles_may_do(stacks: dict[str, Stack]) -> None:
    rows = re.findall(
        r"^\| (`[A-Z]\w+`(?:, `\w+`)*) \| (yes)? ?\| (yes)? ?\|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    table = [
        ({f"ecr:{name}" for name in re.findall(r"`(\w+)`", names)}, reads, writes) for names, reads, writes in rows
    ]
    outputs = stacks["components-roles"].outputs
    assert set.union(*(names for names, reads, _ in table if reads)) == allowed(outputs["ReadRoleArn"], "ecr")
    assert set.union(*(names for names, _, writes in table if writes)) == allowed(outputs["WriteRoleArn"], "ecr")


def test_the_environments_of_the_trust_policies_are_those_of_the_jobs() -> None:
    roles = (AWS / "roles.yaml").read_text(encoding="utf-8")
    trusted = set(re.findall(r":environment:(\w+)", roles))
    files = (ROOT / ".github/workflows").glob("*.yml")
    jobs = [job for file in files for job in yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"].values()]
    taking = [job for job in jobs if "role-to-assume" in yaml.safe_dump(job)]
    assert {job["environment"] for job in taking} == trusted
