"""The templates of aws/, deployed into moto, and what its ECR and IAM then hold."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from ecr_fixtures import REGION
from moto import mock_aws
from moto.cloudformation.models import cloudformation_backends
from moto.cloudformation.parsing import clean_json
from moto.core.models import DEFAULT_ACCOUNT_ID

ACCOUNT: str = DEFAULT_ACCOUNT_ID
AWS = Path(__file__).parent.parent / "aws"
REPOSITORIES = ("data-science-kubeflow/demo", "data-science-kubeflow/training")


@dataclass(frozen=True)
class Stack:
    """One stack that moto made."""

    name: str

    @property
    def outputs(self) -> dict[str, str]:
        (made,) = client("cloudformation").describe_stacks(StackName=self.name)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in made["Outputs"]}

    def resource(self, name: str) -> Any:
        """One as the template has it, with intrinsic functions in their long form."""
        return self._made.template_dict["Resources"][name]

    def assertions(self, rule: str) -> list[Any]:
        """The conditions of a rule, which moto does not ask, with intrinsic functions in their long form."""
        return [one["Assert"] for one in self._made.template_dict["Rules"][rule]["Assertions"]]

    def properties(self, name: str) -> Any:
        """A resource's properties with all references resolved: moto makes nothing of some of them."""
        return clean_json(self.resource(name)["Properties"], self._made.resource_map)

    @property
    def _made(self) -> Any:
        return cloudformation_backends[ACCOUNT][REGION].get_stack(self.name)


def client(service: str) -> Any:
    """A client of moto: whatever the keys are, they are nobody's."""
    return _session().client(service)


@cache
def _session() -> Any:
    """It keeps the descriptions of services, which take their time to read."""
    return boto3.session.Session("nobody", "nothing", region_name=REGION)


@contextmanager
def empty_account() -> Iterator[None]:
    with mock_aws():
        yield


def deploy(template: str, name: str, **parameters: str) -> Stack:
    """As `aws cloudformation deploy --parameter-overrides` does."""
    client("cloudformation").create_stack(
        StackName=name,
        TemplateBody=(AWS / template).read_text(encoding="utf-8"),
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    )
    return Stack(name)


def deploy_repositories() -> list[Stack]:
    return [
        deploy("repository.yaml", f"components-{name.rpartition('/')[2]}", Name=name, SnapshotDays="14")
        for name in REPOSITORIES
    ]


def deploy_roles(repositories: Iterable[Stack], **parameters: str) -> Stack:
    """The provider is there: moto's CloudFormation makes none."""
    arns = ",".join(stack.outputs["Arn"] for stack in repositories)
    given = {"OidcProvider": "exists", "RepositoryArns": arns, **parameters}
    return deploy("roles.yaml", "components-roles", **given)


def statements(role_arn: str) -> list[dict[str, Any]]:
    """All that a role's policies say."""
    iam = client("iam")
    name = role_arn.rpartition("/")[2]
    assert iam.list_role_policies(RoleName=name)["PolicyNames"] == []
    found: list[dict[str, Any]] = []
    for attached in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        policy = iam.get_policy(PolicyArn=attached["PolicyArn"])["Policy"]
        version = iam.get_policy_version(PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"])
        found += _document(version["PolicyVersion"]["Document"])["Statement"]
    return found


def allowed(role_arn: str, service: str) -> set[str]:
    """The actions that a role may take in a service."""
    return {
        action
        for statement in statements(role_arn)
        for action in listed(statement["Action"])
        if action.startswith(f"{service}:")
    }


def listed(value: Any) -> list[Any]:
    """IAM takes one value in the place of a list."""
    return value if isinstance(value, list) else [value]


def _document(value: Any) -> Mapping[str, Any]:
    document: Mapping[str, Any] = json.loads(value) if isinstance(value, str) else value
    return document
