"""What is wrong in placeholders, and kfp or a cluster tells late or never."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from component_files import IR, OWNED, V1, changed, errors, kfp_takes

from kfp_release.component import ComponentFile
from kfp_release.component_rules import component_problems

COMMAND = "[train, --name, {inputValue: my a}]"
MORE_THAN_KFP: dict[str, tuple[str, str, int, str, str]] = {
    "concat": (COMMAND, "[train, {concat: [a, {inputValue: rate}]}]", 14, "`concat` has no resolver", "in the program"),
    "if on an artifact": (
        COMMAND,
        "[train, {if: {cond: {isPresent: data}, then: a}}]",
        14,
        "`if` on 'data' never",
        "or make",
    ),
    "the output file": ("'{{$}}'", "'{{ $.outputs.output_file }}'", 24, "fails silently on a cluster", "pass '{{$}}'"),
    "a compiled placeholder of no input": (
        COMMAND,
        "[train, \"--x={{$.inputs.parameters['my a']}}\"]",
        14,
        "{{$.inputs.parameters['my a']}} names 'my a', which is no input",
        "did you mean my_a?",
    ),
}


@pytest.mark.parametrize(("old", "new", "line", "message", "remedy"), MORE_THAN_KFP.values(), ids=MORE_THAN_KFP.keys())
def test_what_kfp_takes_and_a_cluster_or_a_pipeline_would_not_is_told(  # noqa: PLR0917 - a table's columns
    tmp_path: Path, old: str, new: str, line: int, message: str, remedy: str
) -> None:
    text = changed(V1, old, new)
    found = [problem for problem in errors(text) if message in problem.message]
    assert kfp_takes(text, tmp_path)
    assert [problem.line for problem in found] == [line]
    assert remedy in found[0].remedy


IR_PLACEHOLDERS = {
    "{{$.inputs.parameters['rat']}}": ("{{$.inputs.parameters['rat']}} names 'rat', which is no input", "mean rate?"),
    "--x={{$.inputs.parameters['nope']}}": (
        "names 'nope', which is no input",
        "its inputs are: data, many, rate, status",
    ),
    "{{$.inputs.artifacts['dat'].path}}": ("{{$.inputs.artifacts['dat'].path}} names 'dat', which is no", "mean data?"),
    "{{$.outputs.parameters['scor'].output_file}}": ("names 'scor', which is no output", "did you mean score?"),
    "{{$.outputs.artifacts['modl'].uri}}": ("names 'modl', which is no output", "did you mean model?"),
    "{{$.outputs.parameters['rate'].output_file}}": (
        "names 'rate', which is no output",
        "its outputs are: model, score",
    ),
    "{{$.inputs.parameters['data']}}": (
        "takes input 'data' for a parameter, and it is an artifact",
        "write {{$.inputs.artifacts['data'].path}}",
    ),
    "{{$.outputs.artifacts['score'].path}}": (
        "takes output 'score' for an artifact, and it is a parameter",
        "write {{$.outputs.parameters['score'].output_file}}",
    ),
    '{{$.inputs.parameters[\\"rate\\"]}}': ("which nothing resolves", "write {{$.inputs.parameters['NAME']}} or"),
    "{{$.inputs.parameter['rate']}}": (
        "has the placeholder {{$.inputs.parameter['rate']}}, which nothing",
        "write {{$.in",
    ),
    "{{$.outputs.parameters['score']}}": (
        "has the placeholder {{$.outputs.parameters['score']}}, which nothing resolves",
        "write {{$.outputs.parameters['NAME'].output_file}} or {{$.outputs.artifacts['NAME'].path}}",
    ),
    "{{$.outputs.model.path}}": ("has the placeholder {{$.outputs.model.path}}, which nothing", "write {{$.outputs"),
    "{{$.outputs.output_file}}": ("{{$.outputs.output_file}} fails silently on a cluster", "pass '{{$}}'"),
    '{\\"Concat\\": [\\"a\\", \\"b\\"]}': ("`concat` has no resolver in kfp's backend", "in the program"),
    '{\\"IfPresent\\": {\\"InputName\\": \\"nam\\", \\"Then\\": [\\"a\\"]}}': (
        "isPresent names 'nam', which is no input",
        "name?",
    ),
    '{\\"IfPresent\\": {\\"InputName\\": \\"data\\", \\"Then\\": \\"a\\"}}': (
        "`if` on 'data' never holds",
        "make it a parameter",
    ),
    '{\\"IfPresent\\": {\\"InputName\\": \\"name\\", \\"Then\\": [\\"{{$.inputs.artifacts[\'b\']}}\\"]}}': (
        "names 'b', which is no input",
        "its inputs are: ",
    ),
}


@pytest.mark.parametrize(
    ("word", "message", "remedy"), [(word, *told) for word, told in IR_PLACEHOLDERS.items()], ids=IR_PLACEHOLDERS.keys()
)
def test_a_compiled_placeholder_that_no_port_of_its_component_answers_is_told(
    word: str, message: str, remedy: str
) -> None:
    (problem,) = errors(changed(IR, "- '{{$}}'", f"- \"{word}\"\n        - '{{{{$}}}}'"))
    assert message in problem.message
    assert problem.line == 35
    assert remedy in problem.remedy


def test_placeholders_name_the_ports_of_the_component_that_its_executor_runs() -> None:
    second = """\
  comp-second:
    executorLabel: exec-second
    inputDefinitions:
      parameters: {other: {parameterType: STRING}}
deploymentSpec:
  executors:
    exec-second:
      container:
        image: ghcr.io/team/demo
        args: ["{{$.inputs.parameters['other']}}", "{{$.inputs.parameters['rate']}}"]
"""
    (problem,) = errors(changed(IR, "deploymentSpec:\n  executors:\n", second))
    assert (problem.line, problem.message) == (
        30,
        "{{$.inputs.parameters['rate']}} names 'rate', which is no input",
    )
    assert problem.remedy == "its inputs are: other"


@pytest.mark.parametrize("word", ["'{{$}}'", "{executorInput: }", "'--input={{$}}'"])
def test_an_artifact_is_seen_by_kfp_local_where_its_program_gets_the_executor_s_input(word: str) -> None:
    text = changed(V1, "    - '{{$}}'\n", f"    - {word}\n")
    assert component_problems(ComponentFile.parse("yaml/train.yaml", text.encode()), {OWNED}) == []


@pytest.mark.parametrize("text", [V1.replace("    - '{{$}}'\n", ""), IR.replace("        - '{{$}}'\n", "")])
def test_an_artifact_that_kfp_local_cannot_see_is_a_warning(text: str) -> None:
    file = ComponentFile.parse("yaml/train.yaml", text.encode())
    (problem,) = component_problems(file, {OWNED})
    assert problem.severity == "warning"
    assert problem.message == "has the artifact 'model' as output, and its program does not get {{$}}"


def test_very_many_names_that_are_wrong_take_no_longer_than_their_file_is_long() -> None:
    inputs = "".join(f"- {{name: input_number_{number}, type: String}}\n" for number in range(1500))
    words = "".join(f"    - {{inputValue: inputnumber_{number}x}}\n" for number in range(1500))
    container = f"implementation:\n  container:\n    image: {OWNED}\n    command: [train]\n    args:\n{words}"
    begun = time.process_time()
    found = errors(f"name: Train\ninputs:\n{inputs}{container}")
    assert time.process_time() - begun < 5
    assert len(found) == 1500
    assert max(len(problem.remedy) for problem in found) < 1000
