"""A program that is measured: run to its end, with its wall and CPU time."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kfp_release.errors import ReleaseError
from kfp_release.signals import signals_wait

LIMIT = 900
"""Seconds that one of them may take."""
_GRACE = 30
"""Seconds that one that is stopped has to clean up."""
_TAIL = 2500


class BenchError(ReleaseError):
    """Something could not be measured."""


@dataclass(frozen=True, slots=True)
class Ran:
    """One run. `cpu` is that of all processes that it waited for, user and system."""

    seconds: float
    cpu: float
    stdout: str
    code: int
    errors: str = ""
    """Its stderr, where that was written to a log."""


def run_child(
    command: Sequence[str | Path], *, environ: Mapping[str, str], folder: Path, log: Path | None = None, ends: int = 0
) -> Ran:
    """Run `command` in `folder`; its stderr is written to `log`, or lost.

    Raise `BenchError` where it does not end with the exit code `ends`; a negative one allows any. When this is left by
    an exception it is stopped, with all that it started.
    """
    sink = log or Path(os.devnull)
    with sink.open("ab") as errors:
        start = errors.tell()
        before, began = _cpu(), time.perf_counter()
        child = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        with child:
            stdout = _output(child, str(command[0]))
        seconds, cpu = time.perf_counter() - began, _cpu() - before
    told = sink.read_bytes()[start:].decode(errors="replace")
    if ends not in {child.returncode, -1}:
        words = " ".join(map(str, command))
        raise BenchError(f"{words} ended with {child.returncode}, not {ends}:\n{stdout[-_TAIL:]}{told[-_TAIL:]}")
    return Ran(seconds, cpu, stdout, child.returncode, told)


def _output(child: subprocess.Popen[str], name: str) -> str:
    try:
        return child.communicate(timeout=LIMIT)[0]
    except subprocess.TimeoutExpired as error:
        _stop(child)
        raise BenchError(f"{name} took more than {LIMIT} s") from error
    except BaseException:
        _stop(child)
        raise


def _stop(child: subprocess.Popen[str]) -> None:
    """Ask its whole session to end; kill it where it does not."""
    with signals_wait():
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(child.pid, number)
                child.wait(_GRACE)
            except ProcessLookupError:
                return
            except subprocess.TimeoutExpired:
                continue


def _cpu() -> float:
    """Seconds of all children that have ended. One is measured at a time, so a difference is that one's."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
