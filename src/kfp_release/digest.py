"""Content addresses."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from kfp_release.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterable

_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)


class BadDigest(ReleaseError):
    """A text that should have been a digest is none."""


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """A content address. OCI image-spec, descriptor.md#digests; sha256 alone, as ECR has it."""

    hex: str

    def __post_init__(self) -> None:
        if not _HEX.fullmatch(self.hex):
            raise BadDigest(f"{self.hex[:80]!r} is not a sha256 in hex", remedy="it takes 64 lowercase hex digits")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raise `BadDigest` unless `text` is ``sha256:`` and 64 lowercase hex digits."""
        algorithm, _, value = text.partition(":")
        if algorithm != "sha256" or not _HEX.fullmatch(value):
            raise BadDigest(f"{text[:90]!r} is not a digest", remedy="a digest is sha256: and 64 lowercase hex digits")
        return cls(value)

    @classmethod
    def of(cls, data: bytes) -> Self:
        """The digest of `data`."""
        return cls(hashlib.sha256(data).hexdigest())

    @classmethod
    def of_chunks(cls, chunks: Iterable[bytes]) -> Self:
        """The digest of the chunks one after the other, none of them kept."""
        state = hashlib.sha256()
        for chunk in chunks:
            state.update(chunk)
        return cls(state.hexdigest())

    def __str__(self) -> str:
        return f"sha256:{self.hex}"

    @property
    def short(self) -> str:
        """Its first 12 hex digits, for tables."""
        return self.hex[:12]
