"""plan.json: it reads as it is written, and what is no plan is refused."""

import contextlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from publish_fixtures import MATERIALS
from test_image import runtime

from kfp_release.errors import Problem
from kfp_release.image_ref import Repository
from kfp_release.interpreter import DEFAULT_INTERPRETER
from kfp_release.plan import Plan
from kfp_release.planned_image import BadPlan, PlannedImage
from kfp_release.source import Source
from kfp_release.version import ReleaseVersion

DECLARED = Repository.parse("533211398604.dkr.ecr.eu-north-1.amazonaws.com/team/demo")
PLAN = Plan(
    source=Source(ReleaseVersion.parse("1.2"), "v1.2", "c" * 40, 1_790_000_000),
    distribution="some-components",
    images=(
        PlannedImage(
            name="demo",
            declared=DECLARED,
            repository=DECLARED.at_host("127.0.0.1:5000"),
            repository_exists=True,
            runtime_key="0" * 32,
            platform="linux/amd64",
            materials=MATERIALS,
            interpreter=DEFAULT_INTERPRETER,
            runtime=runtime(),
            existing=None,
        ),
    ),
    files={"some-components": {"some_components-1.2.tar.gz": "a" * 64, "some_components-1.2-py3-none-any.whl": None}},
    warnings=(Problem(str(DECLARED), 0, "a rule", "remove it", severity="warning"),),
)


def test_a_plan_reads_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "build" / "plan.json"
    PLAN.write(path)
    assert Plan.read(path) == PLAN


def test_git_ignores_the_folder_that_is_made_for_it_and_no_other(tmp_path: Path) -> None:
    PLAN.write(tmp_path / "build" / "plan.json")
    PLAN.write(tmp_path / "plan.json")
    assert (tmp_path / "build" / ".gitignore").read_text() == "*\n"
    assert not (tmp_path / ".gitignore").exists()


@pytest.mark.parametrize("key", sorted(PLAN.to_json()))
@pytest.mark.parametrize(
    "value", [None, True, -1.5, 10**30, "x", "\ud800", [None], [{}], {"a": 1}, {"a": {"b": "x"}}], ids=repr
)
def test_whatever_stands_at_a_key_it_is_a_plan_or_refused(key: str, value: Any) -> None:
    with contextlib.suppress(BadPlan):
        Plan.parse(json.dumps({**PLAN.to_json(), key: value}).encode())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "malformed"),
        (b"\xff", "malformed"),
        (b"[]", "malformed"),
        (b"[" * 100_000, "malformed"),
        (b"{}", "malformed: 'schema'"),
        (b'{"schema": 2}', "has schema 2, and this kfp-release reads 3"),
        (b'{"schema": 4}', "has schema 4, and this kfp-release reads 3"),
        (json.dumps({**PLAN.to_json(), "commit": "HEAD"}).encode(), "'HEAD' is not a commit"),
        (json.dumps({**PLAN.to_json(), "commit": ""}).encode(), "'' is not a commit"),
        (json.dumps({**PLAN.to_json(), "created": float("inf")}).encode(), "Infinity is no number of JSON"),
        (json.dumps({**PLAN.to_json(), "created": 10**12}).encode(), "is not a time in seconds"),
        (json.dumps({**PLAN.to_json(), "tag": "../../x"}).encode(), "'../../x' is not a release tag"),
        (json.dumps({**PLAN.to_json(), "tag": "v1.3"}).encode(), "version '1.2' is not that of tag 'v1.3'"),
        (json.dumps({**PLAN.to_json(), "distribution": "../x"}).encode(), "is not the name of a distribution"),
        (json.dumps({**PLAN.to_json(), "files": {"../x": {}}}).encode(), "is not the name of a distribution"),
        (json.dumps({**PLAN.to_json(), "files": {"x": {"../a.whl": None}}}).encode(), "is not a file's name"),
        (json.dumps({**PLAN.to_json(), "files": {"x": {"a.whl": 0}}}).encode(), "0 is not a text"),
        (json.dumps({**PLAN.to_json(), "images": {}}).encode(), "{} is not a list"),
        (json.dumps(PLAN.to_json()).replace("/opt/app/bin/python", "python").encode(), "'python' cannot start a scr"),
    ],
    ids=[
        "empty",
        "no text",
        "a list",
        "deep",
        "no schema",
        "an earlier schema",
        "a later schema",
        "a branch",
        "no commit",
        "inf",
        "no time",
        "a tag that leads out",
        "another tag",
        "a distribution that leads out",
        "a project that leads out",
        "a file that leads out",
        "a hash that is none",
        "no list of images",
        "no interpreter",
    ],
)
def test_what_is_no_plan_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(BadPlan, match=message) as caught:
        Plan.parse(data)
    assert "kfp-release plan vX.Y" in caught.value.remedy


def test_a_repository_of_sha256_has_longer_commits() -> None:
    plan = replace(PLAN, source=replace(PLAN.source, commit="c" * 64))
    assert Plan.parse(json.dumps(plan.to_json()).encode()) == plan


def test_a_plan_that_is_not_there_says_which_command_writes_it(tmp_path: Path) -> None:
    with pytest.raises(BadPlan, match="cannot be read: No such file") as caught:
        Plan.read(tmp_path / "plan.json")
    assert caught.value.remedy == "kfp-release plan vX.Y"
