"""What is wrong in inputs and outputs, held against what kfp does with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from component_files import IR, V1, changed, errors, kfp_takes
from kfp import components

RATE = "{name: rate, type: Float, default: '0.1'}"
NAME = "- {name: my a, type: String}"
SCORE = "- {name: score, type: Float}"
DEFAULTS: dict[str, list[str]] = {
    "Float": [
        "[1]",
        "{x: 1}",
        "2026-01-01",
        ".nan",
        ".inf",
        "-.inf",
        "'nan'",
        "'Infinity'",
        "'1e400'",
        "1e400",
        "''",
        "a",
    ],
    "float": ["'0.1.2'", "'" + "9" * 400 + "'", "9" * 400],
    "Integer": ["'1.5'", "'1e3'", "'0x1F'", ".nan", ".inf", "''", "[]", "9" * 400, "'" + "9" * 5000 + "'"],
    "String": ["2026-01-01", "[a]", "{}"],
    "Boolean": ["maybe", "''", "1.5", ".nan", "' true'", "9" * 30],
    "List": [".nan", "NaN", "'[NaN]'", "'[1e400]'", "'[null]'", "[1]", "'[\"\\ud800\"]'", f"'[{'9' * 400}]'"],
    "Dict": ["{}", "'{\"a\": Infinity}'", '\'{"a": {"b": null}}\''],
    "'List[str]'": [".nan", "[a]"],
    "typing.Float": ["'0.1'", ".inf"],
    "typing.Boolean": ["'true'"],
    "typing.String": ["5"],
}


@pytest.mark.parametrize(("type_", "default"), [(one, default) for one, all_ in DEFAULTS.items() for default in all_])
def test_a_default_that_kfp_cannot_hand_on_is_told(tmp_path: Path, type_: str, default: str) -> None:
    text = changed(V1, RATE, f"{{name: rate, type: {type_}, default: {default}}}")
    assert not kfp_takes(text, tmp_path)
    (problem,) = errors(text)
    assert problem.line == 5
    assert problem.message.startswith(("input 'rate' has the default ", "default of input 'rate' must be a text, "))
    assert problem.remedy.startswith(("write one of its type; a number must be finite", "write it in quotes; "))


TYPES: list[tuple[str, str, str]] = [
    ("description: x", "input 'spare' has no type, and kfp takes it for an artifact", "add type: …; known are String"),
    ("type: ''", "input 'spare' has no type, and kfp takes it for an artifact", "add type: …; known are String"),
    ("type: null", "input 'spare' has no type, and kfp takes it for an artifact", "add type: …; known are String"),
    ("type: Modell", "input 'spare' has the type 'Modell', which kfp takes for an artifact", "did you mean Model?"),
    ("type: STRUCT", "input 'spare' has the type 'STRUCT', which", "known are String, Integer, Float"),
    ("type: {Float: {}}", "input 'spare' has the type '{Float: …}', which", "did you mean Float?"),
    ("type: 'String[a]'", "input 'spare' has the type 'String[a]', which", "did you mean String?"),
    ("type: Listen", "input 'spare' has the type 'Listen', which", "did you mean List?"),
    ("type: 'Optional[str]'", "input 'spare' has the type 'Optional[str]', which", "known are String, Integer, Float"),
    ("type: google.Foo1", "input 'spare' has the type 'google.Foo1', which", "known are String, Integer, Float"),
    ("type: system.Dataset", "input 'spare' has the type 'system.Dataset', which", "did you mean Dataset?"),
    (
        "type: pipelinetaskfinalstatus",
        "has the type 'pipelinetaskfinalstatus'",
        "mean PipelineTaskFinalStatus?",
    ),
]


@pytest.mark.parametrize(("type_", "message", "remedy"), TYPES)
def test_a_type_that_kfp_takes_for_an_artifact_is_told(tmp_path: Path, type_: str, message: str, remedy: str) -> None:
    text = changed(V1, NAME, f"{NAME}\n- {{name: spare, {type_}}}")
    (problem,) = errors(text)
    assert kfp_takes(text, tmp_path)
    assert problem.line == 7
    assert message in problem.message
    assert remedy in problem.remedy


def test_the_status_of_a_pipeline_is_an_input_alone() -> None:
    (problem,) = errors(changed(V1, "type: Model", "type: PipelineTaskFinalStatus"))
    assert problem.message.startswith("output 'model' has the type 'PipelineTaskFinalStatus', which kfp takes for")
    assert problem.remedy.startswith("known are String")


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        (NAME, f"{NAME}\n- {{name: My a, type: String}}", 7, "inputs 'my a' and 'My a' are both 'my_a' in kfp"),
        (NAME, f"{NAME}\n- {{name: in, type: String}}", 7, "input 'in' becomes 'in' in kfp, which is no Python name"),
        (SCORE, f"{SCORE}\n- {{name: Class, type: Float}}", 11, "output 'Class' becomes 'class' in kfp, which is no"),
    ],
)
def test_a_name_that_no_pipeline_can_write_is_told(tmp_path: Path, old: str, new: str, line: int, message: str) -> None:
    text = changed(V1, old, new)
    (problem,) = errors(text)
    assert kfp_takes(text, tmp_path)
    assert problem.line == line
    assert problem.message.startswith(message)
    assert problem.remedy


def test_ports_of_inner_components_may_have_names_that_python_has_not() -> None:
    inner = "    inputDefinitions:\n      parameters: {pipelinechannel--a-b: {parameterType: STRING}}\n"
    assert errors(changed(IR, "deploymentSpec:", f"  comp-for-loop-1:\n    dag: {{}}\n{inner}deploymentSpec:")) == []


def test_an_input_that_kfp_cannot_be_given_is_told() -> None:
    (problem,) = errors(V1.replace("my a", "Self"))
    assert problem.message == "input 'Self' has a name that kfp has taken for its own, and cannot be given"
    component = components.load_component_from_text(V1.replace("my a", "Self"))
    with pytest.raises(TypeError, match="multiple values for argument 'self'"):
        component(self="x")


def test_an_output_of_that_name_is_none_of_kfps_business() -> None:
    assert (
        errors(changed(V1, SCORE, "- {name: self, type: Float}").replace("outputPath: score", "outputPath: self")) == []
    )
