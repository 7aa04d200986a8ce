"""A process that runs kfp-release, forked from one that has imported it already.

The imports take as long as the rest of a small release; a forked one skips them, and is the same program afterwards.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import IO, Final, Protocol

from kfp_release.__main__ import main

_IMPORTED: Final = [
    *("boto3", "botocore.session", "requests", "pypi_simple", "twine.commands.check", "rich.console", "build.env"),
    *("kfp_release.commands.release", "kfp_release.commands.runtime", "kfp_release.kept_builds", "kfp_release.index"),
    *("kfp_release.ecr", "kfp_release.twine_upload", "kfp_release.progress_lines"),
]
_CONTEXT: Final = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(_IMPORTED)


class Child(Protocol):
    """In a session of its own, with stdin and stdout nowhere."""

    pid: int
    stderr: IO[str]

    def wait(self, seconds: float) -> int:
        """Its exit code, below 0 for a signal. Raise `TimeoutError` where it has not ended by then. For one thread."""


class Forked:
    """A `Child` that begins with everything imported."""

    def __init__(self, arguments: Sequence[str], *, folder: Path, environ: Mapping[str, str]) -> None:
        reader, writer = _CONTEXT.Pipe(duplex=False)
        self._process: ForkServerProcess = _CONTEXT.Process(
            target=_run, args=(list(arguments), str(folder), dict(environ), writer)
        )
        self._process.start()
        writer.close()
        self.pid = self._process.pid or 0
        self.stderr: IO[str] = os.fdopen(os.dup(reader.fileno()), errors="replace")
        reader.close()

    def wait(self, seconds: float) -> int:
        """As `Child` has it."""
        self._process.join(seconds)
        if self._process.exitcode is None:
            raise TimeoutError
        return self._process.exitcode


def _run(arguments: list[str], folder: str, environ: dict[str, str], stderr: Connection) -> None:
    """In the forked process: become what a shell would have started."""
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    tempfile.tempdir = None
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number, file in enumerate((nowhere, nowhere, stderr.fileno())):
        os.dup2(file, number)
    stderr.close()
    sys.exit(main(arguments))
