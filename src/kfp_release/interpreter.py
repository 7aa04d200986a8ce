"""The runtime's Python, which starts the package's programs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kfp_release.errors import ReleaseError

# A script's first line: the kernel splits it at a space, and before Linux 5.1 reads 127 bytes of it (execve(2)).
_PATH = re.compile(r"(?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._+-]+)+", re.ASCII)
_LONGEST = 120
_EXAMPLE = "/opt/app/bin/python"


class BadInterpreter(ReleaseError):
    """A path that cannot start a script."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """An absolute path inside the image, ``/opt/app/bin/python``."""

    path: str

    def __post_init__(self) -> None:
        if not _PATH.fullmatch(self.path) or len(self.path) > _LONGEST:
            raise BadInterpreter(
                f"{self.path[:140]!r} cannot start a script",
                remedy=f"write the absolute path of the runtime's Python, as in {_EXAMPLE}: "
                f"{_LONGEST} plain characters at most",
            )

    def __str__(self) -> str:
        return self.path


DEFAULT_INTERPRETER = Interpreter(_EXAMPLE)
