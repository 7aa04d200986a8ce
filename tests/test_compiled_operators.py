"""Operators, listing and checks of components that kfp has compiled: with all that v1 components have."""

# No `from __future__ import annotations`: kfp reads the functions' annotations as they are, and Optional alone.
# ruff: noqa: ARG001, D417, PLR0917, UP045 - interfaces, of which only a part is used

import inspect
import json
import re
from pathlib import Path
from typing import Any, Optional

import pytest
from component_files import OWNED
from installation import EXACT_PIN, install
from kfp import compiler, components, dsl

from kfp_release.component import ComponentFile
from kfp_release.component_rules import component_problems
from kfp_release.container import Container
from kfp_release.package_files._operators.definition import Definition
from kfp_release.package_files._operators.yaml_operator import YamlOperator


@dsl.container_component  # type: ignore[untyped-decorator]  # kfp ships no types
def everything(
    count: int,
    table: dsl.Input[dsl.Dataset],
    tables: dsl.Input[list[dsl.Dataset]],
    status: dsl.PipelineTaskFinalStatus,
    scores: dsl.OutputPath(dict),  # type: ignore[valid-type]  # kfp's own form
    metrics: dsl.Output[dsl.Metrics],
    start: Optional[dsl.Input[dsl.Model]] = None,
    whole: int = 3,
    rate: float = 2.0,
    name: str = "",
    fast: bool = True,  # noqa: FBT001, FBT002 - an input
    layers: list[Any] = [1, "a"],  # noqa: B006 - kfp copies it
    extra: dict[str, Any] = {"k": [1, 2.5]},  # noqa: B006 - likewise
    note: Optional[str] = None,
) -> dsl.ContainerSpec:
    """All that an interface can have.

    Args:
        count: How many.
        tables: Some tables.
        layers: Sizes.

    """
    return dsl.ContainerSpec(
        image=OWNED,
        command=["everything"],
        args=[
            *("--count", count, "--table", table.path, "--tables", "{{$.inputs.artifacts['tables']}}"),
            *("--scores", scores, "--metrics", metrics.path, "{{$}}"),
            dsl.IfPresentPlaceholder(input_name="note", then=["--note", note], else_=["--no-note"]),
        ],
    )


@dsl.container_component  # type: ignore[untyped-decorator]  # kfp ships no types
def one(value: float, result: dsl.OutputPath(float)) -> dsl.ContainerSpec:  # type: ignore[valid-type]
    return dsl.ContainerSpec(image=OWNED, command=["one"], args=["--value", value, "--result", result])


@dsl.container_component  # type: ignore[untyped-decorator]  # kfp ships no types
def made(rows: int, table: dsl.Output[dsl.Dataset]) -> dsl.ContainerSpec:
    return dsl.ContainerSpec(image=OWNED, command=["made"], args=["--rows", rows, "--table", table.path, "{{$}}"])


@dsl.pipeline(name="Twice Done")  # type: ignore[untyped-decorator]  # kfp ships no types
def twice(value: float = 1.0, steps: int = 2) -> float:
    """Two steps."""
    first = one(value=value)
    first.set_display_name("steps").set_env_variable("A", "b")
    return one(value=first.outputs["result"]).outputs["result"]  # type: ignore[no-any-return]


def text_of(component: Any, folder: Path) -> str:
    file = folder / "compiled.yaml"
    compiler.Compiler().compile(component, str(file))
    return file.read_text(encoding="utf-8")


def test_the_signature_has_types_and_defaults_of_every_kind(tmp_path: Path) -> None:
    operator = YamlOperator.from_text("everything_op", text_of(everything, tmp_path))
    parameters = inspect.signature(operator).parameters
    assert {item.kind for item in parameters.values()} == {inspect.Parameter.KEYWORD_ONLY}
    assert "status" not in parameters
    assert {name: item.annotation for name, item in parameters.items() if item.default is item.empty} == {
        "count": int,
        "table": dsl.Dataset,
        "tables": list[dsl.Dataset],
    }
    defaults = {name: item.default for name, item in parameters.items() if item.default is not item.empty}
    assert defaults == {
        "whole": 3,
        "rate": 2.0,
        "name": "",
        "fast": True,
        "layers": [1.0, "a"],
        "extra": {"k": [1.0, 2.5]},
        "note": None,
        "start": None,
    }
    assert type(defaults["whole"]) is int


def test_the_docstring_has_descriptions_of_inputs_and_leaves_out_what_kfp_gives(tmp_path: Path) -> None:
    lines = (YamlOperator.from_text("everything_op", text_of(everything, tmp_path)).__doc__ or "").splitlines()
    assert lines[0].startswith("everything_op(*, count: int, table: Dataset, tables: list[Dataset], extra: dict = ")
    assert "whole: int = 3," in lines[0]
    assert lines[2] == "All that an interface can have."
    assert {
        "    count: Integer  How many.",
        "    tables: List[Dataset]  Some tables.",
        "    layers: List = [1.0, 'a']  Sizes.",
        "    whole: Integer = 3",
        "    name: String = ''",
        "    metrics: Metrics",
        f"    {OWNED}",
    } <= set(lines)
    assert not any("status" in line.lower() for line in lines)


def test_it_is_called_as_kfps_own_and_compiles_to_the_same(tmp_path: Path) -> None:
    # Without the status, which exit tasks alone have.
    text = re.sub(r" *status:\n( *isOptional.*\n *parameterType.*\n| *comp.*\n)", "", text_of(everything, tmp_path))

    def pipeline(operator: Any) -> str:
        @dsl.pipeline(name="tried")  # type: ignore[untyped-decorator]  # kfp ships no types
        def tried(count: int = 1) -> None:
            table = dsl.importer(artifact_uri="gs://a/b", artifact_class=dsl.Dataset)
            with dsl.ParallelFor([1, 2]) as item:
                each = made(rows=item)
            operator(count=count, table=table.output, tables=dsl.Collected(each.outputs["table"]), layers=["x"])

        return text_of(tried, tmp_path)

    assert pipeline(YamlOperator.from_text("everything_op", text)) == pipeline(
        components.load_component_from_text(text)
    )


def test_a_pipeline_is_a_component_with_the_images_of_all_its_executors(tmp_path: Path) -> None:
    text = text_of(twice, tmp_path)
    definition = Definition.parse("twice_op", text)
    assert [str(port) for port in definition.inputs] == ["steps: Integer = 2", "value: Float = 1.0"]
    assert [str(port) for port in definition.outputs] == ["Output: Float"]
    assert definition.images == (OWNED,)
    operator = YamlOperator.from_text("twice_op", text)
    assert operator.description == "Two steps."
    with pytest.raises(TypeError, match=r"twice_op\(\) takes its inputs by name only, and got 1"):
        operator(2.0)
    file = ComponentFile.parse("yaml/twice.yaml", text.encode())
    assert component_problems(file, {OWNED}) == []
    assert [(container.executor, container.program) for container in file.commands] == [
        ("exec-one", "one"),
        ("exec-one-2", "one"),
    ]


def test_a_name_with_blanks_leads_to_the_component_of_that_name(tmp_path: Path) -> None:
    text = text_of(everything, tmp_path).replace(
        "pipelineInfo:\n  name: everything", "pipelineInfo:\n  name: Everything!"
    )
    assert {port.name for port in Definition.parse("everything_op", text).inputs} == {
        name for name in components.load_component_from_text(text).component_spec.inputs if name != "status"
    }


def test_checks_read_its_words_flags_and_defaults(tmp_path: Path) -> None:
    text = text_of(everything, tmp_path)
    file = ComponentFile.parse("yaml/everything.yaml", text.encode())
    assert component_problems(file, {OWNED}) == []
    (container,) = file.commands
    assert isinstance(container, Container)
    words = [word.text for word in container.all_words if not word.placeholder]
    assert [word for word in words if word.startswith("--")] == [
        *("--count", "--table", "--tables", "--scores", "--metrics", "--note", "--no-note")
    ]
    wrong = text.replace("defaultValue: 2.0", "defaultValue: fast").replace("['count']", "['cuont']", 1)
    wrong = wrong.replace("[''count'']", "[''cuont'']")
    messages = [problem.message for problem in component_problems(ComponentFile.parse("a", wrong.encode()), {OWNED})]
    assert "input 'rate' of comp-everything has the default 'fast', which is no NUMBER_DOUBLE" in messages
    assert "{{$.inputs.parameters['cuont']}} names 'cuont', which is no input" in messages


def test_the_listing_shows_it_beside_v1_components(tmp_path: Path) -> None:
    installation = install(tmp_path, EXACT_PIN)
    pinned = text_of(everything, tmp_path).replace(OWNED, EXACT_PIN)
    (installation.package / "yaml/everything.yaml").write_text(pinned, encoding="utf-8")
    done = installation.python("-m", "kubeflow_demo_components", "--json")
    assert done.returncode == 0, done.stderr
    listed = json.loads(done.stdout)["components"]["everything_op"]
    assert {"name": "whole", "type": "Integer", "optional": True, "default": 3} in listed["inputs"]
    assert {"name": "tables", "type": "List[Dataset]", "optional": False, "default": None} in listed["inputs"]
    assert "status" not in {port["name"] for port in listed["inputs"]}
    assert listed["images"] == [EXACT_PIN]
