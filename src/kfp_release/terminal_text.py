"""Text for a terminal or a CI log, which must not obey what comes from outside."""

from __future__ import annotations

from kfp_release.package_files._operators.safe_text import one_line, printable

__all__ = ["annotation", "one_line", "printable"]


def annotation(message: str, *, severity: str = "error", file: str = "", line: int = 0) -> str:
    """The line that shows `message` on a GitHub Actions run, at a file's line where one is given.

    Source: GitHub Actions, "Workflow commands", and the escapes of actions/toolkit's command.ts.
    """
    place = {"file": file, "line": str(line) if line else ""}
    properties = ",".join(f"{name}={_escape(text, ':', ',')}" for name, text in place.items() if text)
    return f"::{severity} {properties}".rstrip() + f"::{_escape(message)}"


def _escape(text: str, *more: str) -> str:
    for letter in ("%", "\r", "\n", *more):
        text = text.replace(letter, f"%{ord(letter):02X}")
    return text
