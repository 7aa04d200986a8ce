"""What a component file runs is what kfp compiles of it, word by word."""

from __future__ import annotations

from pathlib import Path

import pytest
from installation import REPOSITORY, YAML
from kfp import compiler, components
from typed_components import EVERYTHING, MUTE, OWN_LINES

from kfp_release.package_files._operators.known import containers
from kfp_release.package_files._operators.pipeline import Pipeline

PLACEHOLDERS = f"""\
name: All of them
inputs:
- {{name: My In, type: String}}
- {{name: maybe, type: Integer, optional: true}}
- {{name: data, type: Dataset}}
outputs:
- {{name: Count Of, type: Integer}}
- {{name: flag, type: Bool}}
- {{name: rows, type: JsonArray}}
- {{name: model, type: Model}}
- {{name: untyped}}
- {{name: table, type: {{GCSPath: {{data_type: CSV}}}}}}
implementation:
  container:
    image: {REPOSITORY}
    command: [run, '{{{{$}}}}', {{executorInput: null}}, "1", 'a "quoted" one', "ünï"]
    args:
    - {{inputValue: My In}}
    - {{inputPath: data}}
    - {{inputUri: data}}
    - {{outputPath: Count Of}}
    - {{outputPath: flag}}
    - {{outputPath: rows}}
    - {{outputPath: model}}
    - {{outputUri: model}}
    - {{outputPath: table}}
    - if: {{cond: {{isPresent: maybe}}, then: [--maybe, {{inputValue: maybe}}], else: [--none, {{inputValue: My In}}]}}
    - if: {{cond: {{isPresent: maybe}}, then: --maybe}}
    - concat: [a, {{inputValue: My In}}, {{if: {{cond: {{isPresent: maybe}}, then: {{inputValue: maybe}}, else: b}}}}]
    - {{concat: [{{inputUri: data}}, {{concat: [/, "ü"]}}]}}
"""
FILES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(YAML.glob("*.yaml"))}
TEXTS = {**FILES, "everything": EVERYTHING, "mute": MUTE, "notify": OWN_LINES, "placeholders": PLACEHOLDERS}


@pytest.mark.parametrize("name", TEXTS)
def test_a_component_file_runs_what_kfp_compiles_of_it(name: str, tmp_path: Path) -> None:
    (own,) = containers(name, TEXTS[name])
    compiler.Compiler().compile(components.load_component_from_text(TEXTS[name]), str(tmp_path / "a.yaml"))
    text = (tmp_path / "a.yaml").read_text(encoding="utf-8")
    (task,) = Pipeline.parse("a.yaml", text.encode()).tasks
    assert task.container == own
    # A team's component file may be that compiled one, too.
    assert containers(name, text) == (own,)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: b",
        "implementation: 3",
        "deploymentSpec: {executors: [a]}",
        "implementation: {container: {args: [{a: b}]}}",
        "implementation: {container: {args: [[a, b]]}}",
    ],
)
def test_what_is_no_component_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="the definition of multiply_op is no component YAML"):
        containers("multiply_op", text)
