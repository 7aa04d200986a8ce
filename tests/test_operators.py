# No `from __future__ import annotations`: kfp reads the pipelines' annotations as they are.

import copy
import inspect
import json
import pickle
import warnings
from pathlib import Path
from typing import Any

import pytest
from installation import DIGEST, EXACT_PIN, OPERATORS, REPOSITORY, TAG_PIN, YAML, as_checkout, install, install_code
from kfp import compiler, components, dsl
from kfp.dsl.types.type_utils import InconsistentTypeException
from typed_components import gather

from kfp_release.package_files._operators.catalog import BadPins, Pins
from kfp_release.package_files._operators.definition import BadDefinition
from kfp_release.package_files._operators.yaml_operator import YamlOperator

RELEASED = (
    "pip install --force-reinstall --no-deps --index-url https://pypi.data-science.example/simple/ "
    "kubeflow-demo-components"
)
IMPORT_TIME_MODULES = "print(sorted({'kfp', 'yaml', 'importlib.metadata', 'importlib.resources'} & sys.modules.keys()))"


def operator(name: str) -> YamlOperator:
    file = YAML / f"{name}.yaml"
    return YamlOperator.from_text(f"{name}_op", file.read_text(encoding="utf-8"))


def stock(name: str) -> Any:
    return components.load_component_from_text((YAML / f"{name}.yaml").read_text(encoding="utf-8"))


def ir_operator(folder: Path) -> YamlOperator:
    @dsl.container_component  # type: ignore[untyped-decorator]  # kfp ships no types
    def subtract(minuend: float, subtrahend: float, difference: dsl.OutputPath(float)) -> dsl.ContainerSpec:  # type: ignore[valid-type]
        """The difference of two numbers."""
        return dsl.ContainerSpec(
            image=EXACT_PIN, command=["subtract"], args=["--of", minuend, "--what", subtrahend, "--to", difference]
        )

    compiler.Compiler().compile(subtract, str(folder / "subtract.yaml"))
    return YamlOperator.from_text("subtract_op", (folder / "subtract.yaml").read_text(encoding="utf-8"))


def compiled(body: Any, folder: Path) -> str:
    """The IR of a pipeline that does what `body` does."""

    @dsl.pipeline(name="tried")  # type: ignore[untyped-decorator]  # kfp ships no types
    def tried(a: float = 1.0, whole: int = 2) -> None:
        body(a, whole)

    compiler.Compiler().compile(tried, str(folder / "tried.yaml"))
    return (folder / "tried.yaml").read_text(encoding="utf-8")


# The module


def test_importing_operators_imports_neither_kfp_nor_yaml(tmp_path: Path) -> None:
    code = f"import sys; from kubeflow_demo_components import operators; dir(operators); {IMPORT_TIME_MODULES}"
    done = install(tmp_path, EXACT_PIN).python("-c", code)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_operators_lists_every_component(tmp_path: Path) -> None:
    done = install(tmp_path, EXACT_PIN).python(
        "-c", "from kubeflow_demo_components import operators as o; print(dir(o))"
    )
    assert done.stdout == f"{sorted([*OPERATORS, 'load', 'UnpinnedWarning'])}\n"


def test_operators_of_a_release_name_its_image_and_warn_of_nothing(tmp_path: Path) -> None:
    code = (
        "from kubeflow_demo_components.operators import multiply_op;"
        "print(multiply_op.component_spec.implementation.container.image)"
    )
    done = install(tmp_path, EXACT_PIN).python("-W", "error", "-c", code)
    assert (done.stdout, done.stderr) == (f"{EXACT_PIN}\n", "")


def test_an_operator_is_loaded_once(tmp_path: Path) -> None:
    code = "from kubeflow_demo_components import operators as o; print(o.multiply_op is o.multiply_op)"
    assert install(tmp_path, EXACT_PIN).python("-c", code).stdout == "True\n"


def test_a_star_import_gives_every_operator_and_nothing_else(tmp_path: Path) -> None:
    code = "from kubeflow_demo_components.operators import *; print(multiply_op, make_table_op, 'load' in globals())"
    done = install(tmp_path, EXACT_PIN).python("-c", code)
    assert done.stdout == "<multiply_op(a: float, b: float)> <make_table_op(rows: int, seed: int = 0)> False\n"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("multipy_op", "no operator 'multipy_op'; did you mean 'multiply_op'?"),
        ("multiply", "no operator 'multiply'; did you mean 'multiply_op'?"),
        ("zzz", f"no operator 'zzz'; there is {', '.join(OPERATORS)}"),
    ],
)
def test_an_unknown_operator_is_answered_with_the_near_one(tmp_path: Path, name: str, message: str) -> None:
    done = install(tmp_path, EXACT_PIN).python("-c", f"from kubeflow_demo_components import operators as o; o.{name}")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"AttributeError: {message}")


def test_without_component_files_there_are_no_operators(tmp_path: Path) -> None:
    code = "from kubeflow_demo_components import operators as o; print(dir(o)); o.multiply_op"
    done = install_code(tmp_path).python("-c", code)
    assert done.stdout == "['UnpinnedWarning', 'load']\n"
    assert "no operator 'multiply_op': this installation holds no component files" in done.stderr


# What is pinned


def test_a_build_outside_a_release_warns_once_that_its_tag_can_move(tmp_path: Path) -> None:
    code = "from kubeflow_demo_components import operators as o\no.multiply_op\no.make_table_op\no.multiply_op"
    done = install(tmp_path, TAG_PIN).python("-c", code)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("UnpinnedWarning") == 1
    assert done.stderr.startswith("<string>:2: UnpinnedWarning: version 1.2 was built outside a release")
    assert "by a tag alone" in done.stderr
    assert f"install a released version: {RELEASED}\n" in done.stderr


def test_a_checkout_warns_once_that_nothing_is_pinned(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    (checkout / "src").mkdir(parents=True)
    (checkout / "yaml").symlink_to(YAML)
    installation = install_code(checkout / "src")
    as_checkout(installation, checkout / "yaml")
    code = "from kubeflow_demo_components import operators as o\no.multiply_op\nprint(o.make_table_op)"
    done = installation.python("-c", code)
    assert done.stdout == "<make_table_op(rows: int, seed: int = 0)>\n"
    assert done.stderr.count("UnpinnedWarning") == 1
    assert f"the components are those of the folder {YAML}" in done.stderr
    assert f"install a released version: {RELEASED}\n" in done.stderr


def test_a_stray_pins_json_makes_no_checkout_exact(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    (checkout / "yaml").mkdir(parents=True)
    (checkout / "yaml/multiply.yaml").write_bytes((YAML / "multiply.yaml").read_bytes())
    installation = install_code(checkout / "src")
    as_checkout(installation, checkout / "yaml")
    released = install(tmp_path / "released", EXACT_PIN)
    (installation.package / "pins.json").write_bytes((released.package / "pins.json").read_bytes())
    done = installation.python("-c", "from kubeflow_demo_components import operators as o\no.multiply_op")
    assert f"UnpinnedWarning: the components are those of the folder {checkout / 'yaml'}" in done.stderr
    value = json.loads(installation.python("-m", "kubeflow_demo_components", "--json").stdout)
    assert (value["exact"], value["version"]) == (False, None)


def test_a_release_with_an_image_of_others_that_has_no_digest_warns(tmp_path: Path) -> None:
    installation = install(tmp_path, EXACT_PIN)
    pins = json.loads((installation.package / "pins.json").read_text(encoding="utf-8"))
    pins["components"]["multiply_op"]["images"] = ["docker.io/library/busybox:latest"]
    (installation.package / "pins.json").write_text(json.dumps(pins), encoding="utf-8")
    done = installation.python("-c", "from kubeflow_demo_components import operators as o\no.make_table_op")
    assert (
        "UnpinnedWarning: multiply_op of version 1.2 has no digest: docker.io/library/busybox:latest can "
        "move or be missing; "
    ) in done.stderr
    assert not json.loads(installation.python("-m", "kubeflow_demo_components", "--json").stdout)["exact"]


def test_a_component_that_no_build_has_pinned_warns(tmp_path: Path) -> None:
    installation = install(tmp_path, EXACT_PIN)
    (installation.package / "yaml/stray.yaml").write_bytes((YAML / "multiply.yaml").read_bytes())
    done = installation.python("-c", "from kubeflow_demo_components import operators as o\no.multiply_op")
    assert "UnpinnedWarning: version 1.2 was built without stray_op, so what runs is not certain; " in done.stderr


def test_damaged_pins_are_named(tmp_path: Path) -> None:
    installation = install(tmp_path, EXACT_PIN)
    (installation.package / "pins.json").write_text('{"schema": 1}', encoding="utf-8")
    done = installation.python("-c", "from kubeflow_demo_components import operators as o; o.multiply_op")
    assert "BadPins: pins.json of this installation is damaged" in done.stderr
    assert "install the package anew" in done.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '{"schema": 2, "version": "1", "commit": "", "images": {}}',
            "has schema 2, and its code reads 1",
        ),
        (
            '{"schema": "1", "version": "1", "commit": "", "images": {}}',
            "has schema '1', and its code reads 1",
        ),
        ('{"version": "1", "commit": "", "images": {}}', r"is damaged \(KeyError\('schema'\)\)"),
        ("[]", "is damaged"),
        ("", "is damaged"),
    ],
)
def test_pins_of_another_schema_are_not_read(text: str, message: str) -> None:
    with pytest.raises(BadPins, match=f"{message}.* install the package anew"):
        Pins.parse(text)


# Calls


def test_a_pipeline_compiles_to_the_same_bytes_as_with_kfp_alone(tmp_path: Path) -> None:
    def with_(multiply: Any, make: Any, scale: Any, describe: Any) -> Any:
        def body(a: Any, whole: Any) -> None:
            product = multiply(a=a, b=3.0)
            table = make(rows=whole, seed=4)
            with dsl.ParallelFor([1.0, 2.0]) as factor:
                scaled = scale(table=table.outputs["table"], factor=factor)
                describe(table=scaled.outputs["scaled"], column="id")
            with dsl.If(product.output > 1.0):
                scale(table=table.output, factor=product.output).set_caching_options(enable_caching=False)

        return body

    names = ("multiply", "make_table", "scale_table", "describe_table")
    assert compiled(with_(*map(operator, names)), tmp_path) == compiled(with_(*map(stock, names)), tmp_path)


@pytest.mark.parametrize("name", [name.removesuffix("_op") for name in OPERATORS])
def test_an_operator_alone_compiles_to_the_same_bytes_as_with_kfp_alone(tmp_path: Path, name: str) -> None:
    for number, component in enumerate((operator(name), stock(name))):
        compiler.Compiler().compile(component, str(tmp_path / f"{number}.yaml"))
    assert (tmp_path / "0.yaml").read_bytes() == (tmp_path / "1.yaml").read_bytes()


def test_positions_whole_numbers_and_none_mean_what_keywords_floats_and_absence_mean(tmp_path: Path) -> None:
    multiply, make, describe = operator("multiply"), operator("make_table"), operator("describe_table")

    def short(a: Any, _: Any) -> None:
        multiply(a, 3)
        describe(make(5, None).output, None)

    def long(a: Any, _: Any) -> None:
        stock("multiply")(a=a, b=3.0)
        stock("describe_table")(table=stock("make_table")(rows=5).output)

    assert compiled(short, tmp_path) == compiled(long, tmp_path)


def test_ir_components_take_keywords_alone_for_ir_has_no_order_of_inputs(tmp_path: Path) -> None:
    subtract = ir_operator(tmp_path)
    with pytest.raises(TypeError, match=r"takes its inputs by name only, and got 2: it is subtract_op\(\*, minuend"):
        subtract(5.0, 3.0)
    text = compiled(lambda a, _: subtract(minuend=a, subtrahend=3), tmp_path)
    original = components.load_component_from_text(subtract.component_yaml)
    assert text == compiled(lambda a, _: original(minuend=a, subtrahend=3.0), tmp_path)


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ((2,), {}, "multiply_op() lacks 'b': it is multiply_op(a: float, b: float)"),
        ((), {}, "multiply_op() lacks 'a', 'b': it is multiply_op(a: float, b: float)"),
        ((2, None), {}, "multiply_op() lacks 'b' (None is no argument): it is multiply_op(a: float, b: float)"),
        ((2, 3, 4), {}, "multiply_op() takes at most 2 arguments by position, and got 3"),
        ((2,), {"a": 2, "b": 3}, "multiply_op() got input 'a' twice"),
        ((2, 3), {"product": 4}, "multiply_op() has no input 'product': it is multiply_op(a: float, b: float)"),
    ],
)
def test_a_wrong_call_is_answered_with_the_right_one(args: Any, kwargs: Any, message: str) -> None:
    with pytest.raises(TypeError) as raised:
        operator("multiply")(*args, **kwargs)
    assert str(raised.value).startswith(message)


def test_a_misspelt_input_is_answered_with_the_near_one() -> None:
    with pytest.raises(TypeError, match=r"has no input 'colum'; did you mean 'column'\?"):
        operator("scale_table")(colum="id")


def test_a_whole_number_serves_float_inputs_alone(tmp_path: Path) -> None:
    def body(_: Any, whole: Any) -> None:
        operator("describe_table")(operator("make_table")(whole).output, 2)

    with pytest.raises(InconsistentTypeException, match="'column' is a String, and 2 is an Integer: write '2'"):
        compiled(body, tmp_path)


def test_an_int_parameter_for_a_float_input_is_told_its_annotation(tmp_path: Path) -> None:
    expected = r"input 'a' is a Float, and pipeline parameter 'whole' is an Integer: annotate it as `whole: float`"
    with pytest.raises(InconsistentTypeException, match=expected):
        compiled(lambda _, whole: operator("multiply")(whole, 2), tmp_path)


def test_an_int_loop_item_for_a_float_input_is_told_its_loop(tmp_path: Path) -> None:
    def body(_: Any, __: Any) -> None:
        with dsl.ParallelFor([1, 2]) as item:
            operator("multiply")(item, 2)

    with pytest.raises(
        InconsistentTypeException, match=r"the loop's item is an Integer: loop over floats, 1\.0 rather"
    ):
        compiled(body, tmp_path)


def test_an_int_output_for_a_float_input_is_told_its_component(tmp_path: Path) -> None:
    text = (
        (YAML / "multiply.yaml").read_text(encoding="utf-8").replace("product, type: Float", "product, type: Integer")
    )
    whole = YamlOperator.from_text("whole_op", text)
    expected = r"output 'product' of task 'multiply' is an Integer: declare that output as Float"
    with pytest.raises(InconsistentTypeException, match=expected):
        compiled(lambda a, _: operator("multiply")(whole(a, 2).output, 2), tmp_path)


# What an editor and help() show


def test_the_signature_has_types_and_defaults_and_required_inputs_first() -> None:
    text = (YAML / "scale_table.yaml").read_text(encoding="utf-8")
    column = "- {name: column, type: String, default: value, description: The column to multiply.}\n"
    swapped = text.replace(column, "").replace("inputs:\n", f"inputs:\n{column}")
    signature = inspect.signature(YamlOperator.from_text("scale_table_op", swapped))
    assert list(signature.parameters) == ["table", "factor", "column"]
    assert [item.annotation for item in signature.parameters.values()] == [dsl.Dataset, float, str]
    assert signature.parameters["column"].default == "value"
    assert signature.return_annotation is dsl.PipelineTask


def test_the_docstring_tells_inputs_outputs_and_image() -> None:
    text = inspect.getdoc(operator("describe_table")) or ""
    assert text.splitlines() == [
        "describe_table_op(table: Dataset, column: str = 'value')",
        "",
        "Count, mean, minimum and maximum of one column of a table.",
        "",
        "Inputs:",
        "    table: Dataset  The table as CSV.",
        "    column: String = value  The column to measure.",
        "",
        "Outputs:",
        "    metrics: Metrics  Of the column: rows, mean, minimum and maximum.",
        "    mean: Float  The mean alone.",
        "",
        "Images:",
        f"    {REPOSITORY}",
    ]


def test_help_shows_signature_types_defaults_descriptions_and_outputs(tmp_path: Path) -> None:
    code = "from kubeflow_demo_components import operators; help(operators.scale_table_op)"
    text = install(tmp_path, EXACT_PIN).python("-c", code).stdout
    for line in (
        "scale_table_op(table: Dataset, factor: float, column: str = 'value')",
        "A table with one of its columns multiplied by a factor.",
        "    factor: Float  What to multiply by.",
        "    column: String = value  The column to multiply.",
        "    scaled: Dataset  The table with the column multiplied.",
        f"    {EXACT_PIN}",
    ):
        assert any(shown.endswith(line) for shown in text.splitlines()), line


def test_an_ir_component_is_described_too(tmp_path: Path) -> None:
    subtract = ir_operator(tmp_path)
    text = inspect.getdoc(subtract) or ""
    assert text.startswith("subtract_op(*, minuend: float, subtrahend: float)\n\nThe difference of two numbers.\n")
    assert "Outputs:\n    difference: Float\n" in text
    assert str(DIGEST) in text


def test_a_list_of_artifacts_is_told_as_one(tmp_path: Path) -> None:
    compiler.Compiler().compile(gather, str(tmp_path / "gather.yaml"))
    operator = YamlOperator.from_text("gather_op", (tmp_path / "gather.yaml").read_text(encoding="utf-8"))
    assert repr(operator) == "<gather_op(*, tables: list[Dataset])>"


def test_an_operator_can_be_copied_and_pickled(tmp_path: Path) -> None:
    for original in (operator("scale_table"), ir_operator(tmp_path)):
        for copied in (copy.copy(original), copy.deepcopy(original), pickle.loads(pickle.dumps(original))):  # noqa: S301 - our own bytes
            assert copied.component_yaml == original.component_yaml
            assert repr(copied) == repr(original)
            assert copied.pipeline_spec == original.pipeline_spec


@pytest.mark.parametrize("name", ["class", "1 st", "Self"])
def test_an_input_that_python_cannot_name_is_refused_with_the_operator(name: str) -> None:
    text = (YAML / "multiply.yaml").read_text(encoding="utf-8")
    text = text.replace("name: a,", f"name: {name},").replace("inputValue: a}", f"inputValue: {name}}}")
    with pytest.raises(BadDefinition, match="odd_op has an input whose name no Python call can use"):
        YamlOperator.from_text("odd_op", text)


@pytest.mark.parametrize(
    ("section", "old", "new"),
    [("inputs", "name: b,", "name: 'A ',"), ("outputs", "outputs:\n", "outputs:\n- {name: PRODUCT}\n")],
)
def test_two_names_that_kfp_makes_one_are_refused_with_the_operator(section: str, old: str, new: str) -> None:
    text = (YAML / "multiply.yaml").read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(
        BadDefinition, match=f"odd_op has two {section} that are both '(a|product)' in kfp: one of them needs"
    ):
        YamlOperator.from_text("odd_op", text.replace(old, new))


def test_loading_an_operator_warns_of_nothing() -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        operator("multiply")
    assert seen == []


EVERYTHING = """\
name: Everything
description: |
  Two lines,
  and "quotes".
metadata: {annotations: {author: somebody}, labels: {team: "7"}}
inputs:
- {name: Some Text, type: String, default: 'yes'}
- {name: count, type: Integer, default: '3'}
- {name: factor, type: Float, optional: true}
- {name: switch, type: Boolean, default: 'False'}
- {name: many, type: JsonArray, default: '[1, 2]'}
- {name: more, type: JsonObject, default: '{"a": 1}'}
- {name: data, type: Dataset}
outputs:
- {name: model, type: Model}
- {name: score, type: Float}
implementation:
  container:
    image: registry.example/some:1
    command: [run, --text, {inputValue: Some Text}]
    args:
    - {concat: [a, {inputValue: count}]}
    - {if: {cond: {isPresent: factor}, then: [--factor, {inputValue: factor}], else: [--none]}}
    - {inputPath: data}
    - {outputPath: model}
    env: {WHEN: 2020-01-01x, ONE: '1'}
"""


def test_a_v1_component_is_what_kfp_makes_of_it() -> None:
    ours = YamlOperator.from_text("everything_op", EVERYTHING)
    theirs = components.load_component_from_text(EVERYTHING)
    assert ours.component_spec == theirs.component_spec
    assert ours.pipeline_spec == theirs.pipeline_spec


@pytest.mark.parametrize("file", sorted(YAML.glob("*.yaml")), ids=lambda file: file.stem)
def test_each_component_here_is_what_kfp_makes_of_it(file: Path) -> None:
    assert operator(file.stem).component_spec == stock(file.stem).component_spec
