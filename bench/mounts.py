"""Mounts that a program left because it was stopped: buildah's storage is one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kfp_release.sandbox.privilege import root_prefix, run_as_root


@contextmanager
def unmounted(folder: Path) -> Iterator[None]:
    """Nothing is mounted below `folder` after the block, so that it can be removed."""
    try:
        yield
    finally:
        unmount_below(folder)


def unmount_below(folder: Path) -> None:
    """Unmount what is below `folder`, the deepest first; without root's rights there is nothing."""
    points = mounts_below(folder, Path("/proc/self/mounts").read_text(encoding="utf-8"))
    prefix = root_prefix() if points else None
    for point in points if prefix is not None else ():
        run_as_root(prefix or (), "umount", point)


def mounts_below(folder: Path, mounts: str) -> list[Path]:
    """The places below `folder` in the table `mounts`, the deepest first. Source: proc(5), fstab(5)."""
    points = [Path(line.split(" ")[1]) for line in mounts.splitlines()]
    return sorted((point for point in points if point.is_relative_to(folder)), reverse=True)
