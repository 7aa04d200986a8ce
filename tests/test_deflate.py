from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Callable

import pytest

from kfp_release.deflate import MOST, gzip_deflated
from kfp_release.stored import gzip_stored


def words(size: int) -> bytes:
    """Text with repetitions near and far."""
    chance = random.Random(size)  # noqa: S311 - test data
    known = [chance.randbytes(chance.randint(1, 40)) for _ in range(60)]
    text = bytearray()
    while len(text) < size:
        text += chance.choice(known) if chance.random() < 0.9 else chance.randbytes(3)
    return bytes(text[:size])


def noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)  # noqa: S311 - test data


@pytest.mark.parametrize("made", [bytes, words, noise])
@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 257, 258, 259, 600, 32 * 1024, 33 * 1024, 100_000])
def test_any_gzip_reads_it(made: Callable[[int], bytes], size: int) -> None:
    data = made(size)
    assert gzip.decompress(gzip_deflated(data)) == data


def test_every_byte_has_a_code() -> None:
    data = bytes(range(256))
    assert gzip.decompress(gzip_deflated(data)) == data


@pytest.mark.parametrize("length", range(3, 262))
def test_every_length_has_a_code(length: int) -> None:
    data = noise(300)[:length]
    assert gzip.decompress(gzip_deflated(data + b"." + data)) == data + b"." + data


@pytest.mark.parametrize(
    "distance",
    [near for power in range(3, 16) for near in (2**power - 1, 2**power, 2**power + 1, 3 * 2 ** (power - 1))],
)
def test_every_distance_has_a_code(distance: int) -> None:
    data = noise(distance)
    stream = gzip_deflated(data + data[:100])
    assert gzip.decompress(stream) == data + data[:100]
    repeated = len(stream) - len(gzip_deflated(data))
    assert repeated < 10 if distance <= 32 * 1024 else repeated > 90


def test_it_is_about_as_small_as_zlib_makes_it() -> None:
    data = words(100_000)
    assert len(gzip_deflated(data)) < 1.3 * len(zlib.compress(data, 9))


def test_its_bytes_never_change() -> None:
    stream = gzip_deflated(b"one and one and one and two")
    assert stream.hex() == "1f8b08000000000000ffcbcf4b5548cc4b5140a74bcaf3012e2aa2121b000000"


def test_what_is_long_is_stored() -> None:
    assert gzip_deflated(bytes(MOST + 1)) == b"".join(gzip_stored([bytes(MOST + 1)]))
    assert len(gzip_deflated(bytes(MOST))) < MOST // 100
