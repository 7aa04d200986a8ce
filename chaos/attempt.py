"""One run of kfp-release: the steps that it tells of, and its end, which may be a sudden one."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Final

from processes import Running, alive, descendants, inside, marked, process, still_running

from chaos.child import Child

BEFORE: Final = "start"
"""What precedes the first step: the interpreter and its imports."""
_STEPS: Final = {
    "look at git": "look at git",
    "check the sources": "check",
    "look at ECR and the index": "look at ECR and index",
    "runtime of ": "runtime look-up",
    "build runtime-": "runtime build",
    "push runtime-": "runtime push",
    "plan ": "plan",
    "build the wheels": "package build",
    "pin the images": "pin",
    "push ": "layer push",
    "commit ": "PutImage",
    "verify ": "verify",
}
"""Names of steps by how the tool's lines begin; the first that fits."""
_LINE = re.compile(r"\[ *[0-9.]+ s\] (.*)")
_OF_OURS = re.compile("^(Traceback|internal error)", re.MULTILINE)
"""What is no clear error; a traceback that a build backend printed is shown within one, and indented."""


class Attempt:
    """One child, which has just been started and works in `folder`, which its programs' environment names too."""

    def __init__(self, child: Child, *, folder: Path) -> None:
        self.folder = folder
        self.code: int | None = None
        """Its exit code, once `end` has waited for it."""
        self._child = child
        self._root = process(child.pid)
        self._heard = threading.Condition()
        self._lines: list[str] = []
        self._steps: list[tuple[str, float]] = [(BEFORE, time.monotonic())]
        self._silent = self._sent = False
        self.ended = 0.0
        """When it ended, as `time.monotonic` has it, once `end` has waited for it."""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_for(self, step: str, seconds: float) -> bool:
        """Whether it comes to this step, or is there, within some time."""
        with self._heard:
            self._heard.wait_for(lambda: self._silent or any(step == name for name, _ in self._steps), seconds)
            return any(step == name for name, _ in self._steps)

    def kill(self) -> None:
        """Kill it, and then all that it started, as a machine dies.

        It goes first, so that it cannot be told that one of its programs was killed, and end by that.
        """
        self._sent = True
        tree = self._tree()
        send_kill(self._root)
        kill_all(lambda: self._root | tree | at_work(self.folder))

    def end(self, seconds: float) -> int:
        """Its exit code, when all of its lines are read. It is killed after `seconds`: `TimeoutError`."""
        try:
            code = self._child.wait(seconds)
            self.ended = time.monotonic()
        except TimeoutError:
            self.kill()
            raise
        self._reader.join()
        self.code = code
        return code

    def unclear(self, lost: re.Pattern[str]) -> Iterator[str]:
        """Where it ended by itself: what the user was not told, or still runs; a line each. `lost` is to be named."""
        if self.killed or self.code == 0:
            return
        if self.code != 1 or _OF_OURS.search(self.said) or not self.error:
            yield f"it ended with exit code {self.code} and no clear error: {self.said[-2000:]}"
        elif not lost.search(self.error):
            yield f"the error does not name what was lost: {self.error}"
        if left := still_running(at_work(self.folder)):
            yield f"it ended and left running {left}"

    @property
    def killed(self) -> bool:
        """Whether `kill` is what it ended by, and not by itself."""
        return self._sent and self.code == -signal.SIGKILL

    @property
    def error(self) -> str:
        """The one error that it told with its remedy; empty where there is none, or more."""
        return error_in(self.said)

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return bool(alive(self._root))

    @property
    def said(self) -> str:
        """All of stderr until now."""
        with self._heard:
            return "".join(self._lines)

    @property
    def steps(self) -> list[tuple[str, float]]:
        """The steps until now, each with the second since the first at which it was told of."""
        with self._heard:
            began = self._steps[0][1]
            return [(name, at - began) for name, at in self._steps]

    @property
    def took(self) -> float:
        """Seconds from the first step to the end, where that is known."""
        return self.ended - self._steps[0][1]

    def _tree(self) -> set[Running]:
        return self._root | descendants(self._child.pid) if alive(self._root) else set()

    def _read(self) -> None:
        with self._child.stderr as lines:
            for line in lines:
                self._hear(line)
        with self._heard:
            self._silent = True
            self._heard.notify_all()

    def _hear(self, line: str) -> None:
        with self._heard:
            self._lines.append(line)
            if found := _LINE.match(line):
                self._steps.append((_step(found[1], [name for name, _ in self._steps]), time.monotonic()))
            self._heard.notify_all()


def error_in(said: str) -> str:
    """The one error in what was said on stderr, with its remedy; empty where there is none, or more."""
    _, *errors = re.split("^error: ", said, flags=re.MULTILINE)
    return errors[0].strip() if len(errors) == 1 else ""


def at_work(folder: Path) -> set[Running]:
    """What runs in `folder`, or was started with its path in the environment: what has lost its parent, too."""
    return inside(folder) | marked(str(folder))


def kill_all(find: Callable[[], AbstractSet[Running]]) -> None:
    """Kill what is found until nothing is: what one starts while the others die is found the next time."""
    while alive(found := find()):
        send_kill(found)


def send_kill(processes: AbstractSet[Running]) -> None:
    """SIGKILL to those that have not ended."""
    for one in processes:
        with contextlib.suppress(ProcessLookupError):
            if alive({one}):
                os.kill(one.pid, signal.SIGKILL)


def _step(text: str, before: Sequence[str]) -> str:
    """The name of a step; ECR and the index are looked at once more to publish."""
    if text.startswith("upload "):
        return "wheel upload" if text.endswith(".whl") else "sdist upload"
    name = next((name for beginning, name in _STEPS.items() if text.startswith(beginning)), text)
    return "look before publishing" if name in before and name.startswith("look at ECR") else name
