from pathlib import Path

import pytest
from component_files import IR, OWNED, V1, changed, errors, kfp_takes
from kfp import compiler, components, dsl


@dsl.container_component  # type: ignore[untyped-decorator]  # kfp ships no types
def step(x: str, out: dsl.OutputPath(str), n: int = 1) -> dsl.ContainerSpec:  # type: ignore[valid-type]  # kfp's own form
    return dsl.ContainerSpec(image=OWNED, command=["train", x, n, out])


def two_steps(x: str) -> str:
    return step(x=step(x=x).output).output  # type: ignore[no-any-return]


def a_constant(x: str) -> str:
    return step(x=x, n=7).output  # type: ignore[no-any-return]


def other_names(text: str, n: int) -> str:
    return step(x=text, n=n).output  # type: ignore[no-any-return]


def another_default(x: str, n: int = 2) -> str:
    return step(x=x, n=n).output  # type: ignore[no-any-return]


def retries(x: str, n: int = 1) -> str:
    return step(x=x, n=n).set_retry(3).output  # type: ignore[no-any-return]


def another_output(x: str, n: int = 1) -> str:
    return step(x=x, n=n).output  # type: ignore[no-any-return]


def compiled(component: object, folder: Path) -> str:
    compiler.Compiler().compile(component, str(folder / "component.yaml"))
    return (folder / "component.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "line", "message", "remedy"),
    [
        (
            "executorLabel: exec-train",
            "executorLabel: exec-trian",
            3,
            "executor 'exec-trian'",
            "did you mean exec-train?",
        ),
        ("componentRef: {name: comp-train}", "componentRef: {name: x}", 41, "component 'x'", "there is: comp-train"),
    ],
)
def test_names_that_lead_nowhere_are_told_which_kfp_takes_until_it_runs(  # noqa: PLR0917 - a table's columns
    tmp_path: Path, old: str, new: str, line: int, message: str, remedy: str
) -> None:
    text = changed(IR, old, new)
    assert kfp_takes(text, tmp_path)
    (problem,) = [each for each in errors(text) if "which is not there" in each.message]
    assert (problem.line, problem.message) == (line, f"names the {message}, which is not there")
    assert problem.remedy == remedy


@pytest.mark.parametrize("text", [IR, V1])
def test_names_that_are_there_are_none_of_its_business(text: str) -> None:
    assert errors(text) == []


@pytest.mark.parametrize("function", [two_steps, a_constant, other_names, another_default, another_output, retries])
def test_a_pipeline_of_its_step_s_name_is_refused_for_kfp_loads_the_step(tmp_path: Path, function: object) -> None:
    text = compiled(dsl.pipeline(function, name="Step"), tmp_path)
    loaded = components.load_component_from_text(text).component_spec
    assert list(loaded.inputs) == ["n", "x"]
    assert loaded.implementation.graph is None
    (problem,) = errors(text)
    assert problem.message == "is the pipeline 'step' with a step of that name, and kfp loads the step in its place"
    assert problem.remedy == 'give the pipeline another name: @dsl.pipeline(name="…")'
    assert text.splitlines()[problem.line - 1] == "  name: step"
    other = compiled(dsl.pipeline(function, name="steps"), tmp_path)
    assert errors(other) == []
    assert components.load_component_from_text(other).component_spec.implementation.graph


def test_a_component_that_is_compiled_alone_is_one_step_of_its_name(tmp_path: Path) -> None:
    assert errors(compiled(step, tmp_path)) == []
