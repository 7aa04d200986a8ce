from __future__ import annotations

import importlib
import itertools
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from kfp import components

from kfp_release.component import ComponentFile
from kfp_release.container import Word
from kfp_release.package_files._operators.catalog import operator_name
from kfp_release.package_files._operators.definition import Definition

PROJECT = Path(__file__).resolve().parent.parent
FILES = sorted((PROJECT / "yaml").iterdir())
PYPROJECT: dict[str, Any] = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))

every_file = pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])


def parsed(file: Path) -> ComponentFile:
    return ComponentFile.parse(file.name, file.read_bytes())


def words(file: Path) -> tuple[Word, ...]:
    (container,) = parsed(file).commands
    return container.words


def named(word: Word) -> str:
    """The input or output that a word is: in a placeholder of v1, or in one of compiled YAML."""
    found = re.fullmatch(r"\{\{\$\.(?:in|out)puts\.\w+\['(\w+)'\]\.?\w*\}\}", word.text)
    return word.text if word.placeholder else found[1] if found else ""


def test_the_folder_shadows_no_module() -> None:
    # An __init__.py here would take PyYAML's place for everything started from the repository's root.
    assert {file.suffix for file in FILES} == {".yaml"}


@every_file
def test_the_image_is_named_by_repository_alone(file: Path) -> None:
    declared = {image["repository"] for image in PYPROJECT["tool"]["kfp-release"]["images"].values()}
    assert {image.value for image in parsed(file).images} <= declared


@every_file
def test_inputs_and_outputs_have_types_and_descriptions(file: Path) -> None:
    component = components.load_component_from_file(str(file))
    definition = Definition.parse(file.stem, file.read_text(encoding="utf-8"))
    assert component.description or yaml.safe_load(file.read_text(encoding="utf-8"))["description"]
    # Of a function's outputs kfp drops the descriptions.
    for port in [*definition.inputs, *(definition.outputs if definition.is_v1 else ())]:
        assert port.type, port
        assert port.description, port


@every_file
def test_the_command_is_a_program_that_takes_each_option(file: Path) -> None:
    program, *rest = words(file)
    module = importlib.import_module(PYPROJECT["project"]["scripts"][program.text].partition(":")[0])
    usage = module.build_parser().format_help()
    passed = [word.text for word in rest if word.text.startswith("--")]
    assert passed
    for option in passed:
        assert f"  {option} " in usage


@every_file
def test_each_input_and_output_is_handed_to_the_program_under_its_own_name(file: Path) -> None:
    handed = {
        named(value): option.text.removeprefix("--")
        for option, value in itertools.pairwise(words(file))
        if named(value)
    }
    names = [port.name for port in (*parsed(file).inputs, *parsed(file).outputs)]
    assert handed == {name: name for name in names}


@every_file
def test_a_component_with_output_artifacts_asks_where_to_report_them(file: Path) -> None:
    has_artifact = any(port.is_artifact for port in parsed(file).outputs)
    assert ("{{$}}" in [word.text for word in words(file)]) == has_artifact


@every_file
def test_the_listing_and_kfp_see_the_same_component(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    spec = components.load_component_from_text(text).component_spec
    definition = Definition.parse(file.stem, text)
    assert [port.name for port in definition.inputs] == list(spec.inputs)
    assert [port.name for port in definition.outputs] == list(spec.outputs)
    for port in definition.inputs:
        assert str(spec.inputs[port.name].type).removeprefix("system.").startswith(port.type)
        assert spec.inputs[port.name].optional == port.optional
    assert definition.images == (spec.implementation.container.image,)


@every_file
def test_the_release_names_the_operator_as_the_package_does(file: Path) -> None:
    assert ComponentFile.parse(file.name, file.read_bytes()).operator == operator_name(file.name)


@pytest.mark.parametrize("name", ["make-table.yaml", "make--table.yaml", "make_-table.yml", "make.table.yaml"])
def test_both_make_the_same_operator_of_any_file_name(name: str) -> None:
    data = (PROJECT / "yaml" / "multiply.yaml").read_bytes()
    assert ComponentFile.parse(name, data).operator == operator_name(name)
