"""Pins over a corpus: each file is loaded by kfp, pinned, and loaded again, and only its images have changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from corpus_files import FIRST, FOREIGN, OTHER, OWNED, PINS, SECOND, Case, cases
from google.protobuf import json_format  # type: ignore[import-untyped]  # it ships no types
from kfp import compiler, components

from kfp_release.component import ComponentFile
from kfp_release.package_files._operators.definition import Definition
from kfp_release.package_files._operators.yaml_operator import YamlOperator
from kfp_release.pinning import pin

CASES = cases()
pytestmark = pytest.mark.filterwarnings("ignore")


def loaded(data: bytes) -> Any:
    """What kfp makes of a file: the message that it submits, and the component's own."""
    component = components.load_component_from_text(data.decode())
    spec = component.component_spec
    interface = {name: str(port) for name, port in {**(spec.inputs or {}), **(spec.outputs or {})}.items()}
    platform = json_format.MessageToDict(component.platform_spec)
    return json_format.MessageToDict(component.pipeline_spec), interface, platform, component.description


def images(value: Any) -> list[str]:
    """The images of a submitted message."""
    executors = value[0]["deploymentSpec"]["executors"].values()
    return sorted(each["container"]["image"] for each in executors if "container" in each)


def with_pins(value: Any) -> Any:
    """The message with its images replaced by their pins, as another program would do it."""
    for executor in value[0]["deploymentSpec"]["executors"].values():
        if "container" in executor:
            executor["container"]["image"] = PINS.get(executor["container"]["image"], executor["container"]["image"])
    return value


def test_there_are_more_than_a_hundred_and_they_are_varied() -> None:
    assert len(CASES) >= 200
    assert len({case.data for case in CASES}) == len(CASES)
    files = [ComponentFile.parse(case.name, case.data) for case in CASES]
    kinds = [file.kind for file in files]
    assert kinds.count("v1") >= 75
    assert kinds.count("ir") >= 100
    assert sum(len(file.documents) == 2 for file in files) >= 15
    assert max(len(file.images) for file in files) >= 60
    assert sum(len({image.repository for image in file.images}) > 1 for file in files) >= 10
    for part, least in {
        b"\r\n": 30,
        b"\xef\xbb\xbf": 30,
        b"&": 5,
        b"|": 5,
        "ß".encode(): 5,
        OWNED.encode(): 200,
    }.items():
        assert sum(part in case.data for case in CASES) >= least, part


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "_"))
def test_pinning_changes_the_images_and_nothing_else_and_kfp_loads_it_before_and_after(
    case: Case, tmp_path: Path
) -> None:
    before = loaded(case.data)
    file = ComponentFile.parse(f"yaml/{case.name}.yaml", case.data)
    pinned = pin(file, PINS)
    assert pinned == case.pinned
    after = loaded(pinned)
    assert after == with_pins(before)
    assert set(images(after)) <= {*PINS.values(), FOREIGN, f"{OWNED}-cpu:1"}
    assert pin(ComponentFile.parse(file.name, pinned), PINS) == pinned
    operator = YamlOperator.from_text("case_op", pinned.decode())
    compiler.Compiler().compile(operator, str(tmp_path / "compiled.yaml"))
    compiled = ComponentFile.parse("compiled.yaml", (tmp_path / "compiled.yaml").read_bytes())
    assert sorted({image.value for image in compiled.images}) == sorted(set(images(after)))
    definition = Definition.parse("case_op", pinned.decode())
    assert sorted(definition.images) == sorted(set(images(after)))
    assert set(operator.__signature__.parameters) == {port.name for port in definition.inputs}


def test_the_expectation_is_made_without_the_parser_that_is_tested() -> None:
    for case in CASES:
        assert case.text.count(FIRST) + case.text.count(SECOND) + case.text.count(FOREIGN) >= 1
        assert FIRST.encode() not in case.data + case.pinned
        if case.before == OWNED:
            grown = case.text.count(FIRST) * len(PINS[OWNED].removeprefix(OWNED))
            grown += case.text.count(SECOND) * len(PINS[OTHER].removeprefix(OTHER))
            assert len(case.pinned) - len(case.data) == grown
