"""docs/mirrors.md, done as it stands by somebody with a profile for each account."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from conftest import PROJECT, kfp_release
from pages import blocks, commands
from promote_fixtures import OTHER_HOST, Company, Shipped, a_company
from promote_fixtures import PROJECT as DISTRIBUTION
from relay import Relay

from kfp_release.config import Config
from kfp_release.index_settings import IndexUrls

PAGE = PROJECT / "docs" / "mirrors.md"
OF_OTHERS = {"GetAuthorizationToken", "ListImageReferrers"}
"""Asked where a repository is to be made in an ECR that is not AWS's, which the page is about; and of a source, which
the last command makes of the target.
"""

USUAL = {"AWS_PROFILE": "staging", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
"""AWS's usual credentials are those of the account that has the release."""

PIPELINE = """\
components:
  comp-demo:
    executorLabel: exec-demo
deploymentSpec:
  executors:
    exec-demo:
      container:
        image: IMAGE
        command: [demo]
pipelineInfo:
  name: small
root:
  dag:
    tasks:
      demo:
        componentRef:
          name: comp-demo
        taskInfo:
          name: demo
schemaVersion: 2.1.0
sdkVersion: kfp-2.17.0
"""


def promotes() -> list[list[str]]:
    return [words for command in commands(PAGE) if (words := shlex.split(command))[:2] == ["kfp-release", "promote"]]


def actions() -> list[set[str]]:
    """Those of the page's policies: what the source needs, and the target; and what a policy at the source allows."""
    source, target, policy = map(json.loads, blocks(PAGE, "json"))
    return [
        {name.removeprefix("ecr:") for name in names} for names in (source, target, policy["Statement"][0]["Action"])
    ]


def test_every_promote_of_the_page_works_with_the_permissions_that_it_names(tmp_path: Path) -> None:
    index = Config.parse((PROJECT / "pyproject.toml").read_bytes(), {}).require_index()
    assert isinstance(index, IndexUrls)
    with a_company(tmp_path) as company:
        shipped = company.release("1.2")
        here = {
            index.simple_url: company.sandbox.environ["KFP_RELEASE_SIMPLE_URL"],
            "kubeflow-demo-components": DISTRIBUTION,
        }
        source = company.sandbox.environ["AWS_ENDPOINT_URL_ECR"]
        with Relay(source).running() as first, Relay(company.second.stand_in.url).running() as second:
            company.use(second.url, first=first.url)
            for words in promotes():
                done = company.run(*(here.get(word, word) for word in words[2:]), environ=USUAL)
                assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
        assert company.arrived("demo").find("1.2") == shipped.manifests["demo"]
        company.use(company.second.stand_in.url)
        rehomed(company, shipped)
    of_source, of_target, of_policy = actions()
    assert {call.target for call in first.calls if call.target} == of_source == of_policy
    assert {call.target for call in second.calls if call.target} - OF_OTHERS == of_target


def rehomed(company: Company, shipped: Shipped) -> None:
    """The page's pipeline goes where the images went."""
    (words,) = [words for command in commands(PAGE) if (words := shlex.split(command))[1] == "rehome"]
    image = next(one.pin for one in shipped.pins.images if one.name == "demo")
    (company.project / "pipeline.yaml").write_text(PIPELINE.replace("IMAGE", image), encoding="utf-8")
    there = {**company.environ, **USUAL, "AWS_PROFILE": "production"}
    done = kfp_release(words[1:], cwd=company.project, environ=there)
    assert done.returncode == 0, done.stdout + done.stderr
    host = company.sandbox.environ["KFP_RELEASE_REGISTRY"]
    expected = PIPELINE.replace("IMAGE", image.replace(host, OTHER_HOST))
    assert (company.project / "production.yaml").read_text(encoding="utf-8") == expected


def test_the_page_shows_what_the_command_has() -> None:
    shown = {word for words in promotes() for word in words if word.startswith("--")}
    assert {"--to", "--from", "--to-profile", "--from-profile", "--dry-run", "--create-repository", "--json"} <= shown
    assert len(promotes()) == 6


@pytest.mark.parametrize("message", ["is there already as", "hands out other bytes", "is not the host of an ECR"])
def test_messages_that_the_page_explains_are_those_of_the_code(message: str) -> None:
    assert message in PAGE.read_text(encoding="utf-8")
    assert message in (PROJECT / "src/kfp_release/promote.py").read_text(encoding="utf-8")
