"""What the two roles may do with an index in AWS is what the tool does there: no action less, and none more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from aws_stacks import AWS as TEMPLATES
from aws_stacks import allowed, deploy_repositories, deploy_roles, empty_account
from codeartifact_fixtures import ARN, running_codeartifact
from ecr_fixtures import LocalEcr
from relay import Call, Relay
from s3_fixtures import AWS, running_s3
from test_release_to_indexes import Place, place_at

from kfp_release.catalog.bucket import publish_site
from kfp_release.catalog.folder import write_site
from kfp_release.progress import Silent

pytestmark = pytest.mark.skipif(not TEMPLATES.is_dir(), reason="the sdist has no templates")

STEPS = (
    ("write", ("release", "v1.0", "--create-repository")),
    ("read", ("verify", "1.0")),
    ("read", ("status",)),
)
TO_BE_TOLD_OF_NOTHING = {"s3:ListBucket"}
"""Without it S3 refuses to read what is not there, in place of saying so: of a project's first release, the page."""
ON_CODE_ARTIFACT = {"CodeArtifactDomain": "team", "CodeArtifactRepository": "components"}
WITH_A_TOKEN = {"sts:GetServiceBearerToken", "codeartifact:ReadFromRepository"}
"""What CodeArtifact asks for besides, where a token is taken and pages and files are read with it."""
WITH_AN_UPLOAD = {"codeartifact:PublishPackageVersion"}
"""And where twine sends a file. AWS CodeArtifact User Guide, "Packages overview", "Publishing permissions"."""


@dataclass(frozen=True)
class Roles:
    """Actions by role, of any service but ECR."""

    read: set[str]
    write: set[str]


def by_template(services: tuple[str, ...], **parameters: str) -> Roles:
    with empty_account():
        outputs = deploy_roles(deploy_repositories(), GitHubRepository="team/components", **parameters).outputs
        read, write = (
            {action for service in services for action in allowed(outputs[role], service)}
            for role in ("ReadRoleArn", "WriteRoleArn")
        )
    return Roles(read, write)


def action_of(call: Call) -> str:
    """The action that S3 asks for. Amazon S3 User Guide, "Required permissions for Amazon S3 API operations"."""
    if call.method in {"PUT", "DELETE"}:
        return f"s3:{call.method.capitalize()}Object"
    return "s3:ListBucket" if "list-type" in parse_qs(urlsplit(call.path).query) else "s3:GetObject"


@pytest.fixture(scope="module")
def s3(local: LocalEcr, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Place, Relay]]:
    with running_s3() as server, Relay(server.url).running() as relay:
        server.bucket("components")
        environ = {"AWS_ENDPOINT_URL_S3": relay.url}
        index = ("s3", "s3://components/python")
        yield place_at(tmp_path_factory.mktemp("s3") / "roles-s3", local, index, environ=environ, pip_url=""), relay


def test_an_index_on_s3_needs_what_the_roles_allow(s3: tuple[Place, Relay]) -> None:
    place, relay = s3
    asked: dict[str, set[str]] = {"read": set(), "write": set()}
    for role, command in STEPS:
        before = len(relay.calls)
        place.run(*command)
        asked[role] |= {action_of(call) for call in relay.calls[before:]}
    roles = by_template(("s3",), IndexBucket="components", IndexPrefix="python/")
    assert asked["read"] | TO_BE_TOLD_OF_NOTHING == roles.read
    assert asked["write"] == roles.write


def test_a_site_on_s3_needs_what_the_role_that_reads_gets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running_s3() as server, Relay(server.url).running() as relay:
        server.bucket("web")
        for name, value in {**AWS, "AWS_ENDPOINT_URL_S3": relay.url, "AWS_DEFAULT_REGION": "eu-north-1"}.items():
            monkeypatch.setenv(name, value)
        for pages in (("index.html", "gone.html"), ("index.html",)):
            write_site(tmp_path / "site", {page: page.encode() for page in pages})
            publish_site(tmp_path / "site", "s3://web/catalog", progress=Silent())
        asked = {action_of(call) for call in relay.calls}
    roles = by_template(("s3",), CatalogBucket="web", CatalogPrefix="catalog/")
    assert asked == roles.read == {"s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject"}
    assert roles.write == set()


def test_an_index_on_code_artifact_needs_what_the_roles_allow(
    local: LocalEcr, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with running_codeartifact(tmp_path_factory.mktemp("codeartifact")) as server:
        environ = {"AWS_ENDPOINT_URL_CODEARTIFACT": server.url}
        folder = tmp_path_factory.mktemp("project") / "roles-codeartifact"
        place = place_at(folder, local, ("codeartifact", ARN), environ=environ, pip_url="")
        asked: dict[str, set[str]] = {"read": set(), "write": set()}
        for role, command in STEPS:
            server.asked.clear()
            place.run(*command)
            asked[role] |= {f"codeartifact:{name}" for name in server.asked}
    roles = by_template(("codeartifact", "sts"), **ON_CODE_ARTIFACT)
    assert asked["read"] | WITH_A_TOKEN == roles.read
    assert asked["write"] | WITH_A_TOKEN | WITH_AN_UPLOAD == roles.write
