"""One file of an archive, and which paths an archive may have."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from kfp_release.errors import ReleaseError

PLAIN = 0o644
EXECUTABLE = 0o755

_LONGEST = 1024
"""Bytes of a path that every system can have."""


class BadArchive(ReleaseError):
    """A wheel or an sdist that cannot be read, or should not be."""


@dataclass(frozen=True, slots=True)
class Member:
    """One regular file of an archive: its path with ``/``, its bytes, and its mode, 0644 or 0755."""

    path: str
    data: bytes
    mode: int = PLAIN

    def __post_init__(self) -> None:
        parts = self.path.split("/")
        try:
            is_long = len(self.path.encode()) > _LONGEST
        except UnicodeEncodeError as error:
            raise BadArchive(
                f"an archive's member is called {self.path[:160]!a}, which UTF-8 cannot hold",
                remedy="do not use this archive; build it anew",
            ) from error
        if is_long or {"", ".", ".."} & set(parts) or ":" in parts[0] or any(char in self.path for char in "\\\0\r\n"):
            raise BadArchive(
                f"an archive's member is called {self.path[:160]!r}, which could leave the folder it is unpacked into",
                remedy="do not use this archive; build it anew",
            )
        # Of the modes only this bit is the project's (git tracks no other); the rest is the builder's umask.
        object.__setattr__(self, "mode", EXECUTABLE if self.mode & 0o100 else PLAIN)


def by_path(members: list[Member], archive: str) -> dict[str, Member]:
    """The members by path, sorted. Raise `BadArchive` where two have one path, or one is a folder of another.

    So for systems that take capital and small letters, or two ways to write an accent, for the same.
    """
    found: dict[str, Member] = {}
    for member in members:
        first = found.setdefault(_folded(member.path), member)
        if first is not member:
            called = repr(member.path) if first.path == member.path else f"{first.path!r} and {member.path!r}, the same"
            raise BadArchive(f"{archive} has two members called {called}", remedy="build it anew")
    for folded in found:
        parent = folded.rpartition("/")[0]
        while parent:
            if parent in found:
                seen = found[parent].path
                raise BadArchive(f"{archive} has {seen!r} both as a file and as a folder", remedy="build it anew")
            parent = parent.rpartition("/")[0]
    return {member.path: member for member in sorted(found.values(), key=lambda member: member.path)}


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
