"""One parser, and what is tried on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any


@dataclass(frozen=True, slots=True)
class Parser:
    """`make` writes a case, a sound one here and there; `run` reads it, and all that is read later on.

    `covers` names the functions of the package that parse it, ``digest.Digest.parse``.
    """

    covers: tuple[str, ...]
    make: Callable[[Random], Any]
    run: Callable[[Any], object]
