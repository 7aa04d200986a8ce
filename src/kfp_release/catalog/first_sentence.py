"""The first sentence of a text, for a line of purpose."""

from __future__ import annotations

import re

_MARKS = (".", "!", "?", "…")
_END = re.compile(
    r"(?<!\be\.g)(?<!\bi\.e)(?<!\betc)(?<!\bcf)(?<!\bvs)"  # an abbreviation ends no sentence
    r"[.!?…]\s+(?=(\S))",
    re.IGNORECASE,
)


def first_sentence(text: str) -> str:
    """One line that ends in a mark; empty where there is no text.

    A sentence ends at the end of a paragraph, and where the next word does not begin with a small letter or a digit.
    """
    paragraph = " ".join(text.strip().partition("\n\n")[0].split())
    for end in _END.finditer(paragraph):
        if not (end[1].islower() or end[1].isdigit()):
            return paragraph[: end.start() + 1]
    return paragraph if not paragraph or paragraph.endswith(_MARKS) else f"{paragraph}."
