"""Gzip of what is small, compressed to one byte form: that of zlib differs from one zlib to the next.

Repetitions are looked for in one way, and written with the fixed codes of RFC 1951 (§3.2.5, §3.2.6).
"""

from __future__ import annotations

import struct
import zlib
from bisect import bisect
from collections.abc import Iterator
from typing import Final

from kfp_release.stored import HEADER, gzip_stored

MOST: Final = 256 * 1024
"""Bytes that are compressed, in a fraction of a second and some 50 MB of memory. What is longer is stored."""

_WINDOW: Final = 32 * 1024
_SHORTEST: Final = 4
"""Bytes of a repetition. Three are allowed, and gain next to nothing."""
_LONGEST: Final = 258
_TRIES: Final = 8
"""Earlier places that are compared. With eight times as many, a package is 2 % smaller in twice the time."""
_ENOUGH: Final = 4096
"""Bits that are collected before they become bytes."""


def gzip_deflated(data: bytes) -> bytes:
    """The gzip stream of `data`; the same for the same data, whatever Python and zlib run here."""
    if len(data) > MOST:
        return b"".join(gzip_stored([data]))
    return HEADER + _deflate(data) + struct.pack("<LL", zlib.crc32(data), len(data))


def _deflate(data: bytes) -> bytes:
    """One block, the last, of fixed codes."""
    out, bits, count = bytearray(), 0b011, 3
    for code, length in _codes(data):
        bits |= code << count
        count += length
        if count > _ENOUGH:
            whole = count // 8
            out += (bits & ((1 << 8 * whole) - 1)).to_bytes(whole, "little")
            bits >>= 8 * whole
            count -= 8 * whole
    return bytes(out + bits.to_bytes((count + 7) // 8, "little"))


def _codes(data: bytes) -> Iterator[tuple[int, int]]:
    """Each code, the first bit to write lowest, and how many bits it has."""
    newest: dict[bytes, int] = {}
    earlier = [0] * len(data)  # place by place, where the same bytes came before
    at = 0
    while at < len(data):
        length, source = _repetition(data, at, newest, earlier)
        if length:
            distance = at - source
            first, code, bits = _DISTANCES[bisect(_FIRST_DISTANCES, distance) - 1]
            yield _LENGTHS[length]
            yield code | (distance - first) << 5, 5 + bits
        else:
            length = 1
            yield _LITERALS[data[at]]
        for place in range(at, at + length):
            key = data[place : place + _SHORTEST]
            earlier[place] = newest.get(key, -1)
            newest[key] = place
        at += length
    yield _symbol(256)


def _repetition(data: bytes, at: int, newest: dict[bytes, int], earlier: list[int]) -> tuple[int, int]:
    """How long what follows is what was before, and where that was; of the longest the nearest. 0 where it was not."""
    best = found = 0
    longest = min(_LONGEST, len(data) - at)
    if longest < _SHORTEST:
        return 0, 0
    place = newest.get(data[at : at + _SHORTEST], -1)
    for _ in range(_TRIES):
        if place < max(at - _WINDOW, 0) or best == longest:
            break
        if data[place + best] == data[at + best]:
            length = _SHORTEST
            while length < longest and data[place + length] == data[at + length]:
                length += 1
            if length > best:
                best, found = length, place
        place = earlier[place]
    return best, found


def _reversed(code: int, length: int) -> int:
    """Codes are written from their highest bit on, everything else from its lowest."""
    return int(f"{code:0{length}b}"[::-1], 2)


def _symbol(symbol: int) -> tuple[int, int]:
    """RFC 1951 §3.2.6: the fixed code of a literal or length, and its bits."""
    starts = ((0, 0x30, 8), (144, 0x190, 9), (256, 0, 7), (280, 0xC0, 8))
    first, code, bits = next(start for start in reversed(starts) if symbol >= start[0])
    return _reversed(code + symbol - first, bits), bits


def _lengths() -> dict[int, tuple[int, int]]:
    """RFC 1951 §3.2.5: by length, its code with the bits that follow it."""
    codes, length = {}, 3
    for symbol in range(257, 285):
        code, bits = _symbol(symbol)
        extra = max((symbol - 261) // 4, 0)
        for value in range(1 << extra):
            codes[length + value] = code | value << bits, bits + extra
        length += 1 << extra
    return {**codes, _LONGEST: _symbol(285)}


def _distances() -> list[tuple[int, int, int]]:
    """RFC 1951 §3.2.5: the first distance of each code, the code, and how many bits follow it."""
    rows, distance = [], 1
    for symbol in range(30):
        extra = max(symbol // 2 - 1, 0)
        rows.append((distance, _reversed(symbol, 5), extra))
        distance += 1 << extra
    return rows


_LITERALS: Final = [_symbol(byte) for byte in range(256)]
_LENGTHS: Final = _lengths()
_DISTANCES: Final = _distances()
_FIRST_DISTANCES: Final = [first for first, _, _ in _DISTANCES]
