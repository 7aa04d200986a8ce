"""Headers of tar archives, where those that extend others are short: ``tarfile`` holds and searches each as a whole."""

from __future__ import annotations

import tarfile
from typing import Final, Self

from kfp_release.member import BadArchive

EXTENDING: Final = frozenset(
    {
        *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
        *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
    }
)


def bounded_headers(archive: str, *, longest: int, most: int) -> type[tarfile.TarInfo]:
    """For ``tarfile.open(tarinfo=…)``: `longest` bytes of one extending header, and `most` of all together.

    It raises `BadArchive` for more; `archive` is for its message.
    """
    left = most

    class Header(tarfile.TarInfo):
        @classmethod
        def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
            nonlocal left
            info = super().frombuf(buf, encoding, errors)
            if info.type in EXTENDING:
                left -= info.size
                if not 0 <= info.size <= longest or left < 0:
                    raise BadArchive(
                        f"{archive} has a header of {str(info.size)[:40]} bytes", remedy="build or download it anew"
                    )
            return info

    return Header
