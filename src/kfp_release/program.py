"""Programs of the system that run to their end, with their last lines at hand where that end is a bad one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from kfp_release.errors import ReleaseError
from kfp_release.signals import signals_wait
from kfp_release.stopping import ended_with

_TAIL: Final = 25
"""Lines of output that an error shows."""
_LINE: Final = 400
"""Letters of one line that are shown."""
_GRACE: Final = 10
"""Seconds that an interrupted program has to clean up after itself."""


class ProgramFailed(ReleaseError):
    """A program ended with an error. `tail` is the end of what it said."""

    def __init__(self, message: str, *, tail: str, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.tail = tail


def find_program(name: str, *, remedy: str) -> str:
    """The program's path. Raise `ReleaseError` where it is not installed."""
    path = shutil.which(name)
    if path is None:
        raise ReleaseError(f"{name} is not installed, or not on PATH", remedy=remedy)
    return path


def run_program(
    command: Sequence[str | Path],
    *,
    what: str,
    folder: Path,
    on_line: Callable[[str], None],
    environ: Mapping[str, str] | None = None,
) -> None:
    """Run `command` in `folder`, and give each line of its output and errors to `on_line`.

    It is a session of its own, so that Ctrl-C reaches it through here alone: when this is left by an exception it is
    stopped, with all that it started; likewise where its thread is told to stop. Raise `ProgramFailed`, whose message
    begins with `what`, where it fails.
    """
    try:
        child = _start([str(word) for word in command], folder, environ)
    except OSError as error:
        raise ReleaseError(f"{what}: {command[0]} cannot be started: {error.strerror}") from error
    last: deque[str] = deque(maxlen=_TAIL)
    with child:
        try:
            with ended_with(partial(_stop_meanwhile, child)):
                for line in child.stdout or ():
                    text = "".join(letter for letter in line.rstrip() if letter.isprintable())[:_LINE]
                    if text:
                        last.append(text)
                        on_line(text)
                code = child.wait()
        except BaseException:
            with signals_wait():
                _stop(child)
            raise
    if code:
        tail = "\n".join(f"    {line}" for line in last)
        raise ProgramFailed(
            f"{what}: {Path(command[0]).name} ended with exit code {code}; its last lines:\n{tail}", tail=tail
        )


def _start(command: Sequence[str], folder: Path, environ: Mapping[str, str] | None) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - a list of our own, no shell
        command,
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )


def _stop_meanwhile(child: subprocess.Popen[str]) -> None:
    """Stop it, without waiting for that here: its end is what the reader of its output waits for."""
    threading.Thread(target=_stop, args=(child,), name="stop", daemon=True).start()


def _stop(child: subprocess.Popen[str]) -> None:
    """Ask the whole session to end; kill it where it does not."""
    if child.returncode is not None:  # it has ended by itself, and its number may be another's
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, number)
            child.wait(_GRACE)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
