"""A small project whose components are Python functions."""

from __future__ import annotations

from pathlib import Path

from kfp_release.compilation import Compiled, compile_components
from kfp_release.compiled_rules import compiled_problems
from kfp_release.component_folder import ComponentFolder
from kfp_release.config import PYPROJECT, Config
from kfp_release.errors import Problem, Problems
from kfp_release.toml_table import TomlFile

OWNED = "ghcr.io/team/demo"
CONFIG = f"""\
[project]
name = "demo-parts"
dynamic = ["version"]

[project.scripts]
train = "demo_parts.train:main"

[tool.kfp-release]
package = "demo_parts"
components = "yaml"
python-components = ["demo_parts.definitions"]
source = "https://example.com/demo"

[tool.kfp-release.images.demo]
repository = "{OWNED}"
"""
HEAD = """\
from kfp import dsl
from demo_parts.names import IMAGE

def made(*args):
    return dsl.ContainerSpec(image=IMAGE, command=["train"], args=list(args))

"""
TRAIN = '''\
@dsl.container_component
def train(data: dsl.Input[dsl.Dataset], rate: float, model: dsl.Output[dsl.Model], note: str = "none"):
    """Train a model.

    Args:
        rate: How fast.
    """
    return made("--data", data.path, "--rate", rate, "--model", model.path, "--note", note, "{{$}}")

'''
SCORE = """\
@dsl.container_component
def score(model: dsl.Input[dsl.Model], result: dsl.OutputPath(float)):
    return made("--model", model.path, "--result", result)

"""
DEFINITIONS = "src/demo_parts/definitions.py"


def make_project(folder: Path) -> Path:
    """Two functions in one module, and another module that they import."""
    for name, text in {
        PYPROJECT: CONFIG,
        "src/demo_parts/__init__.py": "",
        "src/demo_parts/names.py": f'IMAGE = "{OWNED}"\n',
        "src/demo_parts/other.py": f"from kfp import dsl\nfrom demo_parts.definitions import made\n{SCORE}",
        DEFINITIONS: HEAD + TRAIN + SCORE,
    }.items():
        write(folder, name, text)
    return folder


def write(project: Path, name: str, text: str) -> None:
    (project / name).parent.mkdir(parents=True, exist_ok=True)
    (project / name).write_text(text, encoding="utf-8")


def config(project: Path) -> Config:
    return Config.parse((project / PYPROJECT).read_bytes(), {})


def compiled(project: Path) -> dict[str, str]:
    """What `kfp-release compile` says of each file."""
    return {each.path: each.state for each in files(project)}


def files(project: Path) -> tuple[Compiled, ...]:
    return compile_components(project, config(project))


def refused(project: Path) -> list[str]:
    """What it refuses; nothing in the components' folder changes."""
    before = contents(project)
    try:
        files(project)
    except Problems as error:
        assert contents(project) == before
        return [str(problem) for problem in error.problems]
    raise AssertionError("it was not refused")


def contents(project: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((project / "yaml").glob("*")) if path.is_file()}


def stale(project: Path) -> list[Problem]:
    """What check says of the compiled files."""
    pyproject = TomlFile.parse(PYPROJECT, (project / PYPROJECT).read_bytes())
    folder = ComponentFolder.read(project, "yaml")
    return compiled_problems(folder.files, pyproject, project=project, config=config(project))
