"""Another team lives on this tool: a repository that `kfp-release init` wrote, two releases of it, and its pipelines.

The commands are those of docs/new-team.md. Their kfp-release comes from the index, and nothing from this checkout.
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import PROJECT, run_git
from ecr_fixtures import ecr_of
from new_team import INDEX, NAME, PACKAGE, PAGE, REPOSITORY, TOOL, Team, change_component, release_tool
from pages import commands

from kfp_release.image_ref import ImageRef
from kfp_release.progress import Silent
from kfp_release.projects import open_projects
from kfp_release.sandbox import Sandbox
from kfp_release.version import ReleaseVersion


@dataclass(frozen=True)
class Released:
    """What came of 0.1 and 0.2."""

    team: Team
    results: dict[str, Any]

    def ref(self, version: str) -> ImageRef:
        return ImageRef.parse(self.results[version]["images"]["parts"])


@pytest.fixture(scope="module")
def team(engine_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Team:
    """Their repository, after the first commit."""
    folder = tmp_path_factory.mktemp("team")
    release_tool(folder, engine_sandbox)
    team = Team(folder, engine_sandbox)
    team.begin()
    return team


@pytest.fixture(scope="module")
def released(team: Team) -> Released:
    """0.1, a change, and 0.2: tagged as the page says, and released as the workflow does it."""
    release = "kfp-release release v{} --create-repository --json"
    team.do("The first release", leave_out=("pip ", "kfp-release sandbox"))
    results = {"0.1": json.loads(team.run([team.activate, release.format("0.1")], team.repository))}
    change_component(team.repository)
    said = team.do("The next one")
    assert "input c" in said
    assert "0.2" in said
    results["0.2"] = json.loads(team.run([team.activate, release.format("0.2")], team.repository))
    return Released(team, results)


@pytest.fixture(scope="module")
def author(released: Released, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment of pipelines, with the example pipeline compiled in it as the page says."""
    folder = tmp_path_factory.mktemp("author")
    shutil.copytree(released.team.repository / "examples", folder / "examples")
    venv = ["python3 -m venv --without-pip .venv", ". .venv/bin/activate"]
    listed = released.team.run([*venv, *commands(PAGE, "The first pipeline")], folder)
    (folder / "listed").write_text(listed, encoding="utf-8")
    return folder


def test_their_kfp_release_is_the_one_of_the_index_and_this_checkout_is_on_no_path(team: Team) -> None:
    code = "import kfp_release, sys; print(kfp_release.__file__, *sys.path, sep='\\n')"
    file, *path = team.run([team.activate, f'python -c "{code}"'], team.folder).splitlines()
    assert Path(file).is_relative_to(team.repository / ".venv")
    assert [each for each in path if str(PROJECT) in each] == []
    said = team.run([team.activate, "kfp-release --version"], team.folder)
    assert said == f"kfp-release {TOOL}\n"


def test_their_repository_has_none_of_our_code_and_at_most_15_lines_of_settings(team: Team) -> None:
    files = run_git(team.repository, "ls-files").splitlines()
    assert not [name for name in files if "operators" in name or "kfp_release" in name]
    python = [name for name in files if name.endswith(".py")]
    assert sum(len((team.repository / name).read_text().splitlines()) for name in python) < 100
    text = (team.repository / "pyproject.toml").read_text()
    settings = re.findall(r"^\[tool\.kfp-release.*?(?=^\[(?!tool\.kfp-release)|\Z)", text, re.MULTILINE | re.DOTALL)
    assert 5 < len("".join(settings).strip().splitlines()) <= 15


def test_nothing_is_wrong_in_it_at_first_nor_as_1_0(team: Team, tmp_path: Path) -> None:
    run_git(tmp_path, "clone", "--quiet", str(team.repository), "clone")
    clone = tmp_path / "clone"
    changelog = clone / "CHANGELOG.md"
    changelog.write_text(changelog.read_text().replace("[0.1]", "[1.0]"))
    run_git(clone, "checkout", "--quiet", "-B", "main", "v0.1" if "v0.1" in run_git(clone, "tag") else "HEAD")
    run_git(clone, "commit", "--quiet", "--all", "--message=1.0")
    run_git(clone, "tag", "v1.0")
    for command in ("kfp-release check --json", "kfp-release check --release 1.0 --json"):
        assert json.loads(team.run([team.activate, command], clone))["problems"] == []


def test_the_first_release_builds_the_runtime_and_the_second_pushes_the_package_alone(released: Released) -> None:
    first, second = released.results["0.1"], released.results["0.2"]
    assert [runtime["how"] for runtime in first["runtimes"]] == ["built"]
    assert [runtime["how"] for runtime in second["runtimes"]] == ["found"]
    assert 0 < second["bytes_sent"] < 48 * 1024 < first["bytes_sent"], "the layer, and what is attached"


@pytest.mark.parametrize("version", ["0.1", "0.2"])
def test_ecr_has_what_is_pinned(released: Released, version: str) -> None:
    answer = ecr_of(released.team.sandbox).describe_images(repositoryName=REPOSITORY, imageIds=[{"imageTag": version}])
    assert [image["imageDigest"] for image in answer["imageDetails"]] == [str(released.ref(version).digest)]
    assert released.ref(version).repository.name == REPOSITORY


def test_pipelines_install_it_and_name_its_exact_image(released: Released, author: Path) -> None:
    listed, pin = (author / "listed").read_text(), str(released.ref("0.2"))
    assert re.search(
        rf"^add_op +a: Integer, b: Integer, c: Integer = 0 .* {released.ref('0.2').digest.short}", listed, re.MULTILINE
    )
    assert f"{NAME} 0.2\nparts: {pin}\n" in listed
    compiled = (author / "pipeline.yaml").read_text()
    assert re.findall(r"image: (\S+)", compiled) == [pin, pin]
    installed = {path.name.partition("-")[0] for path in author.glob(".venv/lib/*/site-packages/*.dist-info")}
    assert {PACKAGE, "kfp"} <= installed
    assert "kfp_release" not in installed


def test_the_pipeline_runs_in_containers_of_that_image(released: Released, author: Path) -> None:
    shutil.copy2(PROJECT / "examples/run_local.py", author)
    lines = [". .venv/bin/activate", "pip install --quiet docker", "python run_local.py pipeline.yaml a=4"]
    assert json.loads(released.team.run(lines, author)) == {"Output": 17}


def test_what_the_page_says_of_a_newer_kfp_release_runs_and_changes_nothing_with_this_one(team: Team) -> None:
    said = team.do("A newer kfp-release")
    assert "0 files written" in said
    assert "Nothing is wrong." in said
    assert run_git(team.repository, "status", "--porcelain", "--untracked-files=no") == ""


def test_where_kfp_release_is_not_at_hand_a_build_finds_it_on_the_index_that_pip_is_told_of(
    released: Released, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The one that runs here is a checkout's, and no build takes it for what an index has."""
    monkeypatch.setenv("PIP_INDEX_URL", released.team.sandbox.pip_index_url)
    version, folders = ReleaseVersion.parse("0.2"), [released.team.repository]
    with open_projects(folders, version=version, epoch=1_800_000_000, progress=Silent()) as (project,):
        assert project.tools["kfp-release"] == TOOL
        built = project.wheel(tmp_path)
    assert [path.name for path in released.team.sandbox.packages.glob(f"{PACKAGE}-0.2-*")] == [built.name]


def test_what_the_page_says_of_the_index_is_in_the_settings(team: Team) -> None:
    assert f'simple-url = "{INDEX}"' in (team.repository / "pyproject.toml").read_text()


def test_who_works_on_it_installs_it_and_compiles_a_pipeline_with_the_operators_of_the_checkout(
    released: Released, tmp_path: Path
) -> None:
    """In a clone, whose environment is one of its own."""
    run_git(tmp_path, "clone", "--quiet", str(released.team.repository), "clone")
    clone = tmp_path / "clone"
    made = ["python3 -m venv --without-pip .venv", ". .venv/bin/activate"]
    released.team.run(
        [*made, "pip install --quiet --require-hashes -r locks/release.lock", *commands(PAGE, "Work on it")], clone
    )
    declared = rf"image: \S+\.amazonaws\.com/{REPOSITORY}$"
    assert len(re.findall(declared, (clone / "pipeline.yaml").read_text(), re.MULTILINE)) == 2
    assert run_git(clone, "status", "--porcelain") == "?? pipeline.yaml\n"
