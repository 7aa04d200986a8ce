"""Names inside of a compiled graph, each of which kfp takes until it runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from component_files import IR, OWNED, V1, errors, kfp_takes
from conftest import PROJECT
from corpus_files import Case, cases

from kfp_release.component import ComponentFile
from kfp_release.dag_rules import dag_problems

DROP = (PROJECT / "yaml/drop_missing.yaml").read_text(encoding="utf-8").rpartition("# kfp-release compile:")[0]
SECOND = """\
    tasks:
      again:
        componentRef: {name: comp-drop-missing}
        dependentTasks: [drop-missing]
        inputs:
          artifacts:
            table: {taskOutputArtifact: {outputArtifactKey: complete, producerTask: drop-missing}}
          parameters:
            columns: {runtimeValue: {constant: {producerTask: nowhere}}}
        taskInfo: {name: again}
"""
PIPELINE = DROP.replace("    tasks:\n", SECOND)


@pytest.mark.parametrize(
    ("old", "new", "message", "remedy"),
    [
        ("producerSubtask: drop-missing", "producerSubtask: drop-missin", "task 'drop-missin'", "mean drop-missing?"),
        ("producerTask: drop-missing", "producerTask: x", "task 'x'", "there is: again, drop-missing"),
        ("dependentTasks: [drop-missing]", "dependentTasks: [again, agian]", "task 'agian'", "did you mean again?"),
        ("InputArtifact: table", "InputArtifact: tble", "input artifact 'tble'", "did you mean table?"),
        ("InputArtifact: table", "InputArtifact: columns", "input artifact 'columns'", "there is: table"),
        ("InputParameter: columns", "InputParameter: column", "input parameter 'column'", "did you mean columns?"),
    ],
)
def test_a_name_that_leads_nowhere_is_told_which_kfp_takes_until_it_runs(
    tmp_path: Path, old: str, new: str, message: str, remedy: str
) -> None:
    assert old in PIPELINE
    text = PIPELINE.replace(old, new, 1)
    assert kfp_takes(text, tmp_path)
    (problem,) = dag_problems(ComponentFile.parse("yaml/a.yaml", text.encode()))
    assert problem.line == next(at for at, line in enumerate(text.splitlines(), 1) if new in line)
    assert problem.message == f"names the {message}, which is not there"
    assert problem.remedy.endswith(remedy)


def test_the_check_of_a_component_file_tells_it() -> None:
    text = PIPELINE.replace("producerTask: drop-missing", "producerTask: drop", 1)
    assert "names the task 'drop', which is not there" in [problem.message for problem in errors(text)]


@pytest.mark.parametrize("text", [IR, V1, PIPELINE])
def test_names_that_are_there_are_none_of_its_business(text: str) -> None:
    assert list(dag_problems(ComponentFile.parse("yaml/a.yaml", text.encode()))) == []


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name.replace(" ", "_"))
def test_what_kfp_compiles_names_what_is_there(case: Case) -> None:
    assert list(dag_problems(ComponentFile.parse("yaml/a.yaml", case.data))) == []


def test_every_component_in_a_file_is_looked_at_and_an_alias_once() -> None:
    part = "dag: {tasks: {a: &a {dependentTasks: [b]}, c: *a}}"
    text = f"components: {{comp-a: {{{part}}}}}\nroot: {{dag: {{tasks: {{x: {{dependentTasks: [y]}}}}}}}}\n"
    executor = f"deploymentSpec: {{executors: {{exec-a: {{container: {{image: {OWNED}}}}}}}}}\n"
    file = ComponentFile.parse("yaml/a.yaml", f"{executor}{text}pipelineInfo: {{name: a}}\n".encode())
    told = [problem.message for problem in dag_problems(file)]
    assert told == ["names the task 'b', which is not there", "names the task 'y', which is not there"]
