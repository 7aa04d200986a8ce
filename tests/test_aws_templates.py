"""The CloudFormation templates: what a linter says of them, and what an account holds when they are deployed."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from aws_stacks import (
    ACCOUNT,
    AWS,
    REPOSITORIES,
    client,
    deploy_repositories,
    deploy_roles,
    empty_account,
    listed,
    statements,
)

from kfp_release.image_ref import Repository
from kfp_release.retention import retention_warnings

pytestmark = pytest.mark.skipif(not AWS.is_dir(), reason="the sdist has no templates")

BY_NAME, BY_ID = "data-science/components", "data-science@123/components@456"
ARN = f"arn:aws:ecr:eu-north-1:{ACCOUNT}:repository/data-science/components"
KEY_ARN = f"arn:aws:kms:eu-north-1:{ACCOUNT}:key/0f2e1d3c-0000-1111-2222-333344445555"
ISSUER = "token.actions.githubusercontent.com"


@dataclass(frozen=True)
class Holder:
    """A repository that has this lifecycle policy."""

    repository: Repository
    text: str

    def lifecycle_policy(self) -> str:
        return self.text


@pytest.fixture
def account() -> Iterator[None]:
    with empty_account():
        yield


def trust(role_arn: str) -> dict[str, Any]:
    """The one statement of who may take a role."""
    role = client("iam").get_role(RoleName=role_arn.rpartition("/")[2])["Role"]
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert isinstance(statement, dict)
    return statement


def subjects(role_arn: str) -> list[str]:
    """What moto leaves of AWS::NoValue in a list, CloudFormation takes away."""
    found = trust(role_arn)["Condition"]["StringEquals"][f"{ISSUER}:sub"]
    return [subject for subject in found if subject is not None]


def test_cfn_lint_finds_nothing() -> None:
    program = Path(sys.executable).parent / "cfn-lint"
    done = subprocess.run([program, *AWS.glob("*.yaml")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(
    ("parameter", "good", "bad"),
    [
        ("GitHubRepository", ["", BY_NAME], ["data-science/*", "*/components", "data-science", BY_ID, f"{BY_NAME}:x"]),
        ("GitHubRepositoryWithIds", ["", BY_ID], ["data-science@1/*@2", "data-science@*/components@2", BY_NAME]),
        ("RepositoryArns", [ARN], ["", "*", f"{ARN}*", ARN.replace("/components", "/*"), "data-science/demo"]),
        ("BaseRepositoryArns", ["", ARN], ["*", f"{ARN}*"]),
        ("CodeArtifactDomain", ["", "data-science"], ["*", "data-*", "Data"]),
        ("CodeArtifactRepository", ["", "components"], ["*", "a/b"]),
        ("CodeArtifactDomainOwner", ["", ACCOUNT], ["*", "1234"]),
        ("IndexBucket", ["", "data-science-index"], ["*", "data*", "a/b"]),
        ("IndexPrefix", ["", "simple/", "a/b/"], ["*", "simple", "sim*/"]),
        (
            "SigningKeyArn",
            ["", KEY_ARN],
            ["*", KEY_ARN[:-1] + "*", "alias/releases", KEY_ARN.replace("key/", "alias/")],
        ),
        ("Name", ["data-science-kubeflow/demo", "demo"], ["", "*", "Demo", "demo/", "demo:1"]),
    ],
)
def test_no_parameter_makes_a_role_or_a_resource_wider_than_its_name(
    parameter: str, good: list[str], bad: list[str]
) -> None:
    """CloudFormation holds them against it; in a list, each item."""
    texts = [path.read_text(encoding="utf-8") for path in AWS.glob("*.yaml")]
    (section,) = (
        found[1] for text in texts if (found := re.search(rf"^  {parameter}:\n((?:    .*\n)+)", text, re.MULTILINE))
    )
    pattern = yaml.safe_load(section)["AllowedPattern"]
    assert [value for value in [*good, *bad] if re.search(pattern, value)] == good


@pytest.mark.usefixtures("account")
def test_a_repository_has_tags_that_never_move_and_scans_what_is_pushed() -> None:
    stacks = deploy_repositories()
    made = client("ecr").describe_repositories()["repositories"]
    assert {one["repositoryName"]: one["imageTagMutability"] for one in made} == dict.fromkeys(
        REPOSITORIES, "IMMUTABLE"
    )
    assert [stack.outputs["Uri"] for stack in stacks] == [one["repositoryUri"] for one in made]
    assert [stack.outputs["Arn"] for stack in stacks] == [one["repositoryArn"] for one in made]
    # moto's CloudFormation loses it on its way to its ECR.
    assert stacks[0].properties("Repository")["ImageScanningConfiguration"] == {"ScanOnPush": True}


@pytest.mark.usefixtures("account")
def test_a_repository_outlives_its_stack() -> None:
    repository = deploy_repositories()[0].resource("Repository")
    assert [repository[key] for key in ("DeletionPolicy", "UpdateReplacePolicy")] == ["Retain"] * 2


@pytest.mark.usefixtures("account")
def test_its_lifecycle_policy_takes_snapshots_away_and_nothing_that_a_release_needs() -> None:
    stack = deploy_repositories()[0]
    text = stack.properties("Repository")["LifecyclePolicy"]["LifecyclePolicyText"]
    holder = Holder(Repository.parse(stack.outputs["Uri"]), text)
    client("ecr").put_lifecycle_policy(repositoryName=REPOSITORIES[0], lifecyclePolicyText=text)  # which validates it
    kept: list[tuple[str, ...]] = [
        ("1.2",),
        ("1.10.1",),
        ("2.0rc1",),
        ("3.0a2",),
        ("1.0.post1",),
        (f"runtime-{'0d' * 16}",),
    ]
    attached: list[tuple[str, ...]] = [(), (f"sha256-{'de' * 32}",), (f"sha256-{'0d' * 32}.sig",)]
    assert retention_warnings(holder, kept + attached) == []
    (told,) = retention_warnings(holder, [*kept, ("1.3.dev4-gabc1234",)])
    assert "rule 1 (Snapshots, after 14 days) expires images 14 days after their push" in told.message
    assert "1.3.dev4-gabc1234" in told.message


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"GitHubRepository": BY_NAME}, [BY_NAME]),
        ({"GitHubRepositoryWithIds": BY_ID}, [BY_ID]),
        ({"GitHubRepository": BY_NAME, "GitHubRepositoryWithIds": BY_ID}, [BY_NAME, BY_ID]),
    ],
    ids=["by name", "by id", "both"],
)
def test_only_an_environment_of_one_repository_may_take_a_role(given: dict[str, str], names: list[str]) -> None:
    outputs = deploy_roles(deploy_repositories(), **given).outputs
    read, write = outputs["ReadRoleArn"], outputs["WriteRoleArn"]
    assert subjects(read) == [f"repo:{name}:environment:inspect" for name in names]
    assert subjects(write) == [f"repo:{name}:environment:{one}" for name in names for one in ("runtime", "release")]
    for role in (read, write):
        assert set(trust(role)) == {"Effect", "Principal", "Action", "Condition"}
        assert trust(role)["Action"] == "sts:AssumeRoleWithWebIdentity"
        assert trust(role)["Principal"] == {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"}
        assert list(trust(role)["Condition"]) == ["StringEquals"]
        assert trust(role)["Condition"]["StringEquals"][f"{ISSUER}:aud"] == "sts.amazonaws.com"


@pytest.mark.usefixtures("account")
def test_the_roles_trust_the_provider_that_the_stack_makes_where_the_account_has_none() -> None:
    repositories = deploy_repositories()
    with pytest.warns(UserWarning, match="AWS::IAM::OIDCProvider"):  # moto's CloudFormation cannot make it
        stack = deploy_roles(repositories, GitHubRepository=BY_NAME, OidcProvider="create")
    wanted = stack.properties("GitHub")
    made = client("iam").create_open_id_connect_provider(Url=wanted["Url"], ClientIDList=wanted["ClientIdList"])
    assert made["OpenIDConnectProviderArn"] == f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"
    assert stack.resource("GitHub")["Condition"] == "CreateProvider"
    for role in ("ReadRole", "WriteRole"):
        (statement,) = stack.resource(role)["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"]["Federated"]["Fn::If"][:2] == ["CreateProvider", {"Ref": "GitHub"}]


@pytest.mark.usefixtures("account")
def test_what_the_roles_may_do_with_images_is_of_the_repositories_alone() -> None:
    repositories = deploy_repositories()
    outputs = deploy_roles(repositories, GitHubRepository=BY_NAME).outputs
    for role in ("ReadRoleArn", "WriteRoleArn"):
        assert statements(outputs[role])
        for statement in statements(outputs[role]):
            assert statement["Resource"] == [stack.outputs["Arn"] for stack in repositories]
            assert all(action.startswith("ecr:") and "*" not in action for action in statement["Action"])


@pytest.mark.usefixtures("account")
def test_a_base_image_in_ecr_is_pulled_by_who_builds_runtimes() -> None:
    base = f"arn:aws:ecr:eu-north-1:{ACCOUNT}:repository/base/python"
    outputs = deploy_roles(deploy_repositories(), GitHubRepository=BY_NAME, BaseRepositoryArns=base).outputs
    pulls = {"ecr:BatchGetImage": [base], "ecr:GetDownloadUrlForLayer": [base], "ecr:GetAuthorizationToken": ["*"]}
    assert _besides_images(outputs["WriteRoleArn"]) == pulls
    assert _besides_images(outputs["ReadRoleArn"]) == {}


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize("owner", ["", "210987654321"], ids=["own account", "another account"])
def test_an_index_on_code_artifact_is_read_by_both_roles_and_written_by_one(owner: str) -> None:
    names = {"CodeArtifactDomain": "data-science", "CodeArtifactRepository": "components"}
    given = {**names, "CodeArtifactDomainOwner": owner}
    outputs = deploy_roles(deploy_repositories(), GitHubRepository=BY_NAME, **given).outputs
    place = f"arn:aws:codeartifact:eu-north-1:{owner or ACCOUNT}"
    repository, package = (f"{place}:{kind}/data-science/components" for kind in ("repository", "package"))
    reads = {
        "codeartifact:GetAuthorizationToken": [f"{place}:domain/data-science"],
        "codeartifact:GetRepositoryEndpoint": [repository],
        "codeartifact:ReadFromRepository": [repository],
        "sts:GetServiceBearerToken": ["*"],
    }
    packages = [f"{package}/pypi//*"]
    writes = {"codeartifact:PublishPackageVersion": packages}
    assert _besides_images(outputs["ReadRoleArn"]) == reads
    assert _besides_images(outputs["WriteRoleArn"]) == reads | writes
    conditions = [
        statement.get("Condition")
        for statement in statements(outputs["WriteRoleArn"])
        if "sts:GetServiceBearerToken" in listed(statement["Action"])
    ]
    assert conditions == [{"StringEquals": {"sts:AWSServiceName": "codeartifact.amazonaws.com"}}]


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize("prefix", ["", "simple/"], ids=["whole bucket", "a folder"])
def test_an_index_on_s3_is_read_by_both_roles_and_written_by_one(prefix: str) -> None:
    given = {"IndexBucket": "data-science-index", "IndexPrefix": prefix}
    outputs = deploy_roles(deploy_repositories(), GitHubRepository=BY_NAME, **given).outputs
    files = [f"arn:aws:s3:::data-science-index/{prefix}*"]
    reads = {"s3:GetObject": files, "s3:ListBucket": ["arn:aws:s3:::data-science-index"]}
    assert _besides_images(outputs["ReadRoleArn"]) == reads
    assert _besides_images(outputs["WriteRoleArn"]) == reads | {"s3:PutObject": files}


def holds(condition: Any, given: dict[str, str]) -> bool:
    """What CloudFormation makes of a rule's condition, with parameters that are empty unless given."""

    def text(operand: Any) -> str:
        return given.get(operand["Ref"], "") if isinstance(operand, dict) else str(operand)

    ((function, operands),) = condition.items()
    match function:
        case "Fn::Or":
            return any(holds(one, given) for one in operands)
        case "Fn::And":
            return all(holds(one, given) for one in operands)
        case "Fn::Not":
            return not holds(operands[0], given)
    assert function == "Fn::Equals"
    return text(operands[0]) == text(operands[1])


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize(
    ("index", "catalog", "verdict"),
    [
        (("index", ""), ("", ""), "accepted"),
        (("index", ""), ("site", ""), "accepted"),
        (("index", ""), ("index", "site/"), "accepted"),
        (("index", "simple/"), ("index", "site/"), "accepted"),
        (("index", ""), ("index", ""), "refused"),
        (("index", "simple/"), ("index", ""), "refused"),
        (("index", "simple/"), ("index", "simple/"), "refused"),
        (("", ""), ("site", ""), "accepted"),
    ],
)
def test_the_role_that_publishes_the_site_is_not_given_the_files_of_the_index(
    index: tuple[str, str], catalog: tuple[str, str], verdict: str
) -> None:
    stack = deploy_roles(deploy_repositories(), GitHubRepository=BY_NAME)
    (condition,) = stack.assertions("TheSiteIsApartFromTheIndex")
    names = ("IndexBucket", "IndexPrefix", "CatalogBucket", "CatalogPrefix")
    assert holds(condition, dict(zip(names, (*index, *catalog), strict=True))) is (verdict == "accepted")


@pytest.mark.usefixtures("account")
def test_the_key_that_signs_is_used_by_who_writes_and_its_public_half_is_read_by_both() -> None:
    outputs = deploy_roles(deploy_repositories(), GitHubRepository=BY_NAME, SigningKeyArn=KEY_ARN).outputs
    assert _besides_images(outputs["ReadRoleArn"]) == {"kms:GetPublicKey": [KEY_ARN]}
    assert _besides_images(outputs["WriteRoleArn"]) == {"kms:GetPublicKey": [KEY_ARN], "kms:Sign": [KEY_ARN]}


def _besides_images(role_arn: str) -> dict[str, list[str]]:
    """The resources by action, but for the images' repositories."""
    images = {f"arn:aws:ecr:eu-north-1:{ACCOUNT}:repository/{name}" for name in REPOSITORIES}
    return {
        action: listed(statement["Resource"])
        for statement in statements(role_arn)
        if not images & set(listed(statement["Resource"]))
        for action in listed(statement["Action"])
    }
