"""Command lines as kfp writes them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence


def parse_options(parser: argparse.ArgumentParser, argv: Sequence[str] | None) -> argparse.Namespace:
    """As `parser.parse_args`, for options that each take one value, which may begin with a minus.

    kfp passes a Float as ``--a -1e-07`` in two words, and argparse takes the second one for an option.
    """
    words: list[str] = []
    for word in sys.argv[1:] if argv is None else argv:
        if words and words[-1].startswith("--") and "=" not in words[-1] and not word.startswith("--"):
            words[-1] += f"={word}"
        else:
            words.append(word)
    return parser.parse_args(words)
