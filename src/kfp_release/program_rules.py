"""What components run: each command a console script of the package, each flag one that its parser takes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from kfp_release.argument_rules import argument_problems, options_of
from kfp_release.component import ComponentFile
from kfp_release.container import Container, Word
from kfp_release.entry_points import BadEntryPoint, ConsoleScript
from kfp_release.errors import Problem, ReleaseError
from kfp_release.image_ref import repository_of
from kfp_release.lightweight_rules import is_lightweight
from kfp_release.near_name import NearNames
from kfp_release.programs import Program, read_programs
from kfp_release.python_path import source_folder
from kfp_release.toml_table import TomlFile

_SCRIPTS = ("project", "scripts")
_LIGHT = (
    "give its module build_parser(), which returns its argparse parser; the module is imported without its image's "
    "extra, so import heavy libraries where they are used"
)


def program_problems(
    files: Sequence[ComponentFile], pyproject: TomlFile, *, project: Path, owned: Collection[str]
) -> list[Problem]:
    """Where the containers of owned images do not fit the programs of ``[project.scripts]``.

    What is wrong in `pyproject` itself goes to the file's own problems.
    """
    scripts = _scripts(pyproject)
    calls = [
        (file, container)
        for file in files
        for container in file.commands
        if repository_of(container.image) in owned and not is_lightweight(container)
    ]
    names = {file.name: NearNames() for file in files}
    problems = [problem for call in calls for problem in _command(*call, scripts, names[call[0].name])]
    called = {container.program for _, container in calls}
    asked = [script for name, script in sorted(scripts.items()) if script is not None and name in called]
    try:
        programs = read_programs(asked, source=source_folder(pyproject, project))
    except ReleaseError as error:
        pyproject.report(_SCRIPTS, str(error.args[0]), error.remedy)
        return problems
    for program in programs.values():
        _report(pyproject, program)
    for file, container in calls:
        told = programs.get(container.program)
        if told is not None and not told.missing and not told.error:
            problems += _options(file, container, told, names[file.name])
            problems += argument_problems(file, container, told)
    return problems


def _scripts(pyproject: TomlFile) -> dict[str, ConsoleScript | None]:
    """The console scripts by name; None for one that cannot be made, which is reported."""
    project, table = pyproject.table("project"), pyproject.table(*_SCRIPTS)
    scripts: dict[str, ConsoleScript | None] = dict.fromkeys(table.value if table else ())
    for name, reference in (project.texts("scripts") if project else {}).items():
        try:
            scripts[name] = ConsoleScript.parse(name, reference)
        except BadEntryPoint as error:
            pyproject.report((*_SCRIPTS, name), str(error.args[0]), error.remedy)
    return scripts


def _report(pyproject: TomlFile, program: Program) -> None:
    place = (*_SCRIPTS, program.name)
    if program.missing:
        remedy = f'name a function that is there: {program.name} = "package.module:function"'
        pyproject.report(place, f"program {program.name} cannot be started: {program.missing}", remedy)
    elif program.error:
        pyproject.report(place, f"program {program.name} cannot tell its options: {program.error}", _LIGHT)


def _command(
    file: ComponentFile, container: Container, scripts: Collection[str], names: NearNames
) -> Iterator[Problem]:
    if not container.program:
        remedy = f"begin it with a console script of [project.scripts], as in command: [{next(iter(scripts), 'name')}]"
        yield Problem(file.name, container.line, "its command names no program", remedy)
    elif container.program not in scripts:
        otherwise = "name a console script of [project.scripts]; there is"
        remedy = names.remedy(container.program, sorted(scripts), otherwise)
        message = f"runs {container.program[:80]!r}, which is no program of the package"
        yield Problem(file.name, container.words[0].line, message, remedy)


def _options(file: ComponentFile, container: Container, program: Program, names: NearNames) -> Iterator[Problem]:
    passed: set[str] = set()
    for word in _passed(container, program):
        passed.add(word.text)
        if word.text not in program.options:
            remedy = names.remedy(word.text, sorted(program.options - {"-h", "--help"}), "it takes")
            message = f"passes {word.text[:80]}, which {program.name} does not take"
            yield Problem(file.name, word.line, message, remedy)
    for options in program.required:
        if not passed & set(options):
            message = f"does not pass {options[-1]}, without which {program.name} does not run"
            yield Problem(file.name, container.line, message, "add it to args, or give the option a default")


def _passed(container: Container, program: Program) -> Iterator[Word]:
    """A word for each option that is passed, by its name alone; none after a ``--``. As argparse tells them."""
    for word in container.all_words:
        if word.text == "--" and not word.placeholder:
            return
        yield from (Word(name, "", word.line) for name in options_of(word, program))
