"""What a user can meet: one base error, and the problems that a check collects."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

MAKE_ROOM: Final = (
    "make room where files are written: TMPDIR (else /tmp), the project's build/ and dist/, the cache in XDG_CACHE_HOME"
    " (else ~/.cache); and run it again"
)
"""The remedy for a full disk, which the system's own message does not name."""
FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
"""What the system says of a full disk."""


class ReleaseError(Exception):
    """Something is refused or failed. The text says what, where, the value seen, and how to go on.

    `remedy` is printed on a line of its own, after the message.
    """

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message}\n  → {self.remedy}" if self.remedy else message


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong in a source: where, what, and what to do.

    `path` is relative to the project; `line` counts from 1, and is 0 where the file as a whole is meant.
    """

    path: str
    line: int
    message: str
    remedy: str = ""
    severity: Literal["error", "warning"] = "error"
    """A warning is told, and refuses nothing."""

    def __str__(self) -> str:
        path = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in self.path)
        where = f"{path}:{self.line}" if self.line else path
        warning = "warning: " if self.severity == "warning" else ""
        return f"{where}: {warning}{self.message}" + (f"\n  → {self.remedy}" if self.remedy else "")


class Problems(ReleaseError):
    """All that is wrong in something a person wrote, at once: what refuses it first, then the warnings."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.severity, problem)))
        super().__init__("\n".join(str(problem) for problem in self.problems))
