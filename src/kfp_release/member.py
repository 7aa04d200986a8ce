"""One file of an archive, and which paths an archive may have."""

from __future__ import annotations

from dataclasses import dataclass

from kfp_release.errors import ReleaseError

PLAIN = 0o644
EXECUTABLE = 0o755


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
        if {"", ".", ".."} & set(parts) or ":" in parts[0] or any(char in self.path for char in "\\\0\r\n"):
            raise BadArchive(
                f"an archive's member is called {self.path[:160]!r}, which could leave the folder it is unpacked into",
                remedy="do not use this archive; build it anew",
            )
        # Of the modes only this bit is the project's (git tracks no other); the rest is the builder's umask.
        object.__setattr__(self, "mode", EXECUTABLE if self.mode & 0o100 else PLAIN)


def by_path(members: list[Member], archive: str) -> dict[str, Member]:
    """The members by path, sorted. Raise `BadArchive` where two have one path, or one is a folder of another."""
    found: dict[str, Member] = {}
    for member in members:
        if member.path in found:
            raise BadArchive(f"{archive} has two members called {member.path!r}", remedy="build it anew")
        found[member.path] = member
    for path in found:
        parent = path.rpartition("/")[0]
        while parent:
            if parent in found:
                raise BadArchive(f"{archive} has {parent!r} both as a file and as a folder", remedy="build it anew")
            parent = parent.rpartition("/")[0]
    return dict(sorted(found.items()))
