"""What an author is told of arguments that kfp refuses; and that no other ones are refused."""

# No `from __future__ import annotations`: kfp reads the pipelines' annotations as they are.

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from kfp import compiler, dsl
from kfp.dsl.types.type_utils import InconsistentTypeException
from test_operators import EVERYTHING, compiled, ir_operator, operator
from typed_components import MUTE, gather

from kfp_release.package_files._operators.arguments import BadArgument
from kfp_release.package_files._operators.yaml_operator import YamlOperator

NUMBER = "multiply_op(): input 'a' is a Float, and "
WHOLE = "make_table_op(): input 'rows' is an Integer, and "
TABLE = "scale_table_op(): input 'table' is a Dataset, and "
GIVE_TABLE = "give it an output that is a Dataset, or an input of the pipeline, `dsl.Input[dsl.Dataset]`"


def told(call: Callable[[], Any]) -> str:
    """What the call is refused with, in a pipeline."""

    def refused() -> None:
        with pytest.raises(BadArgument) as raised:
            call()
        assert isinstance(raised.value, TypeError)
        assert isinstance(raised.value, InconsistentTypeException)
        messages.append(str(raised.value))
        operator("make_table")(1)  # a pipeline needs a task

    messages: list[str] = []
    dsl.pipeline(name="tried")(refused)
    return messages[0]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("2", "'2' is a String: write 2.0"),
        ("two", "'two' is a String: write a float"),
        ("nan", "'nan' is a String: write a float"),
        (True, "True is a Boolean: write 1.0"),
        ([2.0], "[2.0] is a List: write a float"),
        ({"a": 2}, "{'a': 2} is a Dict: write a float"),
        ("2" * 90, f"'{'2' * 56}… is a String: write 2.22222"),
        (Decimal(2), "this is a decimal.Decimal: float(…) makes a constant of it, where it can be one"),
        (Fraction(1, 2), "this is a fractions.Fraction: float(…) makes a constant of it"),
        (object(), "this is a object: write a float"),
        (b"2", "this is a bytes: write a float"),
        (print, "this is a builtin_function_or_method: write a float"),
        (float, "this is a type: write a float"),
        (operator, "this is a function: write a float"),
    ],
)
def test_a_constant_of_another_type_is_told_what_to_write(value: Any, message: str) -> None:
    assert told(lambda: operator("multiply")(value, 2)).startswith(NUMBER + message)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("rows", 2.0, "input 'rows' is an Integer, and 2.0 is a Float: write 2"),
        ("rows", 2.5, "input 'rows' is an Integer, and 2.5 is a Float: write an int"),
        ("rows", "7", "input 'rows' is an Integer, and '7' is a String: write 7"),
        ("rows", False, "input 'rows' is an Integer, and False is a Boolean: write 0"),
        ("seed", None, None),
    ],
)
def test_whole_numbers_are_told_likewise(name: str, value: Any, message: str | None, tmp_path: Path) -> None:
    given = {"rows": 3, name: value}
    if message is None:
        assert "make-table" in compiled(lambda *_: operator("make_table")(**given), tmp_path)
    else:
        assert told(lambda: operator("make_table")(**given)) == f"make_table_op(): {message}"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("some_text", 1.5, "is a String, and 1.5 is a Float: write '1.5'"),
        ("some_text", ["a"], "is a String, and ['a'] is a List: write a str"),
        ("some_text", b"a", "is a String, and this is a bytes: .decode() makes a constant of it, where it can be one"),
        ("some_text", bytearray(b"a"), "is a String, and this is a bytearray: .decode() makes a constant of it"),
        ("some_text", Decimal(2), "is a String, and this is a decimal.Decimal: str(…) makes a constant of it"),
        ("some_text", print, "is a String, and this is a builtin_function_or_method: write a str"),
        ("some_text", str, "is a String, and this is a type: write a str"),
        ("some_text", object(), "is a String, and this is a object: write a str"),
        ("switch", Decimal(2), "is a Boolean, and this is a decimal.Decimal: bool(…) makes a constant of it"),
        ("switch", print, "is a Boolean, and this is a builtin_function_or_method: write True or False"),
        ("many", b"a", "is a List, and this is a bytes: write a list"),
        ("many", print, "is a List, and this is a builtin_function_or_method: write a list"),
        ("more", MappingProxyType({}), "is a Dict, and this is a mappingproxy: dict(…) makes a constant of it"),
        ("more", (1, 2), "is a Dict, and this is a tuple: write a dict"),
        ("count", Decimal(2), "is an Integer, and this is a decimal.Decimal: int(…) makes a constant of it"),
        ("switch", "yes", "is a Boolean, and 'yes' is a String: write True or False"),
        ("switch", 1, "is a Boolean, and 1 is an Integer: write True or False"),
        ("many", (1, 2), "is a List, and this is a tuple: list(…) makes a constant of it"),
        ("many", {"a": 1}, "is a List, and {'a': 1} is a Dict: write a list"),
        ("more", [1], "is a Dict, and [1] is a List: write a dict"),
    ],
)
def test_other_types_are_told_likewise(name: str, value: Any, message: str) -> None:
    everything = YamlOperator.from_text("everything_op", EVERYTHING)
    said = told(lambda: everything(operator("make_table")(3).output, **{name: value}))
    assert said.startswith(f"everything_op(): input {name!r} {message}")


@pytest.mark.parametrize("value", ["gs://table", 2, 2.5, True, ["a"], {"a": 1}])
def test_a_constant_for_an_artifact_is_told_what_to_give(value: Any) -> None:
    said = told(lambda: operator("scale_table")(value, 2))
    assert said.startswith(f"{TABLE}{value!r} is a")
    assert said.endswith(f": {GIVE_TABLE}")


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), -float("inf"), 10**400], ids=["nan", "inf", "-inf", "huge"]
)
@pytest.mark.parametrize(("name", "given"), [("multiply", {"b": 1}), ("make_table", {})])
def test_numbers_that_no_pipeline_can_hold_are_refused(name: str, given: Any, value: Any) -> None:
    first = next(iter(operator(name).__signature__.parameters))
    said = told(lambda: operator(name)(**{first: value}, **given))
    assert "and a pipeline holds finite numbers alone" in said


def test_an_output_of_another_type_is_named_with_its_task() -> None:
    multiply, make, scale = operator("multiply"), operator("make_table"), operator("scale_table")
    assert told(lambda: scale(multiply(2, 3).output, 2)) == (
        f"{TABLE}output 'product' of task 'multiply' is a Float: {GIVE_TABLE}"
    )
    assert told(lambda: multiply(make(3).output, 2)) == (
        f"{NUMBER}output 'table' of task 'make-table' is a Dataset: "
        "an artifact is no value; give it an output that is a Float"
    )
    assert told(lambda: make(multiply(2, 3).output)) == (
        f"{WHOLE}output 'product' of task 'multiply' is a Float: "
        "declare that output as Integer (-> int) in its component"
    )
    assert told(lambda: scale(operator("describe_table")(make(3).output).outputs["metrics"], 2)) == (
        f"{TABLE}output 'metrics' of task 'describe-table' is a Metrics: {GIVE_TABLE}"
    )


def test_a_task_and_a_component_are_no_values() -> None:
    multiply, make, describe = operator("multiply"), operator("make_table"), operator("describe_table")
    assert (
        told(lambda: multiply(multiply(2, 3), 2)) == f"{NUMBER}this is the task 'multiply': give it .outputs['product']"
    )
    assert told(lambda: multiply(describe(make(3).output), 2)) == (
        f"{NUMBER}this is the task 'describe-table': give it .outputs['mean']"
    )
    assert told(lambda: operator("scale_table")(multiply(2, 3), 2)) == (
        f"{TABLE}this is the task 'multiply': none of its outputs is a Dataset"
    )
    assert told(lambda: multiply(YamlOperator.from_text("mute_op", MUTE)(), 2)) == (
        f"{NUMBER}this is the task 'mute': it has no outputs"
    )
    assert told(lambda: multiply(make, 2)) == (
        f"{NUMBER}this is the component 'make-table', which is not called: call it, and give an output of the task"
    )


@pytest.mark.parametrize(
    ("type_", "told_of", "rest"),
    [
        ("google.VertexModel", "google.VertexModel", ""),
        ("HTML", "HTML", ", or an input of the pipeline, `dsl.Input[dsl.HTML]`"),
    ],
)
def test_an_artifact_is_asked_for_by_a_name_that_kfp_has(type_: str, told_of: str, rest: str) -> None:
    text = MUTE.replace("name: Mute\n", f"name: Odd\ninputs: [{{name: x, type: {type_}}}]\n")
    odd = YamlOperator.from_text("odd_op", text)
    said = told(lambda: odd(operator("multiply")(2, 3).output))
    assert said.endswith(f": give it an output that is a {told_of}{rest}")


def test_a_list_of_artifacts_is_asked_for_as_kfp_writes_it(tmp_path: Path) -> None:
    compiler.Compiler().compile(gather, str(tmp_path / "gather.yaml"))
    gather_op = YamlOperator.from_text("gather_op", (tmp_path / "gather.yaml").read_text(encoding="utf-8"))
    assert told(lambda: gather_op(tables=operator("make_table")(3).output)).endswith(
        ": give it an output that is a List[Dataset], or an input of the pipeline, `dsl.Input[List[dsl.Dataset]]`"
    )


def test_pipeline_parameters_loop_items_and_gathered_outputs_are_named() -> None:
    multiply, messages = operator("multiply"), []

    def tried(text: str, data: dsl.Input[dsl.Model]) -> None:
        with dsl.ParallelFor(["a", "b"]) as item:
            product = multiply(2, 3)
            calls.append(lambda: multiply(item, 2))
        calls.append(lambda: multiply(text, 2))
        calls.append(lambda: operator("scale_table")(data, 2))
        calls.append(lambda: multiply(dsl.Collected(product.output), 2))
        for call in calls:
            with pytest.raises(BadArgument) as raised:
                call()
            messages.append(str(raised.value))

    calls: list[Callable[[], Any]] = []
    dsl.pipeline(name="tried")(tried)
    assert messages == [
        f"{NUMBER}the loop's item is a String: loop over floats, 1.0 rather than 1",
        f"{NUMBER}pipeline parameter 'text' is a String: annotate it as `text: float` in the pipeline",
        f"{TABLE}pipeline parameter 'data' is a Model: {GIVE_TABLE}",
        f"{NUMBER}what dsl.Collected gathers of output 'product' is a List: give it one Float, not a list of them",
    ]


def test_compiled_components_are_told_of_in_the_same_words(tmp_path: Path) -> None:
    said = told(lambda: ir_operator(tmp_path)(minuend="5", subtrahend=3))
    assert said == "subtract_op(): input 'minuend' is a Float, and '5' is a String: write 5.0"


def test_what_fits_is_handed_on_as_it_is(tmp_path: Path) -> None:
    everything = YamlOperator.from_text("everything_op", EVERYTHING)

    def tried(data: dsl.Input[dsl.Dataset], text: str = "", whole: int = 1) -> None:
        everything(data, some_text=text, count=whole, switch=True, many=[1, "a"], more={"a": {"b": [1.5]}})
        with dsl.ParallelFor([{"a": 1.5, "b": 2.5}]) as item:
            product = operator("multiply")(item.a, item.b)
        everything(data, many=dsl.Collected(product.output))

    compiler.Compiler().compile(dsl.pipeline(name="tried")(tried), str(tmp_path / "tried.yaml"))
    assert (tmp_path / "tried.yaml").is_file()
