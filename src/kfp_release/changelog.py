"""The changelog, in the form of Keep a Changelog 1.1: ``## [1.2] - 2026-11-22``, withdrawn with ``[YANKED]``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Self

from kfp_release.errors import Problem, Problems
from kfp_release.version import BadVersion, ReleaseVersion

CHANGELOG = "CHANGELOG.md"

_LINE_END = re.compile(r"\r\n|\r|\n")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r"##[ \t]+(\S.*?)[ \t]*#*[ \t]*")
_VERSION = re.compile(r"\[?(?P<version>[^\[\]\s]+)\]?(?:\s+-\s+(?P<date>[^\[\]\s]+))?(?:\s+(?P<yanked>\[YANKED\]))?")
_REFERENCE = re.compile(r""" {0,3}(?P<label>\[[^\]]+\]):\s*\S+(?:\s+(?:"[^"]*"|'[^']*'|\([^()]*\)))?\s*""")
_FORM = "write ## [1.2] - 2026-11-22, or ## [Unreleased]"


@dataclass(frozen=True, slots=True)
class Section:
    """What the changelog says of one version."""

    version: ReleaseVersion
    line: int
    """Where its heading stands, from 1."""
    released: date | None
    """The heading's date, if it has one."""
    yanked: bool
    """Whether the version is withdrawn."""
    body: str
    """The Markdown below the heading, without blank lines around it; empty where there is none."""


@dataclass(frozen=True, slots=True)
class Changelog:
    """The sections of a changelog, in the order in which they stand; ``[Unreleased]`` is none."""

    sections: tuple[Section, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raise `Problems` with every heading that cannot be read, and every version that has two."""
        problems: list[Problem] = []
        sections: dict[ReleaseVersion, Section] = {}
        for line, heading, body in _parts(text):
            if heading.strip("[]").lower() == "unreleased":
                continue
            section = _section(line, heading, body, problems)
            if section is None:
                continue
            first = sections.setdefault(section.version, section)
            if first is not section:
                problems.append(
                    Problem(CHANGELOG, line, f"{section.version} has a section in line {first.line} too", "join them")
                )
        if problems:
            raise Problems(problems)
        return cls(tuple(sections.values()))

    def section(self, version: ReleaseVersion) -> Section | None:
        """The section of `version`; None where it has none."""
        return next((section for section in self.sections if section.version == version), None)


def yanked_versions(text: str) -> frozenset[ReleaseVersion]:
    """The versions that the changelog `text` withdraws; headings that cannot be read are passed over."""
    sections = (_section(line, heading, [], []) for line, heading, _ in _parts(text))
    return frozenset(section.version for section in sections if section is not None and section.yanked)


def section_bodies(text: str) -> dict[ReleaseVersion, str]:
    """The Markdown below each version's heading of the changelog `text`, the first where it has two.

    Before it stand the targets of its links by reference, wherever the file has them. Headings that cannot be read are
    passed over.
    """
    parts = list(_parts(text))
    targets: dict[str, str] = {}
    for _, _, body in parts:
        for line in body[len(_kept(body)) :]:
            if found := _REFERENCE.fullmatch(line):
                targets.setdefault(found["label"].lower(), line.strip())
    bodies: dict[ReleaseVersion, str] = {}
    for number, heading, body in parts:
        section = _section(number, heading, body, [])
        if section is not None:
            bodies.setdefault(section.version, _with_targets(section.body, targets))
    return bodies


def _with_targets(body: str, targets: Mapping[str, str]) -> str:
    text = body.lower()
    used = "\n".join(line for label, line in targets.items() if label in text)
    return f"{used}\n\n{body}" if used else body


def _section(line: int, heading: str, body: list[str], problems: list[Problem]) -> Section | None:
    found = _VERSION.fullmatch(heading)
    if found is None:
        problems.append(Problem(CHANGELOG, line, f"the heading {heading[:80]!r} names no version", _FORM))
        return None
    try:
        version = ReleaseVersion.parse(found["version"])
        released = date.fromisoformat(found["date"]) if found["date"] else None
    except BadVersion as error:
        problems.append(Problem(CHANGELOG, line, f"heading {heading[:80]!r}: {error.args[0]}", error.remedy or _FORM))
        return None
    except ValueError:
        problems.append(Problem(CHANGELOG, line, f"{found['date'][:40]!r} is not a date", "write it as 2026-11-22"))
        return None
    return Section(version, line, released, bool(found["yanked"]), _body(body))


def _parts(text: str) -> Iterator[tuple[int, str, list[str]]]:
    """Each heading of the second level with its line and the lines below it; what is in code blocks is no heading."""
    fence = ""
    part: tuple[int, str, list[str]] | None = None
    for number, line in enumerate(_LINE_END.split(text), 1):
        mark = _FENCE.match(line)
        if mark and not fence:
            fence = mark[1]
        elif mark and line.strip().startswith(fence) and set(line.strip()) == {fence[0]}:
            fence = ""
        found = None if fence else _HEADING.fullmatch(line)
        if found:
            if part is not None:
                yield part
            part = (number, found[1], [])
        elif part is not None:
            part[2].append(line)
    if part is not None:
        yield part


def _body(lines: list[str]) -> str:
    return "\n".join(_kept(lines)).strip("\n")


def _kept(lines: list[str]) -> list[str]:
    """The lines as they are, without what stands at the end of the file for all headings: their links' targets."""
    while lines and (not lines[-1].strip() or _REFERENCE.fullmatch(lines[-1])):
        lines = lines[:-1]
    return lines
