"""A child process that runs for as long as the sandbox does, and never longer."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from kfp_release.errors import ReleaseError

LOOPBACK = "127.0.0.1"
_KILLED = 5.0
"""Seconds that a killed child takes at most to be gone."""
_MAX_PORT = 65535
_TAIL = 15
"""Lines of a log that an error shows."""


class PortTaken(ReleaseError):
    """A child ended before it was ready, most likely because someone else took its port."""


class Process:
    """One child: its log in a file, its end certain.

    It is in a session of its own, so that Ctrl-C reaches it through `stop` alone, in the sandbox's order; and the
    kernel ends it when the thread that started it ends, even by SIGKILL (prctl(2), PR_SET_PDEATHSIG). So it is to be
    started from the main thread, or from one that lives as long as the child should.
    """

    def __init__(self, name: str, child: subprocess.Popen[bytes], log: Path) -> None:
        self.name = name
        self.log = log
        self._child = child

    @classmethod
    def start(
        cls, command: Sequence[str | Path], *, name: str, log: Path, environ: Mapping[str, str] | None = None
    ) -> Self:
        """Start `command`; its output goes to the file `log`, which is written anew.

        `environ` is its whole environment, this process's own where it is None. Raise `ReleaseError` where the
        program cannot be started.
        """
        words = [*_ends_with_parent(), *(str(word) for word in command)]
        try:
            with log.open("wb") as output:
                child = subprocess.Popen(  # noqa: S603 - a list of our own, no shell
                    words,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=environ,
                    start_new_session=True,
                )
        except OSError as error:
            raise ReleaseError(f"{name} cannot be started: {error}", remedy=f"is {command[0]} installed?") from error
        return cls(name, child, log)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._child.poll() is None

    def wait_until(self, ready: Callable[[], bool], *, seconds: float) -> None:
        """Ask `ready` again and again until it says so.

        Raise `ReleaseError` with the log's end when the child has ended (`PortTaken` where the log says so) or
        `seconds` are over. It is stopped then, and by every exception.
        """
        end = time.monotonic() + seconds
        try:
            while self.running and time.monotonic() < end:
                if ready() and self.running:
                    return
                time.sleep(0.05)
        except BaseException:  # Ctrl-C: nobody else knows of the child yet
            self.stop()
            raise
        state = "did not answer in time" if self.running else f"ended with exit code {self._child.returncode}"
        self.stop()
        tail = self.tail()
        kind = PortTaken if "address already in use" in tail.lower() else ReleaseError
        raise kind(f"{self.name} {state}; the end of its log:\n{tail}", remedy=f"read {self.log}")

    def tail(self) -> str:
        """The last lines of its log, without control characters."""
        try:
            text = self.log.read_bytes()[-8000:].decode(errors="replace")
        except OSError:
            return "(no log)"
        lines = [
            "".join(letter for letter in line if letter.isprintable())[:300] for line in text.splitlines()[-_TAIL:]
        ]
        return "\n".join(f"    {line}" for line in lines)

    def stop(self, *, grace: float = 15) -> None:
        """Ask it to end, give it `grace` seconds, then kill it. Does nothing where it has ended.

        Where it is another user's (sudo's), it is waited for and no more: whoever may has to end it.
        """
        for end, seconds in ((self._child.terminate, grace), (self._child.kill, _KILLED)):
            if not self.running:
                return
            with contextlib.suppress(PermissionError):
                end()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(seconds)


def free_port(preferred: int = 0) -> int:
    """A TCP port of 127.0.0.1 that was free just now: `preferred` where it is, else one that the kernel chooses."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ReleaseError("no TCP port of 127.0.0.1 is free", remedy="is the loopback interface up?")


def start_on_free_port(start: Callable[[int], Process], *, memory: Path, attempts: int = 5) -> tuple[Process, int]:
    """The process that `start(port)` gives, started and ready, and its port.

    The file `memory` keeps the port, which is taken again the next time if it is free. Again with another port when
    someone else took this one between the choice and the start.
    """
    for attempt in range(attempts):
        port = free_port(0 if attempt else _remembered(memory))
        try:
            process = start(port)
        except PortTaken:
            if attempt == attempts - 1:
                raise
        else:
            memory.write_text(str(port), encoding="ascii")
            return process, port
    raise ReleaseError("no attempt to start was made")


def _remembered(memory: Path) -> int:
    """The port in the file; 0 where it holds none."""
    try:
        port = int(memory.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0
    return port if 0 < port <= _MAX_PORT else 0


def _ends_with_parent() -> list[str]:
    # util-linux sets the signal and becomes the program: no code runs between fork and exec, as preexec_fn would have
    # it, which is unsafe beside threads.
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []
