from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from kfp import compiler, components, dsl

from kfp_release.component import ComponentFile
from kfp_release.component_rules import component_problems
from kfp_release.output_rules import output_problems

V1 = """\
name: Train
outputs:
- {name: loss, type: Float}
- {name: My Model, type: Model}
implementation:
  container:
    image: demo
    command: [train]
    args: [ARGS]
"""


def told(text: str) -> list[str]:
    file = ComponentFile.parse("yaml/train.yaml", text.encode())
    return [f"{problem.line}: {problem.message}" for problem in output_problems(file)]


LOSS = "3: output 'loss' is written by nobody: the program is not told where"
MODEL = "4: output 'My Model' is written by nobody: the program is not told where"


@pytest.mark.parametrize(
    ("words", "problems"),
    [
        ("{outputPath: loss}, {outputPath: My Model}", []),
        ("{outputPath: loss}, {outputUri: My Model}", []),
        ("'{{$}}'", []),
        ("{executorInput: null}", []),
        ("--loss", [LOSS, MODEL]),
        ("{outputPath: loss}", [MODEL]),
        ("{if: {cond: true, then: [--loss, {outputPath: loss}]}}, {outputPath: My Model}", []),
        ("{concat: ['--loss=', {outputPath: loss}]}, {outputPath: My Model}", []),
        ("\"{{$.outputs.parameters['loss'].output_file}}\", \"{{$.outputs.artifacts['my_model'].path}}\"", []),
        ("{inputValue: loss}", [LOSS, MODEL]),
    ],
)
def test_an_output_whose_path_no_program_gets_is_told(words: str, problems: list[str]) -> None:
    assert told(V1.replace("ARGS", words)) == problems


def test_the_remedy_names_the_placeholder() -> None:
    file = ComponentFile.parse("yaml/train.yaml", V1.replace("ARGS", "x").encode())
    (first, _) = output_problems(file)
    assert first.remedy == "pass {outputPath: loss} to the program, or remove the output"
    assert first.severity == "error"


def test_an_output_of_a_fixed_path_is_written_there() -> None:
    fixed = V1.replace("[ARGS]", "[]\n    fileOutputs: {loss: /tmp/loss, My Model: /tmp/model}")
    assert told(fixed) == []


def test_compiled_components_are_told_by_the_component_that_runs(tmp_path: Path) -> None:
    whole = V1.replace("ARGS", "{outputPath: loss}, {outputPath: My Model}")

    def pipeline() -> None:
        components.load_component_from_text(whole)()

    pipeline.__annotations__.clear()
    target = tmp_path / "pipeline.yaml"
    compiler.Compiler().compile(dsl.pipeline(pipeline, name="all"), str(target))
    text = target.read_text(encoding="utf-8")
    assert told(text) == []
    (problem,) = told(text.replace("{{$.outputs.parameters[''loss''].output_file}}", "x"))
    assert problem.endswith(": output 'loss' of comp-train is written by nobody: the program is not told where")


def test_nobody_is_missed_where_the_words_themselves_are_wrong() -> None:
    wrong = V1.replace("[ARGS]", "--loss")
    file = ComponentFile.parse("yaml/train.yaml", wrong.encode())
    assert yaml.safe_load(wrong)["implementation"]["container"]["args"] == "--loss"
    assert [problem for problem in component_problems(file, {"demo"}) if "written by nobody" in problem.message] == []
