"""What each program imports is in the lock of the image that runs it, and nothing of kfp is."""

from __future__ import annotations

import ast
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from kfp_release.component_folder import ComponentFolder
from kfp_release.config import Config
from kfp_release.image_ref import repository_of
from kfp_release.lock import Lock

PROJECT = Path(__file__).resolve().parent.parent
SOURCE = PROJECT / "src"
OWN = "kubeflow_demo_components"
PYPROJECT = (PROJECT / "pyproject.toml").read_bytes()
SCRIPTS: dict[str, str] = tomllib.loads(PYPROJECT.decode())["project"]["scripts"]
CONFIG = Config.parse(PYPROJECT, {})
CALLS = [
    (image.name, command.program)
    for file in ComponentFolder.read(PROJECT, CONFIG.components).files
    for command in file.commands
    for image in CONFIG.images
    if repository_of(command.image) == str(image.declared)
]


def imported(module: str, seen: set[str]) -> set[str]:
    """The top names of all that `module` imports, wherever in its code, and what its own package's modules do."""
    if module in seen:
        return set()
    seen.add(module)
    path = SOURCE / module.replace(".", "/")
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    outside = {name.partition(".")[0] for name in names if not name.startswith(OWN)}
    return outside.union(*(imported(name, seen) for name in names if name.startswith(OWN)))


def test_each_component_has_a_program_in_an_image_of_this_project() -> None:
    assert len(CALLS) == len(list((PROJECT / "yaml").iterdir()))
    assert {image for image, _ in CALLS} == {image.name for image in CONFIG.images}


@pytest.mark.parametrize(("image", "program"), CALLS)
def test_the_image_of_a_program_has_what_it_imports(image: str, program: str) -> None:
    path = CONFIG.image(image).lock
    lock = Lock.parse(path, (PROJECT / path).read_text(encoding="utf-8"))
    outside = imported(SCRIPTS[program].partition(":")[0], set()) - sys.stdlib_module_names
    distributions = packages_distributions()
    missing = {
        name
        for name in outside
        if not {canonicalize_name(one) for one in distributions[name]} & {entry.name for entry in lock.entries}
    }
    assert missing == set()
    assert "kfp" not in outside


def test_the_two_images_differ_in_what_they_have() -> None:
    locks = [Lock.parse(image.lock, (PROJECT / image.lock).read_text(encoding="utf-8")) for image in CONFIG.images]
    small, large = ({entry.name for entry in lock.entries} for lock in locks)
    assert small < large
    assert {"scikit-learn", "matplotlib", "pyarrow"} <= large - small
