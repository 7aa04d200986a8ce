"""The commands and snippets of a page of the docs, for tests that do what it says."""

from __future__ import annotations

import re
from pathlib import Path


def commands(page: Path, heading: str = "") -> list[str]:
    """The lines of its ``bash`` blocks, in their order; below one `heading` where it is given."""
    return [line for block in blocks(page, "bash", heading) for line in block.splitlines() if line]


def blocks(page: Path, language: str, heading: str = "") -> list[str]:
    """The fenced blocks of one language, in their order; below one `heading` of the second level where it is given."""
    text = page.read_text(encoding="utf-8")
    if heading:
        section = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
        assert section, heading
        text = section[1]
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
