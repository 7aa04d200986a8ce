"""Where component files are not what their Python functions give."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kfp_release.compilation import KEY, module_problems
from kfp_release.compile_mark import BadMark, CompileMark, name_hash, source_hash, unmarked
from kfp_release.compiled_content import compiled_content, first_difference
from kfp_release.component import ComponentFile
from kfp_release.config import PYPROJECT, Config
from kfp_release.errors import Problem, ReleaseError
from kfp_release.plain_file import read_plain
from kfp_release.python_components import CompiledFunction, CompiledModule, compile_modules
from kfp_release.python_path import source_folder
from kfp_release.toml_table import TomlFile
from kfp_release.yaml_nodes import UNLOADABLE

_COMPILE = "run kfp-release compile, and commit what it writes"


@dataclass(frozen=True, slots=True)
class _Marked:
    """A component file that was compiled."""

    file: ComponentFile
    mark: CompileMark


def compiled_problems(
    files: Sequence[ComponentFile], pyproject: TomlFile, *, project: Path, config: Config
) -> list[Problem]:
    """Where `files` are stale, whatever version of kfp compiled them.

    Where the hashes in a file say that neither it nor its sources have changed, kfp is not needed. Otherwise the
    modules in question are compiled in a process of their own, and what counts is compared.
    """
    problems: list[Problem] = []
    marked = _marked(files, problems)
    unnamed = f"and {KEY} in {PYPROJECT} does not name that module"
    problems += [_gone(each, unnamed) for each in marked if each.mark.module not in config.python_components]
    own = {name: [each for each in marked if each.mark.module == name] for name in config.python_components}
    stale = [name for name, these in own.items() if not _is_fresh(project, config, these)]
    if not stale:
        return problems
    try:
        modules = compile_modules(stale, project=project, source=source_folder(pyproject, project))
    except ReleaseError as error:
        return problems + [problem for name in stale for problem in _untold(name, own[name], pyproject, error)]
    problems += module_problems(modules, pyproject)
    present = {file.name: file for file in files}
    for module in modules:
        if not module.problems:  # with them, what it defines is not known
            problems += _module(project, config, module, present, own[module.name])
    return problems


def _marked(files: Sequence[ComponentFile], problems: list[Problem]) -> list[_Marked]:
    """Those that were compiled. Marks that are damaged go to `problems`."""
    marked = []
    for file in files:
        try:
            if (mark := CompileMark.find(file.text)) is not None:
                marked.append(_Marked(file, mark))
        except BadMark as error:
            problems.append(Problem(file.name, _last(file), str(error.args[0]), _COMPILE))
    return marked


def _is_fresh(project: Path, config: Config, marked: Sequence[_Marked]) -> bool:
    """Whether nothing of a module and its files has changed since they were compiled."""
    functions = name_hash(each.mark.function for each in marked)
    return (
        bool(marked)
        and all(each.file.name == _path(config, each.mark.function) for each in marked)
        and all(each.mark.is_of(each.file.text) for each in marked)
        and all(each.mark.functions == functions for each in marked)
        and all(_source_hash(project, files) == sources for files, sources in _sources(marked))
    )


def _path(config: Config, function: str) -> str:
    """Where the file of a function is."""
    return f"{config.components}/{function}.yaml"


def _sources(marked: Sequence[_Marked]) -> Collection[tuple[tuple[str, ...], str]]:
    return {(each.mark.files, each.mark.sources) for each in marked}


def _source_hash(project: Path, files: Sequence[str]) -> str:
    try:
        return source_hash({path: read_plain(project / path, inside=project) for path in files})
    except (OSError, ValueError):  # it is gone, or no path at all
        return ""


def _untold(name: str, marked: Sequence[_Marked], pyproject: TomlFile, error: ReleaseError) -> Iterator[Problem]:
    """Where a module cannot be compiled: at each of its files, or at the setting where it has none."""
    said = f"may be stale: {error.args[0]}"
    for each in marked:
        yield Problem(each.file.name, _last(each.file), said, error.remedy)
    if not marked:
        line = pyproject.lines.get(("tool", "kfp-release", KEY), 0)
        yield Problem(PYPROJECT, line, f"the component files of {name} are missing: {error.args[0]}", error.remedy)


def _module(
    project: Path,
    config: Config,
    module: CompiledModule,
    present: dict[str, ComponentFile],
    marked: Sequence[_Marked],
) -> Iterator[Problem]:
    for function in module.functions:
        path = _path(config, function.name)
        file = present.get(path)
        if file is not None:
            yield from _held(module, function, file)
        elif not (project / path).exists():  # else what is wrong with it is told already
            yield Problem(function.path, function.line, f"{function.name} has no {path}", _COMPILE)
    functions = {function.name for function in module.functions}
    for each in marked:
        if each.mark.function not in functions or each.file.name != _path(config, each.mark.function):
            yield _gone(each, "which is gone" if each.mark.function not in functions else "whose file has another name")


def _held(module: CompiledModule, function: CompiledFunction, file: ComponentFile) -> Iterator[Problem]:
    """The file against what its function gives now."""
    if unmarked(file.text) == file.text:
        message = f"is not from kfp-release compile, which would make it of {module.name}:{function.name}"
        yield Problem(file.name, 0, message, f"remove it, or rename the function ({function.path}:{function.line})")
        return
    old, new = unmarked(file.text), function.text
    try:
        is_same = compiled_content(old) == compiled_content(new)
    except UNLOADABLE:  # its own problems say why
        return
    if not is_same:
        message = f"is stale: it is not what {module.name}:{function.name} ({function.path}:{function.line}) gives"
        yield Problem(file.name, first_difference(old, new), message, _COMPILE)


def _gone(each: _Marked, why: str) -> Problem:
    remedy = "run kfp-release compile, which removes it; or remove its last line, and it counts as written by hand"
    return Problem(each.file.name, _last(each.file), f"was compiled from {each.mark.origin}, {why}", remedy)


def _last(file: ComponentFile) -> int:
    """The line of the mark."""
    return file.text.rstrip().count("\n") + 1
