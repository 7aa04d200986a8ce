"""What changes for pipelines from one version to the next, and which component files nobody can read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from kfp_release.catalog.facts import Facts
from kfp_release.catalog.tagged import TaggedVersion
from kfp_release.component import ComponentFile
from kfp_release.errors import Problem, Problems
from kfp_release.git_trees import CommittedFolder
from kfp_release.interface_change import ChangeKind, InterfaceChange
from kfp_release.interface_diff import InterfaceFiles, compare
from kfp_release.version import ReleaseVersion

Blobs = Callable[[Iterable[str]], Mapping[str, bytes]]
"""The bytes of blobs, by git's names for them."""
_CHANGES, _UNREADABLE = "changes", "unreadable"
_VERSIONS = 20
"""Versions whose files are in memory together."""
_PARSED = 512
"""Component files that are held in memory, parsed: those of two versions that follow each other."""


@dataclass(frozen=True, slots=True)
class Upgrade:
    """One version, and what it brings to those who have the version before."""

    tagged: TaggedVersion
    previous: TaggedVersion | None
    changes: tuple[InterfaceChange, ...]
    """Of those components that can be read in it, from the last version before in which they could be."""
    unreadable: Mapping[str, str]
    """Why a component file of the version cannot be read, by its operator."""


def upgrades(
    pairs: Sequence[tuple[TaggedVersion, TaggedVersion | None]], *, blobs: Blobs, facts: Facts
) -> dict[ReleaseVersion, Upgrade]:
    """For each version and the one before it, in the order of the versions. What `facts` know is not read again."""
    reader = _Reader(facts)
    found: dict[ReleaseVersion, Upgrade] = {}
    readable: dict[ReleaseVersion, TaggedVersion] = {}
    for start in range(0, len(pairs), _VERSIONS):
        some = pairs[start : start + _VERSIONS]
        data = dict(blobs({blob for tagged, previous in some for blob in reader.needed(tagged, previous)}))
        for tagged, previous in some:
            unreadable = reader.unreadable(tagged, data)
            before = readable.get(previous.version, previous) if previous else None
            if before is not previous:
                data |= blobs(set(reader.needed(tagged, before)) - data.keys())
            readable[tagged.version] = _readable(tagged, unreadable, before)
            found[tagged.version] = Upgrade(tagged, previous, reader.changes(before, tagged, data), unreadable)
    return found


def _readable(tagged: TaggedVersion, unreadable: Collection[str], before: TaggedVersion | None) -> TaggedVersion:
    """The version with each file that cannot be read as it was `before`; without it where it never could be."""
    if not unreadable:
        return tagged
    blobs = {path: tagged.folder.blobs[path] for operator, path in tagged.paths.items() if operator not in unreadable}
    if before is not None:
        blobs |= {path: before.folder.blobs[path] for name, path in before.paths.items() if name in unreadable}
    return replace(tagged, folder=CommittedFolder(blobs))


class _Reader:
    """Reads what is not known yet, and keeps it."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._refused: dict[tuple[str, str], str] = {}
        """Why a file of this path and these bytes cannot be read; empty where it can."""
        self._parse = lru_cache(_PARSED)(ComponentFile.parse)

    def needed(self, tagged: TaggedVersion, previous: TaggedVersion | None) -> Iterator[str]:
        """The blobs that `unreadable` and `changes` look into."""
        if self._known_unreadable(tagged) is None:
            yield from (blob for path, blob in self._files_of(tagged) if (path, blob) not in self._refused)
        if previous is not None and self._known_changes(previous, tagged) is None:
            for operator in _differing(previous, tagged):
                yield from filter(None, (previous.blob(operator), tagged.blob(operator)))

    def unreadable(self, tagged: TaggedVersion, data: Mapping[str, bytes]) -> Mapping[str, str]:
        """Why files cannot be read, by operator."""
        known = self._known_unreadable(tagged)
        if known is None:
            for path, blob in self._files_of(tagged):
                if (path, blob) not in self._refused:
                    self._refused[path, blob] = self._refusal(path, data[blob])
            refused = zip(tagged.paths, self._files_of(tagged), strict=True)
            known = {operator: text for operator, file in refused if (text := self._refused[file])}
            self._facts.put(_UNREADABLE, tagged.folder.key, known)
        return known

    def changes(
        self, before: TaggedVersion | None, after: TaggedVersion, data: Mapping[str, bytes]
    ) -> tuple[InterfaceChange, ...]:
        """What changed; nothing where there is no version before."""
        if before is None:
            return ()
        known = self._known_changes(before, after)
        if known is None:
            sides = (_side(side, _differing(before, after), data) for side in (before, after))
            known = compare(*sides, parse=self._parse).changes
            self._facts.put(_CHANGES, _pair(before, after), [_kept(change) for change in known])
        return known

    def _known_unreadable(self, tagged: TaggedVersion) -> Mapping[str, str] | None:
        known = self._facts.get(_UNREADABLE, tagged.folder.key)
        is_sound = isinstance(known, dict) and all(isinstance(text, str) for text in known.values())
        return known if is_sound else None

    def _known_changes(self, before: TaggedVersion, after: TaggedVersion) -> tuple[InterfaceChange, ...] | None:
        if before.folder.key == after.folder.key:
            return ()
        with suppress(TypeError, ValueError):
            return tuple(_change(item) for item in self._facts.get(_CHANGES, _pair(before, after)))
        return None

    def _files_of(self, tagged: TaggedVersion) -> list[tuple[str, str]]:
        """Path and blob of each operator's file."""
        return [(path, tagged.folder.blobs[path]) for path in tagged.paths.values()]

    def _refusal(self, path: str, data: bytes) -> str:
        try:
            self._parse(path, data)
        except Problems as error:
            return "\n".join(_told(problem) for problem in error.problems)
        return ""


def _pair(before: TaggedVersion, after: TaggedVersion) -> str:
    return f"{before.folder.key} {after.folder.key}"


def _differing(before: TaggedVersion, after: TaggedVersion) -> list[str]:
    return [name for name in sorted({*before.paths, *after.paths}) if before.blob(name) != after.blob(name)]


def _side(side: TaggedVersion, operators: Iterable[str], data: Mapping[str, bytes]) -> InterfaceFiles:
    paths = [side.paths[name] for name in operators if name in side.paths]
    return InterfaceFiles(str(side.version), {path: data[side.folder.blobs[path]] for path in paths}, side.version)


def _told(problem: Problem) -> str:
    where = f"{problem.path}:{problem.line}" if problem.line else problem.path
    return f"{where}: {problem.message}"


def _kept(change: InterfaceChange) -> list[Any]:
    words = (change.operator, change.kind.value, change.port, change.before, change.after, change.path)
    return [*words, change.line, change.is_demanded]


def _change(kept: list[Any]) -> InterfaceChange:
    operator, kind, port, before, after, path, line, is_demanded = kept
    if not all(isinstance(text, str) for text in (operator, port, before, after, path)):
        raise TypeError
    return InterfaceChange(operator, ChangeKind(kind), port, before, after, path, int(line), bool(is_demanded))
