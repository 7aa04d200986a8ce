"""The component files of a project, read from the folder that its configuration names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from kfp_release.component import SUFFIXES, ComponentFile
from kfp_release.config import PYPROJECT
from kfp_release.errors import Problem, Problems


@dataclass(frozen=True, slots=True)
class ComponentFolder:
    """The files that can be read, in the order of their names, and what is wrong with the others and between them."""

    files: tuple[ComponentFile, ...]
    problems: tuple[Problem, ...]

    @classmethod
    def read(cls, project: Path, components: str) -> Self:
        """Every ``.yaml`` and ``.yml`` of the folder `components`, whose path is relative to `project`."""
        folder = project / components
        names = sorted(path.name for path in folder.iterdir() if path.suffix in SUFFIXES) if folder.is_dir() else ()
        files: list[ComponentFile] = []
        problems: list[Problem] = []
        for name in names:
            try:
                files.append(ComponentFile.parse(f"{components}/{name}", (folder / name).read_bytes()))
            except Problems as error:
                problems += error.problems
            except OSError as error:
                remedy = "make it a file that can be read, or move it elsewhere"
                problems.append(Problem(f"{components}/{name}", 0, f"cannot be read: {error.strerror}", remedy))
        if not names:
            message = f"has no component files ({', '.join(SUFFIXES)})"
            remedy = f"add one, and to git; 'components' in [tool.kfp-release] of {PYPROJECT} names the folder"
            problems.append(Problem(components, 0, message, remedy))
        return cls(tuple(files), (*problems, *_shared_operators(files)))


def _shared_operators(files: Iterable[ComponentFile]) -> Iterator[Problem]:
    seen: dict[str, ComponentFile] = {}
    for file in files:
        first = seen.setdefault(file.operator, file)
        if first is not file:
            message = f"gives the operator {file.operator}, as {first.name} does"
            yield Problem(file.name, 0, message, "rename one of them")
