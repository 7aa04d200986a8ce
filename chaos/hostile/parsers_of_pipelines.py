"""The parsers of compiled pipelines, and of what an installed package makes of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from random import Random
from typing import Any

import yaml

from chaos.hostile.documents import COMMIT, DEMO, FOREIGN, HOST, PIN
from chaos.hostile.parser import Parser
from chaos.hostile.parsers_of_components import YAML_WORDS
from chaos.hostile.parsers_of_sources import written
from chaos.hostile.values import NAMES, changed_json
from kfp_release.errors import ReleaseError
from kfp_release.package_files._operators.catalog import Catalog, Pins
from kfp_release.package_files._operators.image_name import BadRegistry, ImageName, Registry
from kfp_release.package_files._operators.owned import Owned
from kfp_release.package_files._operators.pipeline import BadPipeline, Pipeline
from kfp_release.package_files._operators.rehoming import rehome
from kfp_release.package_files._operators.trace_text import trace_json, trace_markdown, trace_table
from kfp_release.package_files._operators.tracing import trace
from kfp_release.package_files._operators.yaml_places import BadYaml, YamlPlaces

_PIPELINE = f"""\
components:
  comp-loop:
    dag:
      tasks: {{multiply-2: {{componentRef: {{name: comp-multiply-2}}}}, get: {{componentRef: {{name: comp-get}}}}}}
  comp-get: {{executorLabel: exec-get}}
  comp-multiply: {{executorLabel: exec-multiply}}
  comp-multiply-2: {{executorLabel: exec-multiply-2}}
deploymentSpec:
  executors:
    exec-get: {{importer: {{artifactUri: {{constant: x}}}}}}
    exec-multiply:
      container:
        image: {PIN}
        command: [multiply]
        args: [--a, "{{{{$.inputs.parameters['a']}}}}", '{{"Concat": ["a", "b"]}}']
    exec-multiply-2: {{container: {{image: '{FOREIGN}', command: [multiply]}}}}
pipelineInfo: {{name: product}}
root:
  dag:
    tasks:
      multiply: {{componentRef: {{name: comp-multiply}}}}
      loop: {{componentRef: {{name: comp-loop}}}}
schemaVersion: 2.1.0
---
platforms: {{}}
"""
_JSON = json.dumps(next(yaml.safe_load_all(_PIPELINE)))
_OWNED = Owned((DEMO,), {PIN.partition("@")[2]: DEMO})
_CATALOG = Catalog("parts", Path("yaml"), {}, Pins("parts", "1.2", COMMIT, {"demo": PIN}, {"multiply_op": [PIN]}))


def _as_told(run: Callable[[Any], object]) -> Callable[[Any], object]:
    """The package's files know no `ReleaseError`; what they raise instead is one kind of `ValueError` each."""

    @wraps(run)
    def told(case: Any) -> object:
        try:
            return run(case)
        except (BadPipeline, BadRegistry, BadYaml) as error:
            raise ReleaseError(str(error)) from error

    return told


@_as_told
def _pipeline(data: bytes) -> object:
    """What it holds, in every form, and that on a mirror."""
    pipeline = Pipeline.parse("pipeline.yaml", data)
    found = trace(pipeline, _CATALOG)
    json.dumps(trace_json(found, _CATALOG)).encode()
    for text in (trace_table(found, _CATALOG), trace_markdown(found, _CATALOG)):
        assert all(letter.isprintable() or letter == "\n" for letter in text)
        assert not any(line.lstrip().startswith(("::", "##[")) for line in text.splitlines())
    rehomed = rehome("pipeline.yaml", pipeline, _OWNED, Registry.parse("mirror.example/team"))
    again = Pipeline.parse("pipeline.yaml", rehomed.text.encode())
    wanted = [rehomed.moved.get(image, image) for image in pipeline.images]
    assert list(again.images) == wanted
    assert rehome("pipeline.yaml", again, _OWNED, Registry.parse("mirror.example/team")).text == rehomed.text
    return len(found.tasks)


@_as_told
def _places(data: bytes) -> object:
    places = YamlPlaces.parse(data)
    assert places.with_texts([]) == places.text
    return len(places.row)


@_as_told
def _name(case: tuple[str, str]) -> object:
    text, registry = case
    image = ImageName.parse(text)
    assert image.at(image.repository) in {text, text.partition("@")[0]}
    _OWNED.home(image)
    return Registry.parse(registry).repository(image.path)


def _either(random: Random) -> bytes:
    return written(_PIPELINE, YAML_WORDS)(random) if random.randrange(2) else changed_json(random, _JSON, most=4)


def _names(random: Random) -> tuple[str, str]:
    registries = (HOST, f"{HOST}/cache", "[::1]:5000/a", "localhost", "a.b:99999", *NAMES)
    return random.choice((PIN, DEMO, FOREIGN, "python:3", "a:5/b@c", *NAMES)), random.choice(registries)


_OPERATORS = "package_files._operators"
PARSERS = {
    "pipeline": Parser((f"{_OPERATORS}.pipeline.Pipeline.parse",), _either, _pipeline),
    "YAML with places": Parser((f"{_OPERATORS}.yaml_places.YamlPlaces.parse",), _either, _places),
    "names of images and registries": Parser(
        tuple(
            f"{_OPERATORS}.image_name.{name}"
            for name in ("ImageName.parse", "Registry.parse", "path_of", "is_path", "is_host")
        ),
        _names,
        _name,
    ),
}
