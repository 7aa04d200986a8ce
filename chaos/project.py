"""The smallest project that can be released: a package of one file, images of one layer, a build without downloads.

What a release takes of it is what `kfp-release` does, not what pip, setuptools and a base image do: setuptools in its
isolated environment alone takes longer than all the rest.
"""

from __future__ import annotations

from pathlib import Path

from conftest import commit_all, run_git

NAME = "chaos-parts"
"""Of its distribution."""
REGISTRY = "533211398604.dkr.ecr.eu-north-1.amazonaws.com"
IMAGES = ("tables", "demo")
"""Its images, in the order in which they are configured; a project of one has the last alone."""

_PYPROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "{name}"
dynamic = ["version"]

[project.scripts]
multiply = "parts:main"

[tool.setuptools_scm]

[tool.kfp-release]
package = "parts"
components = "yaml"
source = "https://example.com/parts"

[tool.kfp-release.index]
upload-url = "https://pypi.example.com/"
simple-url = "https://pypi.example.com/simple/"
"""
_IMAGE = """
[tool.kfp-release.images.{image}]
repository = "{repository}"
dockerfile = "Dockerfile"
context = ["{image}.txt"]
platform = "linux/amd64"
build-args = {{ WHAT = "{image}" }}
"""
_DOCKERFILE = """\
FROM scratch
ARG WHAT
COPY ${WHAT}.txt /runtime.txt
USER 65532:65532
"""
_PACKAGE = '''\
"""Parts: {content}."""

import argparse


def build_parser():
    parser = argparse.ArgumentParser()
    parser.add_argument("--a", type=float)
    return parser


def main():
    print(build_parser().parse_args().a)
'''
_COMPONENT = """\
name: Multiply {image}
inputs:
- {{name: a, type: Float}}
implementation:
  container:
    image: {repository}
    command: [multiply, --a, {{inputValue: a}}]
"""
_BACKEND = '''\
"""A build backend (PEP 517) of the standard library alone."""

import io
import os
import tarfile
import zipfile
from pathlib import Path

VERSION = os.environ["SETUPTOOLS_SCM_PRETEND_VERSION"]
NAME = f"chaos_parts-{VERSION}"
METADATA = f"""\\
Metadata-Version: 2.1
Name: chaos-parts
Version: {VERSION}
Description-Content-Type: text/plain

Parts.
"""


def build_wheel(out, config_settings=None, metadata_directory=None):
    info = f"{NAME}.dist-info"
    with zipfile.ZipFile(Path(out, f"{NAME}-py3-none-any.whl"), "w") as wheel:
        wheel.write("src/parts/__init__.py", "parts/__init__.py")
        wheel.writestr(f"{info}/METADATA", METADATA)
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/entry_points.txt", "[console_scripts]\\nmultiply = parts:main\\n")
        wheel.writestr(f"{info}/RECORD", "")
    return f"{NAME}-py3-none-any.whl"


def build_sdist(out, config_settings=None):
    with tarfile.open(Path(out, f"{NAME}.tar.gz"), "w:gz") as sdist:
        for name in ("pyproject.toml", "backend.py", "src", "yaml"):
            sdist.add(name, f"{NAME}/{name}")
        info = tarfile.TarInfo(f"{NAME}/PKG-INFO")
        info.size = len(METADATA)
        sdist.addfile(info, io.BytesIO(METADATA.encode()))
    return f"{NAME}.tar.gz"
'''


def make_history(folder: Path, versions: int, *, every: int = 3) -> list[str]:
    """A repository with the versions 1.0, 1.1, … as tags; each `every`-th has a runtime of its own, from 1.0 on."""
    listed = [f"1.{number}" for number in range(versions)]
    _begin(folder)
    for number, version in enumerate(listed):
        runtime = "that all others share" if number % every else f"of {version} alone"
        _release(folder, version, listed[number::-1], content=version, runtime=runtime, images=IMAGES[-1:])
    return listed


def make_one(folder: Path, version: str, *, content: str, runtime: str, images: tuple[str, ...]) -> str:
    """A repository with this one version, of this content; its commit in hex."""
    _begin(folder)
    return _release(folder, version, [version], content=content, runtime=runtime, images=images)


def _begin(folder: Path) -> None:
    folder.mkdir(parents=True)
    run_git(folder, "init", "--quiet", "--initial-branch=main")


def _release(
    folder: Path, version: str, versions: list[str], *, content: str, runtime: str, images: tuple[str, ...]
) -> str:
    sections = "".join(f"## [{one}]\n\n- Parts.\n\n" for one in versions)
    repositories = {image: f"{REGISTRY}/team/{image}" for image in images}
    described = "".join(_IMAGE.format(image=image, repository=name) for image, name in repositories.items())
    files = {
        "pyproject.toml": _PYPROJECT.format(name=NAME) + described,
        "backend.py": _BACKEND,
        "Dockerfile": _DOCKERFILE,
        "CHANGELOG.md": f"# Changelog\n\n{sections}",
        ".gitignore": "/dist/\n",
        "src/parts/__init__.py": _PACKAGE.format(content=content),
        **{f"{image}.txt": f"The runtime {runtime}.\n" for image in images},
        **{f"yaml/{image}.yaml": _COMPONENT.format(image=image, repository=repositories[image]) for image in images},
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    commit = commit_all(folder, f"Version {version}")
    run_git(folder, "tag", f"v{version}")
    return commit
