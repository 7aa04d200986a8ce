"""Text for a terminal or a CI log, which must not obey what comes from outside."""

from __future__ import annotations

import re

_COMMAND = re.compile(r"^(\s*)(::|##\[)", re.MULTILINE)


def printable(text: str) -> str:
    """`text` with line ends and without other control characters, and no line that GitHub Actions takes for a command.

    Source: GitHub Actions, "Workflow commands": ``::command::``, with white space in front too.
    """
    kept = "".join(letter if letter.isprintable() or letter == "\n" else _shown(letter) for letter in text)
    return _COMMAND.sub(r"\1| \2", kept)


def one_line(text: str, length: int | None = None) -> str:
    """`printable`, with a space for each line end and what is blank around it; at most `length` characters."""
    line = printable(" ".join(part for line in text.splitlines() if (part := line.strip())))
    return line if length is None or len(line) <= length else line[:length] + "…"


def annotation(message: str, *, severity: str = "error", file: str = "", line: int = 0) -> str:
    """The line that shows `message` on a GitHub Actions run, at a file's line where one is given.

    Source: GitHub Actions, "Workflow commands", and the escapes of actions/toolkit's command.ts.
    """
    place = {"file": file, "line": str(line) if line else ""}
    properties = ",".join(f"{name}={_escape(text, ':', ',')}" for name, text in place.items() if text)
    return f"::{severity} {properties}".rstrip() + f"::{_escape(message)}"


def _shown(letter: str) -> str:
    return " " if letter in "\t\r" else "\N{REPLACEMENT CHARACTER}"


def _escape(text: str, *more: str) -> str:
    for letter in ("%", "\r", "\n", *more):
        text = text.replace(letter, f"%{ord(letter):02X}")
    return text
