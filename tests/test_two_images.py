"""A project with two images: each component pinned to its own, and no runtime built for the other's sake."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import SMALL_DOCKERFILE, commit_all, kfp_release, run_git
from relay import Relay
from test_refusals import _images
from test_release import DECLARED, change_multiply, small_project

from kfp_release.sandbox import Sandbox

TABLES = DECLARED.decode().replace("/demo", "/tables")
SECTION = f"""\
[tool.kfp-release.images.tables]
repository = "{TABLES}"
dockerfile = "runtimes/tables.Dockerfile"

[tool.kfp-release.images.tables.build-args]
BASE = "docker.io/library/python@sha256:782412e85d0f0984994c290652577d4018aff08145c85b262bb63dc0c7522254"

"""
OF_TABLES = ("describe_table.yaml", "make_table.yaml", "scale_table.yaml")
"""Component files on the second image; the others stay on the first."""


def two_images(folder: Path) -> Path:
    """The project with the image `tables` configured before `demo`."""
    repository = small_project(folder)
    pyproject = repository / "pyproject.toml"
    text = pyproject.read_text(encoding="utf-8")
    pyproject.write_text(text.replace("[tool.kfp-release.images.demo]", SECTION + "[tool.kfp-release.images.demo]"))
    (repository / "runtimes").mkdir()
    (repository / "runtimes/tables.Dockerfile").write_text(f"{SMALL_DOCKERFILE}ENV TABLES=1\n")
    for name in OF_TABLES:
        path = repository / "yaml" / name
        path.write_bytes(path.read_bytes().replace(DECLARED, TABLES.encode()))
    commit_all(repository, "Two images")
    return repository


@dataclass(frozen=True)
class Released:
    """`runtime --image tables`, then the releases 1.0, and 1.1 with another Dockerfile of `demo`."""

    repository: Path
    sandbox: Sandbox
    listed: list[dict[str, Any]]
    """What ``runtime --list`` said before, in between and after 1.0."""
    outputs: list[str]
    """Of a step in GitHub Actions that lists them."""
    first: list[dict[str, Any]]
    results: dict[str, dict[str, Any]]
    records: dict[str, dict[str, Any]]
    wheels: dict[str, Path]
    put: dict[str, list[str]]
    """Tags in the order of PutImage, by version."""

    def pin(self, version: str, image: str) -> str:
        pin: str = self.results[version]["images"][image]
        return pin


@pytest.fixture(scope="module")
def released(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Released]:
    folder = tmp_path_factory.mktemp("two-images")
    repository = two_images(folder / "project")
    with Relay(sandbox.environ["AWS_ENDPOINT_URL_ECR"]).running() as relay:
        environ = {**sandbox.environ, "AWS_ENDPOINT_URL_ECR": relay.url}

        def run(*arguments: str) -> Any:
            done = kfp_release([*arguments, "--create-repository", "--json"], cwd=repository, environ=environ)
            assert done.returncode == 0, done.stderr
            return json.loads(done.stdout)

        def listing() -> Any:
            done = kfp_release(
                ["runtime", "--list", "--json"],
                cwd=repository,
                environ={**environ, "GITHUB_OUTPUT": str(folder / "output")},
            )
            assert done.returncode == 0, done.stderr
            return json.loads(done.stdout)

        listed = [listing()]
        first = run("runtime", "--image", "tables")["runtimes"]
        listed.append(listing())
        released = Released(repository, sandbox, listed, [], first, {}, {}, {}, {})
        for version in ("1.0", "1.1"):
            if released.results:
                change_multiply(repository)
                (repository / "Dockerfile").write_text(f"{SMALL_DOCKERFILE}ENV DEMO=2\n")
                commit_all(repository, "Another runtime")
            run_git(repository, "tag", f"v{version}")
            relay.calls.clear()
            released.results[version] = run("release", f"v{version}")
            calls = [json.loads(call.body) for call in relay.calls if call.target == "PutImage"]
            released.put[version] = [
                f"{call['repositoryName']}:{call['imageTag']}" for call in calls if "imageTag" in call
            ]
            if len(listed) == 2:
                listed.append(listing())
                released.outputs.extend((folder / "output").read_text().splitlines())
            kept = (repository / "dist").rename(folder / version)
            released.records[version] = json.loads((kept / "release.json").read_bytes())
            (released.wheels[version],) = kept.glob("*.whl")
        yield released


def how(result: dict[str, Any]) -> dict[str, str]:
    return {runtime["name"]: runtime["how"] for runtime in result["runtimes"]}


def test_a_runtime_that_is_asked_for_by_name_is_the_only_one_that_is_built(released: Released) -> None:
    assert [(runtime["name"], runtime["how"]) for runtime in released.first] == [("tables", "built")]


def test_the_runtimes_that_are_missing_are_listed_and_become_a_matrix(released: Released) -> None:
    assert [listing["missing"] for listing in released.listed] == [["tables", "demo"], ["demo"], []]
    assert released.outputs == ['images=["tables", "demo"]', 'images=["demo"]', "images=[]"]
    key = released.records["1.0"]["images"]["tables"]["runtime_key"]
    assert [listing["runtimes"][0]["key"] for listing in released.listed] == [key] * 3
    assert [bool(item["digest"]) for listing in released.listed for item in listing["runtimes"]] == [
        *(False, False),
        *(True, False),
        *(True, True),
    ]


def test_a_release_builds_the_runtime_that_is_missing(released: Released) -> None:
    assert how(released.results["1.0"]) == {"tables": "found", "demo": "built"}


def test_a_changed_dockerfile_is_built_and_the_other_left_alone(released: Released) -> None:
    assert how(released.results["1.1"]) == {"tables": "found", "demo": "built"}
    before, after = (released.records[version]["images"] for version in ("1.0", "1.1"))
    assert before["tables"]["runtime_key"] == after["tables"]["runtime_key"]
    assert before["demo"]["runtime_key"] != after["demo"]["runtime_key"]


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_each_component_is_pinned_to_its_own_image(released: Released, version: str) -> None:
    with zipfile.ZipFile(released.wheels[version]) as wheel:
        for source in sorted((released.repository / "yaml").glob("*.yaml")):
            of_tables = source.name in OF_TABLES
            declared = TABLES.encode() if of_tables else DECLARED
            pin = released.pin(version, "tables" if of_tables else "demo")
            assert re.search(rf"/{'tables' if of_tables else 'demo'}:{version}@sha256:[0-9a-f]{{64}}$", pin)
            expected = source.read_bytes().replace(declared, pin.encode())
            assert wheel.read(f"kubeflow_demo_components/yaml/{source.name}") == expected


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_the_record_names_each_components_image(released: Released, version: str) -> None:
    named = {item["file"]: item["images"] for item in released.records[version]["components"].values()}
    tables, demo = (released.pin(version, name) for name in ("tables", "demo"))
    assert named == {name: [tables if name in OF_TABLES else demo] for name in named}
    assert {*OF_TABLES, "multiply.yaml"} <= named.keys()


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_both_images_are_in_their_repositories(released: Released, version: str) -> None:
    digests = {image["imageDigest"] for image in _images(released.sandbox) if version in image.get("imageTags", ())}
    assert digests == {released.pin(version, name).partition("@")[2] for name in ("tables", "demo")}
    assert len(digests) == 2


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_images_are_committed_one_by_one_in_the_order_of_their_repositories_names(
    released: Released, version: str
) -> None:
    key = released.records[version]["images"]["demo"]["runtime_key"]
    expected = [f"demo:runtime-{key}", f"demo:{version}", f"tables:{version}"]
    assert [name.rpartition("/")[2] for name in released.put[version]] == expected
