"""The files of a project that are read while this process runs some of its code."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from kfp_release.package_files._operators.catalog import CHECKOUT
from kfp_release.written import WRITTEN

_NOT_SOURCES = {"site-packages", "dist-packages", "__pycache__", ".git"}


class Opened:
    """Collects the files of the project that are read. An audit hook, for modules may read files of other kinds too."""

    def __init__(self, project: Path) -> None:
        self.project = project.resolve()
        self.paths: set[str] = set()
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event != "open" or not isinstance(arguments[0], str) or not (arguments[1] or "r").startswith("r"):
            return
        if not _for_traceback():
            self.add(arguments[0])

    def add(self, name: str) -> None:
        """Count `name` where it is a file of the project that git may hold."""
        if path := self.relative(name):
            self.paths.add(path)

    def relative(self, name: str) -> str:
        """The path within the project; empty for what is elsewhere, or no file, or was installed or made."""
        path = Path(os.path.realpath(name))
        if not path.is_relative_to(self.project) or path.is_relative_to(sys.prefix) or not path.is_file():
            return ""
        parts = path.relative_to(self.project).parts
        made = any(part in _NOT_SOURCES or part.endswith((".egg-info", ".dist-info")) for part in parts)
        return "" if made else "/".join(parts)

    def sources(self) -> list[str]:
        """The paths of those that a person wrote, sorted: a package's operators are written by this tool."""
        return [path for path in sorted(self.paths) if not self._is_written(path)]

    def _is_written(self, path: str) -> bool:
        if path.endswith(CHECKOUT):
            return True
        with (self.project / path).open("rb") as file:
            return file.read(len(WRITTEN)) == WRITTEN


def _for_traceback() -> bool:
    """Whether linecache opens the file: kfp calls inspect.stack(), which reads all that is on the stack, once."""
    frame = sys._getframe(2).f_back  # noqa: SLF001 - inspect.stack() would open files
    # open() is called by tokenize, and that by linecache.
    return frame is not None and frame.f_globals.get("__name__") == "linecache"
