"""Text from a file, made harmless for a terminal, a CI log and Markdown, which must not obey it."""

from __future__ import annotations

import re

LONGEST_CELL = 200
"""Letters of a cell of a table."""
_COMMAND = re.compile(r"^(\s*)(::|##\[)", re.MULTILINE)


def printable(text: str) -> str:
    """`text` with line ends and without other control characters, and no line that GitHub Actions takes for a command.

    Source: GitHub Actions, "Workflow commands": ``::command::``, with white space in front too.
    """
    kept = "".join(letter if letter.isprintable() or letter == "\n" else _shown(letter) for letter in text)
    return _COMMAND.sub(r"\1| \2", kept)


def one_line(text: str, length: int | None = None) -> str:
    """`printable`, with a space for each line end and what is blank around it; at most `length` letters."""
    line = printable(" ".join(part for line in text.splitlines() if (part := line.strip())))
    return line if length is None or len(line) <= length else f"{line[:length]}…"


def markdown_text(text: str) -> str:
    """One line without what Markdown and HTML read something into."""
    escaped = one_line(text).replace("\\", "\\\\").replace("&", "&amp;")
    for letter in "`*_[]|#~!":
        escaped = escaped.replace(letter, f"\\{letter}")
    # Nor does anybody want to be mentioned, or a link to be made.
    return escaped.replace("<", "&lt;").replace("@", "&#64;").replace("://", ":&#47;/")


def markdown_code(text: str, length: int | None = LONGEST_CELL) -> str:
    """A cell of a table, as code; nothing for nothing."""
    line = one_line(text, length).replace("`", "'").replace("|", "\\|")
    return f"`{line}`" if line else ""


def _shown(letter: str) -> str:
    return " " if letter in "\t\r" else "\N{REPLACEMENT CHARACTER}"
