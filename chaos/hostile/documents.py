"""Small sound documents of every kind that is read, for tests that damage them."""

from __future__ import annotations

import json

HOST = "533211398604.dkr.ecr.eu-north-1.amazonaws.com"
DEMO = f"{HOST}/team/demo"
HEX, COMMIT, KEY = "a" * 64, "c" * 40, "0" * 32
PIN = f"{DEMO}:1.2@sha256:{HEX}"
FOREIGN = f"ghcr.io/other/tool:3@sha256:{'f' * 64}"

V1 = f"""\
name: Multiply
description: "It multiplies."
metadata: {{annotations: {{author: me}}}}
inputs:
- {{name: my a, type: Float, default: '0.1'}}
- {{name: b, type: Integer, optional: true, default: 3}}
- {{name: data, type: Dataset}}
outputs:
- {{name: model, type: Model}}
implementation:
  container:
    image: &image {DEMO}  # the image
    command: [multiply, --a, {{inputValue: my a}}]
    args:
    - if: {{cond: {{isPresent: b}}, then: [--b, {{inputValue: b}}]}}
    - {{concat: [x, {{inputPath: data}}]}}
    - {{outputPath: model}}
    - "{{{{$}}}}"
    env: {{A: 'x'}}
"""
IR = f"""\
components:
  comp-train:
    executorLabel: exec-train
    inputDefinitions:
      artifacts:
        data: {{artifactType: {{schemaTitle: system.Dataset, schemaVersion: 0.0.1}}}}
      parameters:
        rate: {{parameterType: NUMBER_DOUBLE, defaultValue: 0.5, isOptional: true}}
    outputDefinitions:
      parameters:
        score: {{parameterType: NUMBER_DOUBLE}}
deploymentSpec:
  executors:
    exec-train:
      container:
        image: {DEMO}
        command: [train]
        args: ["--rate={{{{$.inputs.parameters['rate']}}}}", '{{"IfPresent": {{"InputName": "rate", "Then": ["-r"]}}}}']
pipelineInfo: {{name: train}}
root: {{dag: {{tasks: {{train: {{componentRef: {{name: comp-train}}}}}}}}}}
schemaVersion: 2.1.0
sdkVersion: kfp-2.17.0
---
platforms: {{}}
"""

PYPROJECT = f"""\
[build-system]
requires = ["setuptools"]

[project]
name = "demo-parts"
dynamic = ["version"]
requires-python = ">=3.11"
optional-dependencies.image = ["pandas>=3,<4; python_version >= '3.12'"]

[project.scripts]
multiply = "demo_parts.programs:main"

[tool.kfp-release]
package = "demo_parts"
components = "yaml"
source = "https://example.com/demo"
extra-projects = ["more/tool"]

[tool.kfp-release.images.demo]
repository = "{DEMO}"
dockerfile = "Dockerfile"
context = ["requirements.lock"]
platform = "linux/amd64"
interpreter = "/opt/app/bin/python"
extra = "image"
lock = "requirements.lock"
build-args = {{ BASE = "python:3@sha256:{HEX}" }}

[tool.kfp-release.index]
upload-url = "https://pypi.example/"
simple-url = "https://pypi.example/simple/"

[tool.kfp-release.scan]
refuse = "critical"
warn = "high"
unscanned = "warn"
"""
CHANGELOG = """\
# Changelog

## [Unreleased]

## [1.2] - 2026-11-22

- A `thing`.

```
## no heading
```

## [1.1] - 2026-11-01 [YANKED]

### Fixed

- Another.

[1.2]: https://example.com/1.2
"""
DOCKERFILE = f"""\
# syntax=docker/dockerfile:1
# escape=\\
ARG BASE=python:3
ARG MORE=${{BASE:-debian}}-x
FROM --platform=linux/amd64 ${{BASE}}@sha256:{HEX} AS build
RUN --mount=type=bind,from=uv:1@sha256:{HEX},target=/uv \\
    # a comment
    pip install x <<EOF
FROM nothing
EOF
FROM scratch
COPY --from=build /opt /opt
ENTRYPOINT []
USER 1:1
"""
LOCK = f"""\
# made by uv
numpy==2.1 ; python_version >= '3.11' \\
    --hash=sha256:{HEX} \\
    --hash=sha256:{"b" * 64}
tool @ git+https://example.com/tool@{COMMIT}
pandas==3.0 --hash=sha256:{HEX}
--index-url https://pypi.example/simple
"""
ENTRY_POINTS = "[console_scripts]\nmultiply = demo_parts.programs:main\nb = a.b:c.d [extra]\n\n[other]\nx = y\n"

DESCRIPTOR = {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": f"sha256:{HEX}", "size": 5}
MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {**DESCRIPTOR, "mediaType": "application/vnd.oci.image.config.v1+json"},
        "layers": [DESCRIPTOR, DESCRIPTOR],
        "annotations": {"kfp-release.runtime-key": KEY},
    }
)
CONFIG = json.dumps(
    {
        "created": "1980-01-01T00:00:00Z",
        "architecture": "amd64",
        "os": "linux",
        "config": {
            "User": "65532:65532",
            "Env": ["PATH=/opt/package/bin:/usr/bin", "PYTHONPATH=/opt/package/lib"],
            "Labels": {"kfp-release.runtime-key": KEY, "mine": "x"},
            "Cmd": ["python3"],
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{HEX}", f"sha256:{'b' * 64}"]},
        "history": [{"created_by": "one"}, {"created_by": "two", "empty_layer": False}],
    }
)
PINS = {
    "schema": 1,
    "distribution": "some-components",
    "version": "1.2",
    "commit": COMMIT,
    "images": {"demo": {"declared": DEMO, "pin": PIN, "runtime_key": KEY, "platform": "linux/amd64"}},
    "components": {"multiply_op": {"file": "multiply.yaml", "images": [PIN], "sha256": HEX}},
}
RECORD = {
    **PINS,
    "tag": "v1.2",
    "created": 1_800_000_000,
    "distributions": [
        {"project": "some-components", "filename": name, "sha256": HEX, "size": 12}
        for name in ("some_components-1.2.tar.gz", "some_components-1.2-py3-none-any.whl")
    ],
    "tools": {"python": "3.11"},
}
HTML = f"""\
<!DOCTYPE html><html><head><base href="/files/"><meta name="pypi:repository-version" content="1.0"></head><body>
<a href="a-1.zip#sha256={HEX}" data-yanked="bad">a-1.zip</a><br/>
<a href="some_components-1.2-py3-none-any.whl" data-requires-python="&gt;=3.11">some_components-1.2-py3-none-any.whl</a>
</body></html>
"""
INDEX_JSON = {
    "meta": {"api-version": "1.1"},
    "name": "some-components",
    "files": [
        {
            "filename": "some_components-1.2-py3-none-any.whl",
            "url": "../files/x.whl",
            "hashes": {"sha256": HEX},
            "size": 1,
            "yanked": False,
        }
    ],
    "versions": ["1.2"],
}
STATIC_PAGE = {
    "meta": {"api-version": "1.1", "_generator": "kfp-release"},
    "name": "some-components",
    "versions": ["1.2"],
    "files": [
        {
            "filename": "some_components-1.2-py3-none-any.whl",
            "url": "../../packages/some-components/some_components-1.2-py3-none-any.whl",
            "hashes": {"sha256": HEX},
            "requires-python": ">=3.11",
            "size": 1,
            "upload-time": "2026-11-30T01:02:03.000000Z",
            "yanked": False,
            "core-metadata": {"sha256": HEX},
        }
    ],
}
DEVPI_INDEX = {
    "type": "indexconfig",
    "result": {"type": "stage", "volatile": False, "bases": ["root/pypi"], "acl_upload": ["ann"]},
}
