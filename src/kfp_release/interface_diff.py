"""The interfaces of two versions, one against the other, and what their changes ask of the version that follows."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from kfp_release.component import ComponentFile, operator_of
from kfp_release.errors import Problem, Problems
from kfp_release.interface_change import ChangeKind, InterfaceChange
from kfp_release.port_changes import declared, inputs_of, port_changes, signature
from kfp_release.version import ReleaseVersion
from kfp_release.version_bump import Bump, is_enough, needed_bump, next_version

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class InterfaceFiles:
    """The component files of one side, not parsed yet."""

    name: str
    """How a person calls the side: ``1.0``, ``HEAD``, ``working tree``, the name of a wheel."""
    files: Mapping[str, bytes]
    """By path."""
    version: ReleaseVersion | None = None
    """Of a release, and of what is on the index or in a wheel."""
    commit: str = ""
    """In hex, where there is one."""
    prefix: str = ""
    """What a file's path begins with in a message; nothing for files of the working tree."""
    distribution: str = ""
    """The project's name, in its normal form."""
    is_archive: bool = False
    """Whether they come out of a wheel or an sdist, which may be any project's."""

    def to_json(self) -> dict[str, Any]:
        """For ``--json``."""
        version = None if self.version is None else str(self.version)
        return {"name": self.name, "version": version, "commit": self.commit or None}


@dataclass(frozen=True, slots=True)
class InterfaceDiff:
    """What has changed from one side to the other: what breaks first, by operator."""

    before: InterfaceFiles
    after: InterfaceFiles
    changes: tuple[InterfaceChange, ...] = ()
    problems: tuple[Problem, ...] = ()
    """Why a file cannot be parsed, its path after its side's prefix; its operator is not compared."""
    taken: frozenset[ReleaseVersion] = frozenset()
    """The versions that there are, also those that neither side follows."""

    def require_parsed(self) -> Self:
        """Itself. Raise `Problems` with all files of both sides that cannot be parsed."""
        if self.problems:
            raise Problems(self.problems)
        return self

    @property
    def breaking(self) -> tuple[InterfaceChange, ...]:
        """Those that break a pipeline."""
        return tuple(change for change in self.changes if change.is_breaking)

    @property
    def harmless(self) -> tuple[InterfaceChange, ...]:
        """The others."""
        return tuple(change for change in self.changes if not change.is_breaking)

    @property
    def bump(self) -> Bump:
        """What the version that follows must go up by."""
        told = [change for change in self.changes if change.kind is not ChangeKind.DESCRIPTION_CHANGED]
        return needed_bump(self.before.version, is_changed=bool(told), is_breaking=bool(self.breaking))

    @property
    def next_version(self) -> ReleaseVersion | None:
        """The lowest version that may have them and is not another's; None where they are counted from no version."""
        if self.before.version is None:
            return None
        return next_version(self.before.version, self.bump, taken=self.taken - {self.after.version})

    @property
    def is_enough(self) -> bool | None:
        """Whether the version of the later side tells of them; None where the sides are not two versions in order."""
        base, version = self.before.version, self.after.version
        return is_enough(base, version, self.bump) if base and version and base < version else None

    def to_json(self) -> dict[str, Any]:
        """For ``--json``."""
        follows = self.next_version
        return {
            "schema": SCHEMA,
            "before": self.before.to_json(),
            "after": self.after.to_json(),
            "changes": [change.to_json() for change in self.changes],
            "breaking": len(self.breaking),
            "bump": self.bump.value,
            "next_version": None if follows is None else str(follows),
            "enough": self.is_enough,
        }


def compare(
    before: InterfaceFiles,
    after: InterfaceFiles,
    *,
    descriptions: bool = False,
    taken: Iterable[ReleaseVersion] = (),
    parse: Callable[[str, bytes], ComponentFile] = ComponentFile.parse,
) -> InterfaceDiff:
    """Hold the interfaces of two sides against each other; files of the same bytes are not even parsed.

    `taken` are the versions that there are. `parse` is for who parses some of the files more than once.
    """
    was, now = ({operator_of(path): path for path in sorted(side.files, reverse=True)} for side in (before, after))
    differing = [name for name in sorted({*was, *now}) if _bytes(before, was, name) != _bytes(after, now, name)]
    problems: list[Problem] = []
    old = _parsed(before, {name: was[name] for name in differing if name in was}, problems, parse)
    new = _parsed(after, {name: now[name] for name in differing if name in now}, problems, parse)
    found = list(
        _operators(
            {name: file for name, file in old.items() if name not in now},
            {name: file for name, file in new.items() if name not in was},
        )
    )
    for name in sorted(old.keys() & new.keys()):
        found += port_changes(old[name], new[name], descriptions=descriptions)
    found.sort(key=lambda change: (not change.is_breaking, change.operator))
    return InterfaceDiff(before, after, tuple(found), tuple(problems), frozenset(taken))


def _bytes(side: InterfaceFiles, paths: Mapping[str, str], operator: str) -> bytes | None:
    return side.files[paths[operator]] if operator in paths else None


def _parsed(
    side: InterfaceFiles,
    paths: Mapping[str, str],
    problems: list[Problem],
    parse: Callable[[str, bytes], ComponentFile],
) -> dict[str, ComponentFile]:
    found: dict[str, ComponentFile] = {}
    for operator, path in paths.items():
        try:
            found[operator] = parse(path, side.files[path])
        except Problems as error:
            problems += [
                Problem(f"{side.prefix}{problem.path}", problem.line, problem.message, problem.remedy)
                for problem in error.problems
            ]
    return found


def _operators(gone: Mapping[str, ComponentFile], come: Mapping[str, ComponentFile]) -> Iterator[InterfaceChange]:
    renamed = _renamed(gone, come)
    for name, file in gone.items():
        if name in renamed:
            there = come[renamed[name]]
            yield InterfaceChange(
                name, ChangeKind.OPERATOR_RENAMED, "", name, renamed[name], there.name, there.root.line
            )
        else:
            yield InterfaceChange(name, ChangeKind.OPERATOR_REMOVED, "", signature(file), "", file.name)
    for name, file in come.items():
        if name not in renamed.values():
            yield InterfaceChange(name, ChangeKind.OPERATOR_ADDED, "", "", signature(file), file.name, file.root.line)


def _renamed(gone: Mapping[str, ComponentFile], come: Mapping[str, ComponentFile]) -> dict[str, str]:
    """The new names of those that came back with the same interface; of several the one that is most alike."""
    left = {name: _form(file) for name, file in come.items()}
    found: dict[str, str] = {}
    for name, file in gone.items():
        alike = [other for other, form in left.items() if form == _form(file)]
        if alike and (file.inputs or file.outputs):
            found[name] = max(alike, key=lambda other: _likeness(file, come[other]))
            del left[found[name]]
    return found


def _form(file: ComponentFile) -> tuple[str, tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    inputs = [(name, declared(port)) for name, port in inputs_of(file).items()]
    outputs = sorted((port.kfp_name, port.plain_type) for port in file.outputs)
    return file.kind, tuple(inputs if file.kind == "v1" else sorted(inputs)), tuple(outputs)


def _likeness(file: ComponentFile, other: ComponentFile) -> tuple[bool, float, str]:
    """Whether both run the same program, and how alike their names are."""
    programs = [[container.program for container in each.commands] for each in (file, other)]
    return programs[0] == programs[1], difflib.SequenceMatcher(None, file.stem, other.stem).ratio(), other.name
