"""README and docs: their commands exist, their snippets run, their links and tables are true."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from kfp_release.config import Config
from kfp_release.finding import Kind
from kfp_release.index_settings import IndexUrls
from kfp_release.lifecycle import LifecyclePolicy
from kfp_release.status_row import State

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
HARMLESS = ("python -m kubeflow_demo_components", "python -m kubeflow_demo_components --json")
"""No `make`: a target may set up anew the very environment that runs this."""


def blocks(language: str) -> list[tuple[str, str]]:
    fenced = re.compile(rf"^ *```{language}\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
    return [(page.name, text) for page in PAGES for text in fenced.findall(page.read_text())]


def commands() -> list[str]:
    lines = [line.strip() for _, block in blocks("bash") for line in block.splitlines()]
    return sorted({line for line in lines if line and not line.startswith("#")})


def run(command: list[str], folder: Path = ROOT) -> str:
    environ = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("command", [line for line in commands() if line.startswith("make ")])
def test_make_targets_exist(command: str) -> None:
    assert set(shlex.split(command)[1:]) <= make_targets()


@pytest.mark.parametrize("command", [line for line in commands() if line.startswith("kfp-release ")])
def test_commands_of_kfp_release_and_their_options_exist(command: str) -> None:
    _, name, *arguments = shlex.split(command)
    text = run(["kfp-release", name, "--help"])
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    for option in (argument for argument in own if argument.startswith("--")):
        assert re.search(rf"{option}\b", text)


@pytest.mark.parametrize("command", [line for line in commands() if not line.startswith(("make ", "kfp-release "))])
def test_other_commands_are_ones_that_a_reader_has(command: str) -> None:
    words = shlex.split(command)
    assert words[0] in {".", "pip", "python", "git", "gh", "aws", "docker", "sed", "devpi", ".venv/bin/python"}
    assert all((ROOT / word).exists() for word in words if word.endswith(".py"))


@pytest.mark.parametrize("command", [line for line in commands() if line.startswith("pip ")])
def test_pip_never_gets_a_second_index(command: str) -> None:
    words = shlex.split(command)
    assert "--extra-index-url" not in words
    if "kubeflow-demo-components" in command:
        index = Config.parse((ROOT / "pyproject.toml").read_bytes(), {}).require_index()
        assert isinstance(index, IndexUrls)
        assert words[words.index("--index-url") + 1] == index.simple_url


@pytest.mark.parametrize("command", HARMLESS)
def test_harmless_commands_run_as_typed(command: str) -> None:
    assert command in commands()
    run(shlex.split(command))


@pytest.mark.parametrize(("page", "snippet"), blocks("python"))
def test_pipelines_of_the_docs_compile(page: str, snippet: str, tmp_path: Path) -> None:
    assert page
    name = re.findall(r"^def (\w+)", snippet, re.MULTILINE)[-1]
    program = tmp_path / "snippet.py"
    program.write_text(
        f"{snippet}\nfrom kfp import compiler\ncompiler.Compiler().compile({name}, {str(tmp_path / 'out.yaml')!r})\n"
    )
    run([sys.executable, str(program)], tmp_path)
    assert re.search(r"image: \d{12}\.dkr\.ecr\.", (tmp_path / "out.yaml").read_text())


def test_json_and_toml_of_the_docs_parse() -> None:
    assert [json.loads(text) for _, text in blocks("json")]
    assert [tomllib.loads(text) for _, text in blocks("toml")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_within_the_project_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text())
    inside = [link for link in links if "://" not in link]
    assert [link for link in inside if not (page.parent / link).exists()] == []


def test_the_readme_names_every_command() -> None:
    table = re.findall(r"^\| `kfp-release ([a-z]+)[^`]*` \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    listed = re.search(r"^Commands:\n(.*)", run(["kfp-release", "--help"]), re.MULTILINE | re.DOTALL)
    assert listed
    assert sorted(table) == sorted(re.findall(r"^  ([a-z]+)", listed[1], re.MULTILINE))


def test_the_lifecycle_policy_of_the_docs_spares_releases_and_runtimes() -> None:
    (text,) = (text for page, text in blocks("json") if page == "operations.md" and '"rules"' in text)
    policy = LifecyclePolicy.parse(text)
    assert [policy.rule_for({tag}) for tag in ("1.2", "2.0rc1", f"runtime-{'0' * 32}")] == [None] * 3
    assert policy.rule_for({"1.3.dev4-gabc1234"})


def test_operations_names_every_state_and_every_kind_of_finding() -> None:
    page = (ROOT / "docs/operations.md").read_text()
    rows = re.findall(r"^\| ([^|]+) \|", page, re.MULTILINE)
    named = {name for row in rows for name in (re.findall("`([^`]+)`", row) or [row])}
    assert {*State, *Kind} <= named


def test_the_readme_names_every_setting() -> None:
    first_column = re.findall(r"^\| ([^|]+) \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    named = {name for cell in first_column for name in re.findall(r"`([a-zA-Z.-]+)`", cell) if not name.isupper()}
    used = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["kfp-release"]
    images = {f"images.NAME.{key}" for image in used.pop("images").values() for key in image}
    index = {f"index.{key}" for key in used.pop("index")}
    assert {*used, *images, *index} <= named


def test_the_page_for_component_authors_lists_every_component_with_its_image() -> None:
    listed = re.findall(r"^\| `(\w+_op)` \| .+ \| `(\w+)` \|$", (ROOT / "docs/components.md").read_text(), re.MULTILINE)
    images = {path: re.search(r"image: \S+/(\w+)\n", path.read_text()) for path in (ROOT / "yaml").glob("*.yaml")}
    assert dict(listed) == {f"{path.stem}_op": image and image[1] for path, image in images.items()}


def test_every_variable_and_secret_of_the_workflows_is_documented() -> None:
    texts = [path.read_text() for path in (ROOT / ".github/workflows").glob("*.yml")]
    used = {name for text in texts for name in re.findall(r"(?:vars|secrets)\.(\w+)", text)}
    documented = set(re.findall(r"`([A-Z_]+)`", (ROOT / "docs/github.md").read_text()))
    assert used <= documented


def test_the_picture_is_an_image_with_a_description() -> None:
    picture = ET.parse(ROOT / "docs/flow.svg").getroot()  # noqa: S314 - a file of this project
    described = {child.tag.rpartition("}")[2] for child in picture if child.text}
    assert {"title", "desc"} <= described
