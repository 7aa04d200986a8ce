from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import Any

import pytest
from installation import YAML
from kfp import dsl
from typed_components import write_components

from kfp_release.component import ComponentFile
from kfp_release.package_files._operators.yaml_operator import YamlOperator
from kfp_release.stub import HEADER, Operator, mark_path, module_path, stub_path, stub_text
from kfp_release.stub_task import TASK
from kfp_release.written import is_replaceable

ONE = """\
name: One
description: {description}
inputs:
- {{name: a, type: {type}, default: {default}, description: {about}}}
implementation: {{container: {{image: registry.example/some, command: [run, {{inputValue: a}}]}}}}
"""


def files(folder: Path) -> list[ComponentFile]:
    return [ComponentFile.parse(path.name, path.read_bytes()) for path in sorted(folder.glob("*.y*ml"))]


def stub(folder: Path) -> str:
    return stub_text(map(Operator.of, files(folder)))


def one(
    file: str = "one.yaml", type_: str = "String", default: str = "x", about: str = "x", description: str = "x"
) -> Operator:
    text = ONE.format(type=type_, default=default, about=about, description=description)
    return Operator.of(ComponentFile.parse(file, text.encode()))


def classes(text: str) -> dict[str, ast.ClassDef]:
    return {node.name: node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)}


def operators(text: str) -> dict[str, ast.ClassDef]:
    """The class of each operator by the operator's name."""
    by_name = classes(text)
    return {
        node.target.id: by_name[node.annotation.id]
        for node in ast.parse(text).body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and isinstance(node.annotation, ast.Name)
        if node.annotation.id in by_name
    }


def call(operator: ast.ClassDef) -> ast.FunctionDef:
    (found,) = (node for node in operator.body if isinstance(node, ast.FunctionDef))
    assert found.name == "__call__"
    return found


def parameters(function: ast.FunctionDef) -> dict[str, str]:
    """Each with its annotation and default, as they are written; of what goes by name alone with a star."""
    given = function.args
    late: list[ast.expr | None] = [None] * (len(given.args) - len(given.defaults)) + [*given.defaults]
    pairs = [*zip(given.args, late, strict=True), *zip(given.kwonlyargs, given.kw_defaults, strict=True)]
    star = {argument.arg: "*" for argument in given.kwonlyargs}
    return {
        star.get(argument.arg, "") + argument.arg: ast.unparse(argument.annotation)
        + (f" = {ast.unparse(default)}" if default else "")
        for argument, default in pairs
        if argument.annotation is not None
    }


def test_an_operators_call_has_the_inputs_with_types_and_defaults_in_their_order(tmp_path: Path) -> None:
    write_components(tmp_path)
    found = {name: parameters(call(operator)) for name, operator in operators(stub(tmp_path)).items()}
    assert found["everything_op"] == {
        "data": "_Dataset",
        "required": "int | _Channel",
        "some_text": "str | _Channel | None = 'it\\'s \"yes\"\\\\no'",
        "count": "int | _Channel | None = 3",
        "factor": "float | _Channel | None = None",
        "switch": "bool | _Channel | None = False",
        "many": "list[Any] | _Channel | None = [1, 2]",
        "more": "dict[str, Any] | _Channel | None = {'a': 1}",
        "list": "str | _Channel | None = ...",
    }
    assert found["mute_op"] == {}
    assert found["notify_op"] == {"message": "str | _Channel | None = 'done'"}
    assert found["subtract_op"] == {"*minuend": "float | _Channel", "*subtrahend": "float | _Channel | None = 1.5"}
    assert found["gather_op"] == {"*tables": "Sequence[_PipelineArtifact] | _Channel"}
    assert found["split_op"] == {"*whole": "float | _Channel", "*rows": "int | _Channel | None = 2"}


def test_a_task_has_its_outputs_by_name_and_one_alone_without(tmp_path: Path) -> None:
    write_components(tmp_path)
    text = stub(tmp_path)
    tables = {
        line.partition(" = ")[0]: line.partition('", ')[2].removesuffix(")")
        for line in text.splitlines()
        if " = TypedDict(" in line
    }
    assert tables["_SplitOutputs"] == (
        '{"difference": _FloatOutput, "best": _DatasetOutput, "tables": _DatasetListOutput}'
    )
    assert tables["_MuteOutputs"] == "{}"
    assert tables["_EverythingOutputs"] == (
        '{"class": _ModelOutput, "text": _StringOutput, "whole": _IntegerOutput, "flag": _BooleanOutput, '
        '"items": _ListOutput, "table_of": _DictOutput}'
    )
    single = {name: ast.unparse(node) for name, node in classes(text).items() if name.endswith("Task")}
    assert "def output(self) -> _NotOne:" in single["_SplitTask"]
    assert "def output(self) -> _NotOne:" in single["_MuteTask"]
    assert "def output(self) -> _FloatOutput:" in single["_SubtractTask"]


@pytest.mark.parametrize("source", ["own", "more"])
def test_it_tells_of_the_signatures_and_words_that_operators_have(source: str, tmp_path: Path) -> None:
    write_components(tmp_path)
    folder = YAML if source == "own" else tmp_path
    found = operators(stub(folder))
    assert found
    for file in files(folder):
        real = YamlOperator.from_text(file.operator, file.text)
        signature = inspect.signature(real)
        told = call(found[file.operator])
        kinds = {
            name: ("*" if item.kind is item.KEYWORD_ONLY else "") + name for name, item in signature.parameters.items()
        }
        assert list(parameters(told)) == list(kinds.values())
        for name, written in parameters(told).items():
            default = signature.parameters[name.removeprefix("*")].default
            assert (" = " in written) == (default is not inspect.Parameter.empty)
            if " = " in written and not written.endswith(" = ..."):
                assert ast.literal_eval(written.partition(" = ")[2]) == default
        # From below the signature to the images, help() says what the stub does.
        words = (inspect.getdoc(real) or "").partition("\n\n")[2].partition("Images:\n")[0].strip()
        assert ast.get_docstring(told) == words or file.operator == "mute_op"
        assert ast.get_docstring(found[file.operator]) == ast.get_docstring(told)


def test_an_operator_has_its_words_where_it_is_defined_too() -> None:
    body = ast.parse(stub(YAML)).body
    number = next(i for i, node in enumerate(body) if ast.unparse(node) == "multiply_op: _MultiplyOp")
    words = body[number + 1]
    assert isinstance(words, ast.Expr)
    assert isinstance(words.value, ast.Constant)
    assert str(words.value.value).startswith(
        "The product of two numbers.\n\nInputs:\n    a: Float  The first factor.\n"
    )


@pytest.mark.parametrize(
    "words",
    [
        'ends in a quote "',
        '"',
        '""',
        '"""',
        '""""""',
        'a """ b \\""" c',
        "back\\slash \\",
        "\\",
        "\\N{BULLET} \\x41 \\u12",
        "ÄÖ€ 日本 \U0001f600",
        "nul\x00 bell\x07 del\x7f nel\x85",
        "line\u2028 page\x0c bom\ufeff rtl\u202e",
        "  ",
        "# mypy: ignore-errors",
        "'''",
        "{braces} %s",
    ],
)
@pytest.mark.parametrize("place", ["description", "about", "default"])
def test_no_words_break_it(words: str, place: str) -> None:
    import yaml  # noqa: PLC0415 - to write what no one would by hand

    quoted = yaml.safe_dump(words, default_style='"', width=1000, allow_unicode=False).strip()
    told = one(**{place: quoted})
    text = stub_text([told])
    text.encode()
    assert len(text.splitlines()) == len(text.split("\n")) - 1
    (operator,) = operators(text).values()
    written = parameters(call(operator))["a"].partition(" = ")[2]
    shown = ast.get_docstring(call(operator), clean=False) or ""
    if place == "default":
        assert ast.literal_eval(written) == words
    elif words.strip():
        assert " ".join(words.split()) in " ".join(shown.split()) or not words.isprintable()


def test_lines_of_a_description_stay_lines() -> None:
    (operator,) = operators(stub_text([one(description='"One\\n\\n  Two"')])).values()
    assert (ast.get_docstring(operator) or "").startswith("One\n\n  Two\n\nInputs:")


@pytest.mark.parametrize(
    ("type_", "default", "written"),
    [
        ("Float", "'2'", "2.0"),
        ("Float", "nan", "..."),
        ("Float", ".inf", "..."),
        ("Integer", "x", "..."),
        ("Integer", "2026-13-41", "..."),
        ("Boolean", "'yes'", "True"),
        ("List", "'[1'", "'[1'"),
        ("List", "'[1, [2, {\"a\": null}]]'", "[1, [2, {'a': None}]]"),
        ("List", "'[1e999]'", "..."),
        ("String", "2026-12-01", "'2026-12-01'"),
        ("String", f"'{'long ' * 20}'", "..."),
    ],
)
def test_a_default_is_the_one_that_kfp_reads_or_none_is_shown(type_: str, default: str, written: str) -> None:
    (operator,) = operators(stub_text([one(type_=type_, default=default)])).values()
    assert parameters(call(operator))["a"].partition(" = ")[2] == written


def test_names_that_meet_get_numbers() -> None:
    names = [
        "a_b.yaml",
        "a__b.yaml",
        "ab.yaml",
        "float_output.yaml",
        "task.yaml",
        "list.yaml",
        "_a.yaml",
        "A.yaml",
        "a.yaml",
    ]
    text = stub_text(map(one, names))
    assert sorted(operators(text)) == sorted(name.replace(".yaml", "_op") for name in names)
    defined = [node.name for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]
    assert len(set(defined)) == len(defined)
    assert {"_ABOp", "_ABOp2", "_AbOp"} <= set(defined)


def test_an_operator_that_python_cannot_name_or_call_is_left_out() -> None:
    text = "name: Odd\ninputs: [{names}]\nimplementation: {{container: {{image: registry.example/some}}}}\n"
    bad = ("{name: class}", "{name: 1 st}", "{name: self}", "{name: my a}, {name: My A}", "{name: ''''}")
    odd = [Operator.of(ComponentFile.parse("odd.yaml", text.format(names=each).encode())) for each in bad[:4]]
    assert [each.is_callable for each in odd] == [False] * 4
    assert list(
        operators(stub_text([*odd, one("1st.yaml"), one("a.b.yaml"), one("__d.yaml"), one("--d.yaml"), one()]))
    ) == ["one_op"]


def test_a_package_without_operators_has_an_empty_stub() -> None:
    text = stub_text([])
    assert text.endswith("__all__: list[str] = []\n")
    ast.parse(text)


def test_the_same_components_give_the_same_text_in_any_order_and_with_any_image() -> None:
    told = [Operator.of(file) for file in files(YAML)]
    pinned = [
        Operator.of(ComponentFile.parse(file.name, file.text.replace("/demo\n", "/demo:1.0\n").encode()))
        for file in files(YAML)
    ]
    assert stub_text(told) == stub_text(reversed(told)) == stub_text(pinned)


def test_all_names_the_operators() -> None:
    (listed,) = (
        node for node in ast.parse(stub(YAML)).body if isinstance(node, ast.Assign) and "__all__" in ast.unparse(node)
    )
    assert ast.literal_eval(listed.value) == sorted(f"{file.stem}_op" for file in YAML.glob("*.yaml"))


@pytest.mark.parametrize(
    ("type_", "written"),
    [
        ("Double", "float | _Channel"),
        ("JsonArray", "list[Any] | _Channel"),
        ("'List[str]'", "list[Any] | _Channel"),
        ("dataset", "_Dataset"),
        ("google.VertexModel", "_GoogleVertexModel"),
        ("Unheard", "_Artifact"),
        ("PipelineTaskFinalStatus", None),
    ],
)
def test_types_are_those_that_kfp_takes_them_for(type_: str, written: str | None) -> None:
    (operator,) = operators(stub_text([one(type_=type_, default="null")])).values()
    assert parameters(call(operator)).get("a", "").partition(" | None")[0] == (written or "")


def test_a_persons_stub_is_told_from_one_of_ours() -> None:
    assert is_replaceable(None)
    assert is_replaceable(b"")
    assert is_replaceable(stub(YAML).encode())
    assert stub(YAML).startswith(HEADER)
    assert not is_replaceable(b"multiply_op: object\n")


def test_paths_are_those_in_a_wheel() -> None:
    assert module_path("a.b") == "a/b/operators.py"
    assert stub_path("a.b") == "a/b/operators.pyi"
    assert mark_path("a.b") == "a/b/py.typed"


def test_the_tasks_methods_are_kfps() -> None:
    def returns_task(method: Any) -> bool:
        return inspect.isfunction(method) and inspect.signature(method).return_annotation == "PipelineTask"

    of_kfp = {name: inspect.signature(method) for name, method in inspect.getmembers(dsl.PipelineTask, returns_task)}
    (task,) = (node for node in ast.parse(TASK).body if isinstance(node, ast.ClassDef))
    told = {node.name: node.args for node in task.body if isinstance(node, ast.FunctionDef)}
    assert sorted(told) == sorted(of_kfp)
    for name, signature in of_kfp.items():
        arguments = told[name]
        names = [each.arg for each in arguments.args] + ([arguments.vararg.arg] if arguments.vararg else [])
        assert names == list(signature.parameters), name
        defaults = [item.default for item in signature.parameters.values() if item.default is not item.empty]
        assert [ast.literal_eval(default) for default in arguments.defaults] == defaults, name
