from __future__ import annotations

from pathlib import Path

import pytest
from interface_fixtures import INPUTS, OUTPUTS, diff, told, v1
from kfp import compiler, components

RATE, DATA, SEED = INPUTS
MODEL, LOSS = OUTPUTS

INPUT_CHANGES: dict[str, tuple[tuple[str, ...], list[str]]] = {
    "another way to write a type": (("name: rate, type: Double", "name: data, type: dataset", SEED), []),
    "another way to write a name": (("name: Rate, type: Float", DATA, SEED), []),
    "another way to write a default": ((RATE, DATA, "name: seed, type: Integer, default: 0"), []),
    "removed": ((RATE, DATA), ["! input seed removed [Integer = 0 > ]"]),
    "retyped": (
        ("name: rate, type: Integer", DATA, SEED),
        ["! input rate retyped [Float > Integer]"],
    ),
    "an artifact of another type": (
        (RATE, "name: data, type: Model", SEED),
        ["! input data retyped [Dataset > Model]"],
    ),
    "a parameter in place of an artifact": (
        (RATE, "name: data, type: String", SEED),
        ["! input data retyped [Dataset > String]"],
    ),
    "required and new": (
        (*INPUTS, "name: epochs, type: Integer"),
        ["! input epochs added, required [ > Integer]"],
    ),
    "optional and new": (
        (*INPUTS, "name: epochs, type: Integer, default: '3'"),
        ["input epochs added [ > Integer = 3]"],
    ),
    "optional without a default": (
        (*INPUTS, "name: more, type: Dataset, optional: true"),
        ["input more added [ > Dataset, optional]"],
    ),
    "optional and before others": (
        (RATE, DATA, "name: epochs, type: Integer, default: '3'", SEED),
        [
            "! inputs in another order [rate, data, seed > rate, data, epochs, seed]",
            "input epochs added [ > Integer = 3]",
        ],
    ),
    "made required": (
        (RATE, DATA, "name: seed, type: Integer"),
        ["! input seed made required [Integer = 0 > Integer]"],
    ),
    "made optional, and so after those that are required": (
        ("name: rate, type: Float, default: '0.5'", DATA, SEED),
        [
            "! inputs in another order [rate, data, seed > data, rate, seed]",
            "input rate made optional [Float > Float = 0.5]",
        ],
    ),
    "the last required one made optional": (
        (RATE, "name: data, type: Dataset, optional: true", SEED),
        ["input data made optional [Dataset > Dataset, optional]"],
    ),
    "another default": (
        (RATE, DATA, "name: seed, type: Integer, default: '1'"),
        ["default of seed changed [0 > 1]"],
    ),
    "another order": (
        (DATA, RATE, SEED),
        ["! inputs in another order [rate, data, seed > data, rate, seed]"],
    ),
    "another order in the file alone": ((SEED, RATE, DATA), []),
    "renamed": (
        ("name: step, type: Float", DATA, SEED),
        ["! input rate removed [Float > ]", "! input step added, required [ > Float]"],
    ),
    "an exit handler's": (
        (*INPUTS, "name: status, type: PipelineTaskFinalStatus"),
        ["! only for exit handlers [ > status: PipelineTaskFinalStatus]"],
    ),
}


@pytest.mark.parametrize(("inputs", "changes"), INPUT_CHANGES.values(), ids=INPUT_CHANGES.keys())
def test_what_changes_in_inputs_is_told(inputs: tuple[str, ...], changes: list[str]) -> None:
    assert told(diff(v1(), v1(inputs))) == changes


def test_what_an_exit_handler_no_longer_reads_makes_it_a_task_like_others() -> None:
    status = "name: status, type: PipelineTaskFinalStatus"
    assert told(diff(v1((*INPUTS, status)), v1())) == ["for any task [status: PipelineTaskFinalStatus > ]"]


@pytest.mark.parametrize(
    ("outputs", "changes"),
    [
        ((LOSS, MODEL), []),
        ((MODEL,), ["! output loss removed [Float > ]"]),
        ((*OUTPUTS, "name: log, type: HTML"), ["output log added [ > HTML]"]),
        (("name: model, type: Artifact", LOSS), ["! output model retyped [Model > Artifact]"]),
        (("name: Model, type: model", LOSS), []),
    ],
)
def test_what_changes_in_outputs_is_told(outputs: tuple[str, ...], changes: list[str]) -> None:
    assert told(diff(v1(), v1(outputs=outputs))) == changes


DEFAULTS = {
    "a text that is a number": ("String", "'1'", "'1.0'", '"1" > "1.0"'),
    "a truth in two ways": ("Boolean", "'true'", "true", ""),
    "truths": ("Boolean", "'true'", "'false'", "true > false"),
    "numbers in two ways": ("Float", "'1'", "'1.0'", ""),
    "a list in two ways": ("List", "'[1, 2]'", "'[1,2]'", ""),
    "lists": ("List", "'[1, 2]'", "'[2, 1]'", "[1, 2] > [2, 1]"),
    "a dict in two orders": ("Dict", '\'{"a": 1, "b": 2}\'', '\'{"b": 2, "a": 1}\'', ""),
    "what kfp cannot read": ("Integer", "'1'", "'a lot'", "1 > a lot"),
    "a long text": ("String", "'1'", f"'{'x' * 500}'", f'"1" > "{"x" * 119}…'),
}


@pytest.mark.parametrize(("type_", "old", "new", "change"), DEFAULTS.values(), ids=DEFAULTS.keys())
def test_defaults_are_compared_as_kfp_reads_them(type_: str, old: str, new: str, change: str) -> None:
    sides = [v1((f"name: a, type: {type_}, default: {default}",)) for default in (old, new)]
    assert told(diff(*sides)) == ([f"default of a changed [{change}]"] if change else [])


def test_the_image_and_the_command_are_no_interface() -> None:
    assert told(diff(v1(), v1(image=f"other/image:2@sha256:{'0' * 64}", program="learn"))) == []


def test_descriptions_are_told_where_they_are_asked_for() -> None:
    new = v1(("name: rate, type: Float, description: How fast.", DATA, SEED), about="Learns.")
    assert told(diff(v1(), new)) == []
    assert told(diff(v1(), new, descriptions=True)) == [
        "description of the component changed [Trains. > Learns.]",
        "description of rate changed [ > How fast.]",
    ]


def test_a_change_stands_where_it_is_now() -> None:
    new = v1(("name: rate, type: Integer", DATA, "name: epochs, type: Integer"))
    found = {(change.what.partition(" ")[2], change.path, change.line) for change in diff(v1(), new).changes}
    assert found == {
        ("rate retyped", "yaml/train.yaml", 4),
        ("seed removed", "yaml/train.yaml", 3),
        ("epochs added, required", "yaml/train.yaml", 6),
    }


def compiled(source: bytes, folder: Path) -> bytes:
    """What kfp compiles of a v1 component."""
    target = folder / "compiled.yaml"
    compiler.Compiler().compile(components.load_component_from_text(source.decode()), str(target))
    return target.read_bytes()


ALL_TYPES = (
    *("name: text, type: String, default: a", "name: number, type: Integer, default: '3'"),
    *("name: part, type: Float, default: '2'", "name: truth, type: Boolean, default: 'true'"),
    *("name: items, type: List, default: '[1]'", "name: table, type: Dict, default: '{\"a\": 1}'"),
    *("name: My Data, type: Dataset", "name: maybe, type: String, optional: true"),
)


def test_a_component_that_is_compiled_takes_keywords_only_and_is_the_same_besides(tmp_path: Path) -> None:
    source = v1(ALL_TYPES, (*OUTPUTS, "name: page, type: HTML", "name: all, type: List"))
    made = compiled(source, tmp_path)
    there, back = diff(source, made), diff(made, source)
    assert told(there) == ["! takes keywords only [v1 component YAML > compiled YAML]"]
    assert told(back) == ["takes positions too [compiled YAML > v1 component YAML]"]


def test_the_order_of_compiled_inputs_counts_for_nothing(tmp_path: Path) -> None:
    sides = [compiled(v1(inputs), tmp_path) for inputs in (INPUTS, (DATA, RATE, SEED))]
    assert told(diff(*sides)) == []


def test_changes_of_compiled_components_are_told_as_those_of_others(tmp_path: Path) -> None:
    old = compiled(v1(), tmp_path)
    new = compiled(v1(("name: rate, type: Integer", DATA, "name: seed, type: Integer, default: '7'")), tmp_path)
    assert told(diff(old, new)) == ["! input rate retyped [Float > Integer]", "default of seed changed [0 > 7]"]
