"""Content addresses."""

from __future__ import annotations

import contextlib
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfp_release.digest import BadDigest, Digest
from kfp_release.errors import ReleaseError

A = "a" * 64


def test_a_digest_is_written_as_it_is_read() -> None:
    assert str(Digest.parse(f"sha256:{A}")) == f"sha256:{A}"
    assert Digest.parse(f"sha256:{A}").short == "a" * 12


@pytest.mark.parametrize(
    "text",
    [
        "",
        A,
        f"sha512:{A}",
        f"sha256:{A[:-1]}",
        f"sha256:{A}a",
        f"sha256:{A.upper()}",
        f"sha256:{A}\n",
        f" sha256:{A}",
        f"sha256:{'g' * 64}",
        f"sha256:{'٣' * 64}",
    ],
)
def test_what_is_no_digest_is_refused_with_what_one_looks_like(text: str) -> None:
    with pytest.raises(BadDigest, match="sha256: and 64 lowercase hex digits"):
        Digest.parse(text)


def test_a_digest_cannot_be_made_of_anything_else() -> None:
    with pytest.raises(BadDigest, match="'nonsense' is not a sha256 in hex"):
        Digest("nonsense")


@given(st.text())
def test_any_text_is_a_digest_or_a_release_error(text: str) -> None:
    for candidate in (text, f"sha256:{text}"):
        with contextlib.suppress(ReleaseError):
            assert str(Digest.parse(candidate)) == candidate


@given(st.lists(st.binary()))
def test_the_digest_of_chunks_is_that_of_the_whole(chunks: list[bytes]) -> None:
    whole = b"".join(chunks)
    assert Digest.of_chunks(chunks) == Digest.of(whole) == Digest(hashlib.sha256(whole).hexdigest())
