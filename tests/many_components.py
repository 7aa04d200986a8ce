"""A repository of many component files and several images, each with a runtime of its own."""

from __future__ import annotations

from pathlib import Path

from conftest import SMALL_DOCKERFILE, commit_all
from test_release import DECLARED, small_project

BASE = "docker.io/library/python@sha256:782412e85d0f0984994c290652577d4018aff08145c85b262bb63dc0c7522254"
IMAGES = ("demo", "features", "train", "evaluate", "serve")
_SECTION = """\
[tool.kfp-release.images.{name}]
repository = "{repository}"
dockerfile = "runtimes/{name}.Dockerfile"

[tool.kfp-release.images.{name}.build-args]
BASE = "{base}"

"""


def many_components(folder: Path, files: int) -> Path:
    """A clean repository with `files` components in turn on each of `IMAGES`, all of them like multiply.yaml."""
    project = small_project(folder)
    (project / "runtimes").mkdir()
    sections = []
    for name in IMAGES[1:]:
        sections.append(_SECTION.format(name=name, repository=declared(name), base=BASE))
        change_runtime(project, name, 1)
    pyproject = project / "pyproject.toml"
    anchor = "[tool.kfp-release.index]"
    pyproject.write_text(pyproject.read_text().replace(anchor, "".join(sections) + anchor))
    text = (project / "yaml/multiply.yaml").read_text()
    for number in range(files):
        image = declared(IMAGES[number % len(IMAGES)])
        component = text.replace("name: Multiply", f"name: Multiply {number}").replace(DECLARED.decode(), image)
        (project / f"yaml/multiply_{number:05}.yaml").write_text(component)
    commit_all(project, f"{files} more components")
    return project


def declared(name: str) -> str:
    """The repository of one of `IMAGES`."""
    return DECLARED.decode().removesuffix("demo") + name


def change_runtime(project: Path, name: str, number: int) -> None:
    """Another Dockerfile for one of the images but the first."""
    (project / f"runtimes/{name}.Dockerfile").write_text(f"{SMALL_DOCKERFILE}ENV NAME={name} NUMBER={number}\n")
