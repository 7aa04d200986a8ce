"""Lock files: every distribution of the runtime by its exact version and hashes, as pip and uv write and read them.

Sources: PEP 508; pip's requirements file format and its hash-checking mode.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from kfp_release.errors import Problem, Problems, ReleaseError
from kfp_release.requirement import BadRequirement, counts_in, environment, parse_requirement

_PYTHONS = tuple(f"3.{minor}" for minor in range(8, 20))
_HASH = re.compile(r"\s--hash[=\s](\S+)")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}", re.ASCII)
_COMMENT = re.compile(r"(?:^|\s)#.*")
_EXACT_URL = re.compile(r"git\+\S+@[0-9a-f]{40}(?:#\S*)?|\S+#(?:\S*&)?sha256=[0-9a-f]{64}(?:&\S*)?", re.ASCII)
_ELSEWHERE = re.compile(r"-[rce]|--requirement|--constraint|--editable")
_COMPILE = "compile it anew: uv pip compile --universal --generate-hashes"


@dataclass(frozen=True, slots=True)
class LockEntry:
    """One distribution of a lock. `line` counts from 1."""

    requirement: Requirement
    line: int

    @property
    def name(self) -> str:
        """In the normal form of PEP 503."""
        return canonicalize_name(self.requirement.name)

    @property
    def version(self) -> Version | None:
        """The exact version; None for one that is given by its URL."""
        specifiers = list(self.requirement.specifier)
        return Version(specifiers[0].version) if specifiers else None


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock file, complete in itself: what is in it is exact."""

    name: str
    entries: tuple[LockEntry, ...]

    @classmethod
    def parse(cls, name: str, text: str) -> Self:
        """Raise `Problems` with every entry that is not exact or has no hash, and with what points elsewhere."""
        problems: list[Problem] = []
        entries: list[LockEntry] = []
        for line, row in _rows(text):
            if _ELSEWHERE.match(row):
                problems.append(Problem(name, line, f"{row[:80]!r} points elsewhere", f"write it out; {_COMPILE}"))
            elif not row.startswith("-"):
                try:
                    entries.append(LockEntry(_entry(_HASH.sub("", row).strip(), _HASH.findall(row)), line))
                except ReleaseError as error:
                    problems.append(Problem(name, line, str(error.args[0]), error.remedy))
        if problems:
            raise Problems(problems)
        return cls(name, tuple(entries))

    def require_entries(self) -> None:
        """Raise `Problems` where it locks nothing."""
        if not self.entries:
            raise Problems([Problem(self.name, 0, "locks nothing", _COMPILE)])

    def named(self, name: str) -> list[LockEntry]:
        """The entries of one distribution, which environment markers tell apart."""
        return [entry for entry in self.entries if entry.name == canonicalize_name(name)]


def lock_problems(
    lock: Lock,
    requirements: Sequence[Requirement],
    *,
    extra: str,
    platforms: Sequence[str],
    requires_python: SpecifierSet,
) -> list[Problem]:
    """Where `lock` does not satisfy `requirements`, those of the project's `extra`, on `platforms` (``linux/amd64``).

    The runtime's Python is its base image's affair: each 3.x that `requires_python` allows is looked at, and an entry
    that counts in any of them must fit there, while a requirement must be met in one of them at least.
    """
    environments = [
        environment(platform, python)
        for platform in platforms
        for python in _PYTHONS
        if requires_python.contains(f"{python}.99", prereleases=True)
    ]
    found = (_unmet(lock, requirement, extra, environments) for requirement in requirements)
    return [problem for problem in found if problem is not None]


def _unmet(lock: Lock, requirement: Requirement, extra: str, environments: Sequence[dict[str, str]]) -> Problem | None:
    wanted_in = [place for place in environments if counts_in(requirement, place)]
    named = lock.named(requirement.name)
    counting = [entry for entry in named if any(counts_in(entry.requirement, place) for place in wanted_in)]
    if wanted_in and not counting:
        message = f"locks no {requirement.name}, and the extra `{extra}` wants {requirement}"
        return Problem(lock.name, 0, message, _COMPILE)
    for entry in counting:
        version = entry.version
        if version is not None and not requirement.specifier.contains(version, prereleases=True):
            message = f"locks {entry.name} {version}, and the extra `{extra}` wants {requirement}"
            return Problem(lock.name, entry.line, message, _COMPILE)
    return None


def _entry(text: str, hashes: Sequence[str]) -> Requirement:
    """Raise `ReleaseError` where it is not exact."""
    try:
        requirement = parse_requirement(text)
    except BadRequirement as error:
        raise ReleaseError(str(error.args[0]), remedy=_COMPILE) from error
    bad = [value for value in hashes if not _DIGEST.fullmatch(value)]
    if bad:
        raise ReleaseError(f"{text[:120]} has the hash {bad[0][:80]!r}, which is none", remedy=_COMPILE)
    if requirement.url is not None:
        if not hashes and not _EXACT_URL.fullmatch(requirement.url):
            remedy = "give its commit (git+…@<40 hex digits>) or a hash"
            raise ReleaseError(f"{text[:160]!r} is not exact", remedy=remedy)
        return requirement
    operators = [(one.operator, one.version.endswith("*")) for one in requirement.specifier]
    if operators != [("==", False)]:
        raise ReleaseError(f"{text[:120]!r} is not exact", remedy=f"a lock has name==version; {_COMPILE}")
    if not hashes:
        raise ReleaseError(f"{text[:120]} has no hash", remedy=_COMPILE)
    return requirement


def _rows(text: str) -> Iterator[tuple[int, str]]:
    """Each entry with the line where it begins; continuation lines joined, comments left out."""
    lines = iter(enumerate(text.removeprefix("\ufeff").splitlines(), 1))
    for number, line in lines:
        parts = [_COMMENT.sub("", line)]
        while parts[-1].rstrip().endswith("\\"):
            parts[-1] = parts[-1].rstrip().removesuffix("\\")
            parts.append(_COMMENT.sub("", next(lines, (0, ""))[1]))
        row = " ".join(parts).strip()
        if row:
            yield number, row
