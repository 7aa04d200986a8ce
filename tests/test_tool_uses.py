"""A repository's texts that name a version of the tool, in the ways that people write them, with another version."""

from __future__ import annotations

import tomllib

import pytest

from kfp_release.errors import Problems
from kfp_release.template_files import tool_templates
from kfp_release.tool_pin import SOURCE, WORKFLOWS, ToolPin
from kfp_release.tool_uses import updated_texts

TOOL = ToolPin.of("1.2")
RELEASE, HOOKS = ".github/workflows/release.yml", ".pre-commit-config.yaml"
REQUIRED = '[build-system]\nrequires = ["kfp-release==1.1"]\n'
TAG = "# zizmor: ignore[unpinned-uses] nobody can move its tags"


def updated(path: str, text: str, tool: ToolPin = TOOL) -> str:
    return updated_texts({"pyproject.toml": REQUIRED, path: text}, tool_templates(tool), tool)[path]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("@v1.1\n", f"@v1.2 {TAG}\n"),
        ('@v1.1"\n', f'@v1.2" {TAG}\n'),
        ("@v1.1' # ours\n", f"@v1.2' {TAG}\n"),
        ("@v1.1 # ours\r\n    secrets:\r\n", f"@v1.2 {TAG}\r\n    secrets:\r\n"),
    ],
)
def test_a_workflow_that_is_called_keeps_its_quotes_and_its_line_s_end(before: str, after: str) -> None:
    assert updated(RELEASE, f"uses: {WORKFLOWS}/release.yml{before}") == f"uses: {WORKFLOWS}/release.yml{after}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"- repo: {SOURCE}\r\n  rev: v1.1\r\n  hooks:\r\n", f"- repo: {SOURCE}\r\n  rev: v1.2\r\n  hooks:\r\n"),
        (f'- repo: "{SOURCE}" # ours\n  rev: "v1.1"\n', f'- repo: "{SOURCE}" # ours\n  rev: "v1.2"\n'),
        (f"- repo: {SOURCE}\n  rev: v1.1 # last\n", f"- repo: {SOURCE}\n  rev: v1.2\n"),
        (f"- repo: {SOURCE}-others\n  rev: v1.1\n", f"- repo: {SOURCE}-others\n  rev: v1.1\n"),
    ],
)
def test_a_hook_keeps_its_quotes_and_its_line_s_end(before: str, after: str) -> None:
    assert updated(HOOKS, before) == after


@pytest.mark.parametrize(
    "requirement",
    ["'kfp-release==1.1'", '"kfp-release == 1.1"', '"KFP_release==1.1"', "\"kfp-release==1.1\", 'PyYAML==5'"],
)
def test_build_requirements_are_read_as_people_write_them(requirement: str) -> None:
    text = f"[build-system]\r\nrequires = [{requirement}]\r\n[project]\r\n"
    after = updated("pyproject.toml", text)
    requires = tomllib.loads(after)["build-system"]["requires"]
    assert requires == ["kfp-release==1.2", "PyYAML==6.0.3"][: len(requires)]
    assert after.endswith("]\r\n[project]\r\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('# "kfp-release==1.2"\nrequires = ["kfp-release>=1.1"]\n', "requires no exact version of kfp-release"),
        ('requires = "kfp-release==1.2"\n', "requires no exact version of kfp-release"),
        ('requires = ["kfp-release == 1.10"]\n', "requires kfp-release 1.10, and this is the older 1.2"),
        ("requires = [\n", "is not TOML"),
    ],
)
def test_only_what_is_required_counts(text: str, message: str) -> None:
    with pytest.raises(Problems) as caught:
        updated("pyproject.toml", f"[build-system]\n{text}")
    assert [problem.path for problem in caught.value.problems] == ["pyproject.toml"]
    assert message in str(caught.value)


def test_comments_stay_and_so_does_what_else_is_required() -> None:
    text = f'# "kfp-release==1.1"\n{REQUIRED}# "kfp-release==1.0" failed\n[project]\nx = "kfp-release==1.1"\n'
    assert updated("pyproject.toml", text) == text.replace(REQUIRED, REQUIRED.replace("1.1", "1.2"))
