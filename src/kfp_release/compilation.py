"""The component files that are compiled from Python, written into the components' folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from kfp_release.compile_mark import BadMark, CompileMark, marked, unmarked
from kfp_release.compiled_content import compiled_content
from kfp_release.component import SUFFIXES, ComponentFile
from kfp_release.component_rules import component_problems
from kfp_release.config import PYPROJECT, Config
from kfp_release.errors import Problem, Problems, ReleaseError
from kfp_release.plain_file import read_plain
from kfp_release.python_components import CompiledFunction, CompiledModule, compile_modules
from kfp_release.python_path import source_folder
from kfp_release.toml_table import TomlFile
from kfp_release.yaml_nodes import UNLOADABLE

State: TypeAlias = Literal["written", "unchanged", "removed"]
KEY = "python-components"
_PLACE = ("tool", "kfp-release", KEY)
_ROUNDS = 8
"""The most compilations. Each settles the components that are made of those of the one before."""


@dataclass(frozen=True, slots=True, order=True)
class Compiled:
    """One component file, and what became of it."""

    path: str
    """Relative to the project."""
    origin: str
    """The function: ``package.module:name``."""
    state: State


def compile_components(project: Path, config: Config) -> tuple[Compiled, ...]:
    """Write a component file for each function of the modules that `config` names; none where anything is wrong.

    A file that already holds the same component stays as it is. One that was compiled from a function that is gone is
    removed. Where modules read files that this changes, they are compiled again, and what is wrong then leaves
    those files written. Raise `Problems` with all that is wrong: with a function, with its component, or with a file
    that was written by hand and stands in the way.
    """
    done: dict[str, Compiled] = {}
    for _ in range(_ROUNDS):
        compiled, read = _round(project, config)
        changed = {each.path: each for each in compiled if each.state != "unchanged"}
        done = {each.path: each for each in compiled} | done | changed
        if not changed.keys() & read:
            return tuple(sorted(done.values()))
    remedy = "a component must not be made of its own file"
    raise ReleaseError(f"{', '.join(sorted(changed))}: not the same after {_ROUNDS} compilations", remedy=remedy)


def _round(project: Path, config: Config) -> tuple[list[Compiled], set[str]]:
    """What one compilation writes, and which files it was made of."""
    there = _Folder(project, config.components)
    if not config.python_components and not there.marks:
        remedy = f'add {KEY} = ["{config.package}.definitions"], the modules of @dsl.container_component functions'
        raise ReleaseError(f"[tool.kfp-release] of {PYPROJECT} names no {KEY}", remedy=remedy)
    pyproject = TomlFile.parse(PYPROJECT, read_plain(project / PYPROJECT))
    names, source = config.python_components, source_folder(pyproject, project)
    modules = compile_modules(names, project=project, source=source) if names else ()
    owned = {str(image.declared) for image in config.images}
    problems = [*module_problems(modules, pyproject), *there.unread]
    wanted: dict[str, _Wanted] = {}
    for module, function in [(each, function) for each in modules for function in each.functions]:
        path = there.path(function.name)
        new = _Wanted(function, f"{module.name}:{function.name}", _marked_text(project, module, function))
        problems += _shared(new, wanted.setdefault(path, new))
        problems += [*there.in_the_way(function), *_component(path, new, owned)]
    problems += [problem for path, problem in there.damaged.items() if path not in wanted]
    gone = {path: mark for path, mark in there.marks.items() if path not in wanted}
    problems += [problem for path, mark in gone.items() for problem in there.edited(path, mark)]
    if problems:
        raise Problems(set(problems))
    written = [Compiled(path, new.origin, there.write(path, new.text)) for path, new in wanted.items()]
    removed = [there.remove(path, mark) for path, mark in gone.items()]
    return [*written, *removed], {file for module in modules for file in module.files}


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a component file shall be."""

    function: CompiledFunction
    origin: str
    text: str


def module_problems(modules: Iterable[CompiledModule], pyproject: TomlFile) -> list[Problem]:
    """What is wrong in the modules; what has no place in them has the setting's, which names them."""
    line = pyproject.lines.get(_PLACE, 0)
    return [
        problem if problem.path else Problem(PYPROJECT, line, problem.message, problem.remedy)
        for module in modules
        for problem in module.problems
    ]


def _marked_text(project: Path, module: CompiledModule, function: CompiledFunction) -> str:
    """The component file of `function`, as it is written."""
    sources = {path: read_plain(project / path, inside=project) for path in module.files}
    names = [each.name for each in module.functions]
    return marked(function.text, module=module.name, function=function.name, functions=names, sources=sources)


def _shared(new: _Wanted, first: _Wanted) -> Iterator[Problem]:
    """Functions of different modules that have one name."""
    if new is not first:
        earlier = f"{first.origin} ({first.function.path}:{first.function.line})"
        message = f"{new.function.name} has the name of {earlier} too"
        remedy = "rename one of them: each becomes a file of its name"
        yield Problem(new.function.path, new.function.line, message, remedy)


def _component(path: str, new: _Wanted, owned: Collection[str]) -> Iterator[Problem]:
    """What `kfp-release check` would refuse of the file, told of the function that it is made from."""
    function = new.function
    try:
        found = component_problems(ComponentFile.parse(path, new.text.encode()), owned)
    except Problems as error:
        found = list(error.problems)
    for problem in found:
        if problem.severity == "error":
            yield Problem(function.path, function.line, f"{function.name} {problem.message}", problem.remedy)


class _Folder:
    """The components' folder as it is found."""

    def __init__(self, project: Path, components: str) -> None:
        self._project = project
        self._components = components
        self.texts: dict[str, str] = {}
        self.marks: dict[str, CompileMark] = {}
        self.damaged: dict[str, Problem] = {}
        """Compiled files whose mark cannot be read."""
        self.unread: list[Problem] = []
        folder = project / components
        for name in sorted(os.listdir(folder)) if folder.is_dir() else ():  # noqa: PTH208 - names are all it takes
            if name.endswith(SUFFIXES):
                self._read(f"{components}/{name}")

    def _read(self, path: str) -> None:
        self.texts[path] = ""
        try:
            self.texts[path] = text = read_plain(self._project / path).decode("utf-8", errors="replace")
            if (mark := CompileMark.find(text)) is not None:
                self.marks[path] = mark
        except OSError as error:
            self.unread.append(Problem(path, 0, f"cannot be read: {error.strerror}", "make it a plain file"))
        except BadMark as error:
            self.damaged[path] = Problem(path, 0, str(error.args[0]), "remove it: no function has its name")

    def path(self, function: str) -> str:
        """The file of a function."""
        return f"{self._components}/{function}.yaml"

    def in_the_way(self, function: CompiledFunction) -> Iterator[Problem]:
        """Files of the same operator that compiling must not replace."""
        own = self.path(function.name)
        for path in self.texts:
            stem = path.rpartition("/")[2].rpartition(".")[0]
            is_compiled = path in self.marks or path in self.damaged
            if stem.replace("-", "_") == function.name and not (is_compiled and path == own):
                what = "gives the same operator" if is_compiled else "was not compiled from Python"
                message = f"{function.name} would become {own}, and {path} {what}"
                yield Problem(function.path, function.line, message, f"remove {path}, or rename the function")

    def edited(self, path: str, mark: CompileMark) -> Iterator[Problem]:
        """A file whose function is gone, and that somebody has changed: it is not removed."""
        if not mark.is_of(self.texts[path]):
            message = f"was compiled from {mark.origin}, which is gone, and was edited since"
            yield Problem(path, 0, message, "remove it; or remove its last line, and it counts as written by hand")

    def remove(self, path: str, mark: CompileMark) -> Compiled:
        """Remove the file of a function that is gone."""
        (self._project / path).unlink()
        return Compiled(path, mark.origin, "removed")

    def write(self, path: str, text: str) -> State:
        """Write the file, unless it holds the same already: then another kfp's version of it stays, too."""
        if self._holds(path, text):
            return "unchanged"
        target = self._project / path
        target.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".compile-") as scratch:
            new_file = Path(scratch, target.name)
            new_file.write_text(text, encoding="utf-8", newline="")
            new_file.replace(target)
        return "written"

    def _holds(self, path: str, text: str) -> bool:
        mark, old = self.marks.get(path), self.texts.get(path, "")
        new = CompileMark.find(text)
        if not mark or not new or not mark.is_of(old):
            return False
        if (mark.function, mark.functions, mark.sources) != (new.function, new.functions, new.sources):
            return False
        try:
            return compiled_content(unmarked(old)) == compiled_content(unmarked(text))
        except UNLOADABLE:
            return False
