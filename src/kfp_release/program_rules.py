"""What components run: each command a console script of the package, each flag one that its parser takes."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from kfp_release.component import ComponentFile
from kfp_release.config import PYPROJECT
from kfp_release.container import Container
from kfp_release.errors import Problem, ReleaseError
from kfp_release.image_ref import repository_of
from kfp_release.programs import Program, read_programs
from kfp_release.toml_table import TomlFile

_LIGHT = (
    "give its module build_parser(), which returns its argparse parser; the module is imported without the extra "
    "`image`, so import heavy libraries where they are used"
)


def program_problems(
    files: Sequence[ComponentFile], pyproject: TomlFile, *, project: Path, owned: Collection[str]
) -> list[Problem]:
    """Where the containers of owned images do not fit the programs of ``[project.scripts]``."""
    table = pyproject.table("project", "scripts")
    scripts = {name: target for name, target in (table.value if table else {}).items() if isinstance(target, str)}
    calls = [
        (file, container) for file in files for container in file.commands if repository_of(container.image) in owned
    ]
    problems = [problem for file, container in calls for problem in _command(file, container, scripts)]
    called = sorted({container.program for _, container in calls} & scripts.keys())
    try:
        programs = read_programs({name: scripts[name] for name in called}, source=_source(pyproject, project))
    except ReleaseError as error:
        return [*problems, Problem(PYPROJECT, _line(pyproject, ""), str(error.args[0]), error.remedy)]
    for program in programs.values():
        if program.error:
            message = f"program {program.name} cannot tell its options: {program.error}"
            problems.append(Problem(PYPROJECT, _line(pyproject, program.name), message, _LIGHT))
    for file, container in calls:
        if container.program in programs and not programs[container.program].error:
            problems += _flags(file, container, programs[container.program])
    return problems


def _command(file: ComponentFile, container: Container, scripts: Mapping[str, str]) -> Iterator[Problem]:
    if not container.program:
        remedy = f"begin it with a console script of [project.scripts], as in command: [{next(iter(scripts), 'name')}]"
        yield Problem(file.name, container.line, "its command names no program", remedy)
    elif container.program not in scripts:
        near = difflib.get_close_matches(container.program, scripts, 1)
        known = f"there is: {', '.join(sorted(scripts)) or 'none'}"
        remedy = f"did you mean {near[0]}?" if near else f"name a console script of [project.scripts]; {known}"
        message = f"runs {container.program[:80]!r}, which is no program of the package"
        yield Problem(file.name, container.words[0].line, message, remedy)


def _flags(file: ComponentFile, container: Container, program: Program) -> Iterator[Problem]:
    for word in container.flags:
        if word.text not in program.options:
            near = difflib.get_close_matches(word.text, program.options, 1)
            known = ", ".join(sorted(program.options - {"-h", "--help"})) or "none"
            remedy = f"did you mean {near[0]}?" if near else f"it takes: {known}"
            message = f"passes {word.text[:80]}, which {program.name} does not take"
            yield Problem(file.name, word.line, message, remedy)
    passed = {word.text for word in container.flags}
    for options in program.required:
        if not passed & set(options):
            message = f"does not pass {options[-1]}, without which {program.name} does not run"
            yield Problem(file.name, container.line, message, "add it to args, or give the option a default")


def _source(pyproject: TomlFile, project: Path) -> Path:
    """Where the packages are: setuptools' package-dir, or src where it is there."""
    table = pyproject.table("tool", "setuptools", "package-dir")
    declared = table.value.get("") if table else None
    if isinstance(declared, str):
        return project / declared
    return project / "src" if (project / "src").is_dir() else project


def _line(pyproject: TomlFile, program: str) -> int:
    scripts = ("project", "scripts")
    return pyproject.lines.get((*scripts, program), pyproject.lines.get(scripts, 0))
