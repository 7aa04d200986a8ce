"""A small project whose wheel is pinned, and its build hooks as frontends call them (PEP 517), not isolated."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from conftest import commit_all, run_git
from pyproject_hooks import BuildBackendHookCaller

from kfp_release.image_ref import Repository
from kfp_release.pinned import pinned_package
from kfp_release.record import PinnedImage, Pins
from kfp_release.version import ReleaseVersion

DEMO = "533211398604.dkr.ecr.eu-north-1.amazonaws.com/team/demo"
EXACT = f"{DEMO}:1.0@sha256:{'a' * 64}"
FOREIGN = f"ghcr.io/other/tool:3@sha256:{'f' * 64}"

PYPROJECT = f"""\
[build-system]
requires = ["setuptools"]
build-backend = "kfp_release.backend"

[project]
name = "demo-parts"
dynamic = ["version"]

[project.scripts]
multiply = "demo_parts:main"

[tool.setuptools.packages.find]
where = ["src"]

[tool.setuptools_scm]

[tool.kfp-release]
package = "demo_parts"
components = "yaml"
source = "https://example.com/demo"

[tool.kfp-release.images.demo]
repository = "{DEMO}"
"""

COMPONENT = """\
name: Multiply  # a comment
description: "Not {demo} in here"
inputs:
- {{name: a, type: Float}}
implementation:
    container:
      image:   {image}   # the image
      command: [multiply, --a, {{inputValue: a}}]\r
"""


def component(image: str) -> bytes:
    return COMPONENT.format(demo=DEMO, image=image).encode()


def make_project(folder: Path) -> Path:
    """A git repository at tag v1.0, with an owned and a foreign image."""
    for name, data in {
        "pyproject.toml": PYPROJECT.encode(),
        ".gitignore": b"build/\n*.egg-info/\n__pycache__/\n",
        "src/demo_parts/__init__.py": b"def main():\n    print(6.0)\n",
        "src/demo_parts/data.json": b"{}\n",
        "yaml/multiply.yaml": component(DEMO),
        "yaml/foreign.yml": component(FOREIGN),
        "yaml/README.md": b"No component.\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    run_git(folder, "init", "--quiet", "--initial-branch=main")
    commit_all(folder, "Parts")
    run_git(folder, "tag", "v1.0")
    return folder


def exact_pins(project: Path) -> Pins:
    """What `kfp-release build` gives to the hooks for tag v1.0."""
    image = PinnedImage("demo", Repository.parse(DEMO), EXACT, "0" * 32, "linux/amd64")
    commit = run_git(project, "rev-parse", "HEAD").strip()
    pins = Pins("demo-parts", ReleaseVersion.parse("1.0"), commit, (image,), components=())
    return pinned_package(project, pins=pins, version="1.0", commit=commit).pins


class HookFailed(Exception):
    """What the hook printed."""


def hooks(project: Path, environ: Mapping[str, str] | None = None) -> BuildBackendHookCaller:
    """The project's build hooks, each called in a process of its own."""

    def run(cmd: Sequence[str], cwd: str | None = None, extra_environ: Mapping[str, str] | None = None) -> None:
        result = subprocess.run(
            cmd,
            cwd=cwd,
            env={**os.environ, **(extra_environ or {}), "PYTHONDONTWRITEBYTECODE": "1", **(environ or {})},
            check=False,
            capture_output=True,
            text=True,
        )
        if result.returncode:
            raise HookFailed(result.stderr)

    return BuildBackendHookCaller(str(project), "kfp_release.backend", runner=run, python_executable=sys.executable)
