"""A disk that is full: clone, dist/, cache, scratch and buildah's storage are on a small one of their own.

A tmpfs is one whose errors are those of any other disk (ENOSPC), and mounting it needs root.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

from chaos.attempt import Attempt
from chaos.cycle import PATIENCE
from chaos.instant import InStep
from chaos.reference import Reference
from chaos.wires import Wires
from kfp_release.errors import MAKE_ROOM, ReleaseError
from kfp_release.sandbox.privilege import root_prefix, run_as_root

_SIZE = "64m"
_BLOCKS = (64 * 1024, 4 * 1024)
"""Bytes that are written while there is room, and then what fills the rest: a page of the tmpfs."""
_NAMES = re.compile(re.escape(MAKE_ROOM))
_BOUND = 60.0
"""Seconds until a release that cannot write has ended: it waits for nobody, but for the machine."""
_AGAIN = 0.01
"""Seconds after which what became free is filled, too."""


@dataclass(frozen=True, slots=True)
class FullDisk:
    """From this instant on nothing can be written, until the release has ended."""

    instant: InStep

    @property
    def environ(self) -> Mapping[str, str]:
        """As `chaos.cycle.Cut` has it."""
        return {}

    @property
    def names(self) -> re.Pattern[str]:
        """As `chaos.cycle.Cut` has it: the remedy of a full disk, whoever met it."""
        return _NAMES

    @property
    def bound(self) -> float:
        """As `chaos.cycle.Cut` has it."""
        return _BOUND

    @contextmanager
    def home(self, folder: Path) -> Iterator[None]:
        """`folder` is a disk of its own. Raise `ReleaseError` where none can be mounted."""
        if not _mount(folder):
            raise ReleaseError(f"no disk can be mounted at {folder}", remedy="run it as root")
        try:
            yield
        finally:
            _unmount(folder)

    def strike(self, attempt: Attempt, wires: Wires) -> float | None:
        """As `chaos.cycle.Cut` has it."""
        wires.begin()
        self.instant.wait(attempt)
        struck = time.monotonic() if attempt.running else None
        filler = attempt.folder / "filler"
        end = time.monotonic() + PATIENCE
        with filler.open("wb", buffering=0) as file:
            while attempt.running and time.monotonic() < end:
                for block in _BLOCKS:
                    with suppress(OSError):
                        while file.write(bytes(block)):
                            pass
                time.sleep(_AGAIN)
        filler.unlink()
        attempt.end(PATIENCE)
        return struck

    def __str__(self) -> str:
        return f"disk full from {self.instant} on"


def draw_disk(random: Random, reference: Reference) -> FullDisk:
    """In each step as often as in another."""
    return FullDisk(InStep.draw(random, reference))


def can_mount(folder: Path) -> bool:
    """Whether a disk of its own can be mounted here."""
    folder.mkdir()
    mounted = _mount(folder)
    if mounted:
        _unmount(folder)
    folder.rmdir()
    return mounted


def _mount(folder: Path) -> bool:
    prefix = root_prefix()
    owner = folder.stat()
    options = f"size={_SIZE},mode=700,uid={owner.st_uid},gid={owner.st_gid}"
    words = ("mount", "-t", "tmpfs", "-o", options, "tmpfs", folder)
    return prefix is not None and run_as_root(prefix, *words) is not None


def _unmount(folder: Path) -> None:
    """What is still open there keeps nobody."""
    run_as_root(root_prefix() or [], "umount", "--lazy", folder)
