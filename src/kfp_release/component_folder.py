"""The component files of a project, read from the folder that its configuration names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from kfp_release.component import SUFFIXES, ComponentFile
from kfp_release.config import PYPROJECT
from kfp_release.errors import Problem, Problems
from kfp_release.plain_file import read_plain


@dataclass(frozen=True, slots=True)
class ComponentFolder:
    """The files that can be read, in the order of their names, and what is wrong with the others and between them."""

    files: tuple[ComponentFile, ...]
    problems: tuple[Problem, ...]

    @classmethod
    def read(cls, project: Path, components: str) -> Self:
        """Every file of the folder `components`, whose path is relative to `project`; see `component_files`."""
        problems: list[Problem] = []
        files = tuple(component_files(project, components, problems))
        return cls(files, tuple(problems))


def component_files(project: Path, components: str, problems: list[Problem]) -> Iterator[ComponentFile]:
    """Every ``.yaml`` and ``.yml`` of the folder `components` that can be read, one after the other, by name.

    What is wrong with the others, and between them, is in `problems` at the end.
    """
    folder = project / components
    names = _names(folder)
    operators: dict[str, str] = {}
    shared: list[Problem] = []
    for name in names:
        try:
            file = ComponentFile.parse(f"{components}/{name}", read_plain(folder / name))
        except Problems as error:
            problems += error.problems
        except OSError as error:
            problems.append(_unreadable(f"{components}/{name}", error))
        else:
            first = operators.setdefault(file.operator, file.name)
            if first != file.name:
                message = f"gives the operator {file.operator}, as {first} does"
                shared.append(Problem(file.name, 0, message, "rename one of them"))
            yield file
    if not names:
        message = f"has no component files ({', '.join(SUFFIXES)})"
        remedy = f"add one, and to git; 'components' in [tool.kfp-release] of {PYPROJECT} names the folder"
        problems.append(Problem(components, 0, message, remedy))
    problems += shared


def folder_bytes(project: Path, components: str) -> dict[str, bytes]:
    """The same files by path, not parsed. Raise `Problems` with all that cannot be read."""
    found: dict[str, bytes] = {}
    problems: list[Problem] = []
    for name in _names(project / components):
        try:
            found[f"{components}/{name}"] = read_plain(project / components / name)
        except OSError as error:
            problems.append(_unreadable(f"{components}/{name}", error))
    if problems:
        raise Problems(problems)
    return found


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix in SUFFIXES) if folder.is_dir() else []


def _unreadable(path: str, error: OSError) -> Problem:
    remedy = "make it a file that can be read, or move it elsewhere"
    return Problem(path, 0, f"cannot be read: {error.strerror}", remedy)
