"""Which input takes which output is what kfp itself decides, for each pair of types."""

from __future__ import annotations

import itertools

import pytest
from interface_fixtures import v1
from kfp.dsl import structures
from kfp.dsl.pipeline_channel import create_pipeline_channel
from kfp.dsl.types import type_utils

from kfp_release.catalog.fit import fits
from kfp_release.component import ComponentFile
from kfp_release.package_files._operators.yaml_operator import YamlOperator

TYPES = (
    *("String", "Text", "Integer", "Int", "Float", "Double", "Boolean", "List", "JsonArray", "Dict", "JsonObject"),
    *("Artifact", "Dataset", "Model", "Metrics", "HTML", "Markdown", "google.VertexModel", "Foo"),
)


def component(type_: str) -> tuple[ComponentFile, YamlOperator]:
    data = v1((f"name: a, type: {type_}",), (f"name: b, type: {type_}",))
    file = ComponentFile.parse("train.yaml", data)
    return file, YamlOperator.from_text("train_op", file.text)


@pytest.fixture(scope="module")
def components() -> dict[str, tuple[ComponentFile, YamlOperator]]:
    return {type_: component(type_) for type_ in TYPES}


def kfp_takes(given: structures.OutputSpec, expected: structures.InputSpec) -> bool:
    channel = create_pipeline_channel(
        name="b", channel_type=given.type, task_name="task", is_artifact_list=given.is_artifact_list
    )
    try:
        type_utils.verify_type_compatibility(channel, expected, "")
    except type_utils.InconsistentTypeException:
        return False
    return True


def test_an_input_takes_what_kfp_lets_it_take(components: dict[str, tuple[ComponentFile, YamlOperator]]) -> None:
    taken = 0
    for one, other in itertools.product(TYPES, TYPES):
        (giver, gives), (taker, takes) = components[one], components[other]
        found = fits(giver.outputs[0], taker.inputs[0])
        spec = takes.component_spec.inputs["a"]
        assert found == kfp_takes(gives.component_spec.outputs["b"], spec), (one, other)
        taken += found
    assert len(TYPES) < taken < len(TYPES) ** 2
