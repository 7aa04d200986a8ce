from __future__ import annotations

import gzip
import random
import struct

import pytest

from kfp_release.stored import BLOCK, gzip_stored


def noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)  # noqa: S311 - test data


@pytest.mark.parametrize("size", [0, 1, 100, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 3 * BLOCK + 7])
def test_any_gzip_reads_it(size: int) -> None:
    data = noise(size)
    assert gzip.decompress(b"".join(gzip_stored([data]))) == data


@pytest.mark.parametrize("size", [0, 1, BLOCK, BLOCK + 1, 2 * BLOCK])
@pytest.mark.parametrize("cut", [1000, BLOCK, BLOCK + 1])
def test_how_the_data_is_cut_does_not_show(size: int, cut: int) -> None:
    data = noise(size)
    pieces = [data[start : start + cut] for start in range(0, size, cut)]
    assert b"".join(gzip_stored(pieces)) == b"".join(gzip_stored([data, b""]))


def test_its_form_is_ten_bytes_five_a_block_and_eight() -> None:
    data = noise(2 * BLOCK)
    stream = b"".join(gzip_stored([data]))
    assert len(stream) == 10 + 5 * 2 + len(data) + 8
    assert stream[:10] == bytes.fromhex("1f8b08000000000000ff")
    assert stream[10:15] == b"\x00\xff\xff\x00\x00"
    assert stream[10 + 5 + BLOCK] == 1
    assert struct.unpack("<L", stream[-4:]) == (len(data),)


def test_its_bytes_never_change() -> None:
    stream = b"".join(gzip_stored([b"one", b" and two"]))
    assert stream.hex() == "1f8b08000000000000ff010b00f4ff6f6e6520616e642074776fd04533b50b000000"


def test_large_data_streams_in_small_pieces() -> None:
    chunks = (bytes(1 << 20) for _ in range(20))
    assert max(len(piece) for piece in gzip_stored(chunks)) == BLOCK + 5
