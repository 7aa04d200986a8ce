"""Gzip of stored blocks: one byte form, whatever zlib is linked. RFC 1951 §3.2.4, RFC 1952."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator

BLOCK = 0xFFFF
"""Bytes. The most that one stored block holds; every block but the last is full, so the form is one."""

HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
"""What every stream begins with: deflate, no flags, no time, no level, unknown system."""


def gzip_stored(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The gzip stream of `chunks` one after the other, in pieces. How they are cut does not show in it."""
    crc = size = 0
    pending = bytearray()
    yield HEADER
    for chunk in chunks:
        crc = zlib.crc32(chunk, crc)
        size += len(chunk)
        pending += chunk
        start = 0
        while len(pending) - start > BLOCK:
            yield _block(pending[start : start + BLOCK], last=False)
            start += BLOCK
        del pending[:start]
    yield _block(pending, last=True)
    yield struct.pack("<LL", crc, size & 0xFFFFFFFF)


def _block(data: bytearray, *, last: bool) -> bytes:
    return struct.pack("<BHH", last, len(data), len(data) ^ 0xFFFF) + bytes(data)
