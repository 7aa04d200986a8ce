"""A folder that appears whole or not at all; what a killed program left of an earlier try goes."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kfp_release.git import ignore_all

_PARTS = {".gitignore", "new", "old"}
"""All that there is in a folder of ours."""


@contextmanager
def arriving(target: Path) -> Iterator[Path]:
    """An empty folder beside `target` that takes its place when the block has ended well."""
    prefix = f".{target.name}-arriving-"
    with _locked(target.parent, wait=True):  # nobody takes a new one away before it is locked itself
        _remove_dead(target.parent, prefix)
        scratch = tempfile.TemporaryDirectory(prefix=prefix, dir=target.parent)
        lock = _lock(Path(scratch.name), wait=False)
    try:
        new, old = Path(scratch.name, "new"), Path(scratch.name, "old")
        ignore_all(Path(scratch.name))  # a killed one leaves it
        new.mkdir()
        ignore_all(new)
        yield new
        if target.exists():
            target.rename(old)
        new.rename(target)
    finally:
        scratch.cleanup()
        _unlock(lock)


def _remove_dead(parent: Path, prefix: str) -> None:
    """Remove the folders that no process holds any longer; the kernel unlocks what a killed one held. flock(2)."""
    with suppress(OSError):  # what cannot be removed stays
        for folder in [path for path in parent.iterdir() if path.name.startswith(prefix)]:
            with _locked(folder, wait=False) as mine:
                if mine and not {path.name for path in folder.iterdir()} - _PARTS:
                    shutil.rmtree(folder)


@contextmanager
def _locked(folder: Path, *, wait: bool) -> Iterator[bool]:
    """Whether it is held in the block; it is not where another process has it, or the file system has no locks."""
    lock = _lock(folder, wait=wait)
    try:
        yield lock is not None
    finally:
        _unlock(lock)


def _lock(folder: Path, *, wait: bool) -> int | None:
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _unlock(lock: int | None) -> None:
    if lock is not None:
        os.close(lock)
