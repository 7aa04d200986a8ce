"""How much an archive may be once it is unpacked: what takes a machine's memory is refused before it is inflated."""

from __future__ import annotations

from kfp_release.member import BadArchive

MOST = 256 * 1024 * 1024
"""Bytes that an archive may be unpacked, however large it is."""
SMALL = 32 * 1024 * 1024
"""Bytes that any archive may be."""
RATIO = 100
"""What compresses better is no source text, and no compiled module either."""
MOST_MEMBERS = 20_000


def allowed(packed: int) -> int:
    """How many bytes an archive of `packed` bytes may be when it is unpacked."""
    return min(MOST, max(SMALL, RATIO * packed))


def require_allowed(archive: str, *, packed: int, unpacked: int) -> None:
    """Raise `BadArchive` where `archive`, of `packed` bytes, is `unpacked` bytes or more once it is inflated."""
    if unpacked > allowed(packed):
        most = allowed(packed)
        raise BadArchive(
            f"{archive} has {packed:,} bytes and would be {unpacked:,} or more unpacked, of {most:,} at most",
            remedy="do not use this archive; build it anew, without large files",
        )


def require_few(archive: str, members: int) -> None:
    """Raise `BadArchive` where `archive` has too many members."""
    if members > MOST_MEMBERS:
        raise BadArchive(
            f"{archive} has {members:,} members, and {MOST_MEMBERS:,} are the most", remedy="do not use this archive"
        )
