"""Two sound component files, and what check and kfp say of them when they are changed."""

from __future__ import annotations

import warnings
from pathlib import Path

from kfp import compiler, components

from kfp_release.component import ComponentFile
from kfp_release.component_rules import component_problems
from kfp_release.errors import Problem, Problems

OWNED = "ghcr.io/team/demo"
V1 = """\
name: Train
description: It trains.
metadata: {annotations: {author: me}, labels: {team: data}}
inputs:
- {name: rate, type: Float, default: '0.1'}
- {name: my a, type: String}
- {name: data, type: Dataset}
outputs:
- {name: model, type: Model}
- {name: score, type: Float}
implementation:
  container:
    image: ghcr.io/team/demo
    command: [train, --name, {inputValue: my a}]
    args:
    - --rate
    - {inputValue: rate}
    - --data
    - {inputPath: data}
    - --model
    - {outputPath: model}
    - --score
    - {outputPath: score}
    - '{{$}}'
    env: {A: b}
"""
IR = """\
components:
  comp-train:
    executorLabel: exec-train
    inputDefinitions:
      artifacts:
        data:
          artifactType: {schemaTitle: system.Dataset, schemaVersion: 0.0.1}
        many:
          artifactType: {schemaTitle: google.VertexModel, schemaVersion: 0.0.1}
          isArtifactList: true
      parameters:
        rate: {parameterType: NUMBER_DOUBLE}
        status: {parameterType: TASK_FINAL_STATUS, isOptional: true}
        name: {parameterType: STRING, defaultValue: x, isOptional: true}
    outputDefinitions:
      artifacts:
        model:
          artifactType: {schemaTitle: system.Model, schemaVersion: 0.0.1}
      parameters:
        score: {parameterType: NUMBER_DOUBLE}
deploymentSpec:
  executors:
    exec-train:
      container:
        image: ghcr.io/team/demo
        command: [train]
        args:
        - --rate={{$.inputs.parameters['rate']}}
        - "{{$.inputs.artifacts['data'].path}}{{$.inputs.artifacts['data'].metadata['rows']}}"
        - "{{$.inputs.artifacts['many']}}"
        - '{"IfPresent": {"InputName": "name", "Then": ["--name", "{{$.inputs.parameters[''name'']}}"]}}'
        - "{{$.outputs.artifacts['model'].uri}}"
        - "{{$.outputs.parameters['score'].output_file}}"
        - '{{$.pipeline_job_uuid}}'
        - '{{$}}'
pipelineInfo: {name: train}
root:
  dag:
    tasks:
      train:
        componentRef: {name: comp-train}
        taskInfo: {name: train}
  inputDefinitions:
    parameters:
      rate: {parameterType: NUMBER_DOUBLE}
schemaVersion: 2.1.0
sdkVersion: kfp-2.17.0
"""


def errors(text: str) -> list[Problem]:
    try:
        problems = component_problems(ComponentFile.parse("yaml/train.yaml", text.encode()), {OWNED})
    except Problems as error:
        problems = list(error.problems)
    return [problem for problem in problems if problem.severity == "error"]


def kfp_takes(text: str, folder: Path) -> bool:
    """Whether kfp loads the component and compiles it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            component = components.load_component_from_text(text)
            compiler.Compiler().compile(component, str(folder / "compiled.yaml"))
        except Exception:  # noqa: BLE001 - kfp raises whatever comes
            return False
    return True


def changed(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)
