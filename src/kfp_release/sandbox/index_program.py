"""The program that is the index: pypiserver, which remembers what is in its folder.

pypiserver reads its whole folder for each request, so that asking for all files of many versions takes the square of
their number. Its own remedy needs another library, and threads that watch the folder.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

_SETTLED = 0.1
"""Seconds. Two changes of a folder within one tick of the file system's clock leave it the same time."""

Listing = Callable[[Path], Iterable[Any]]


def remembered(listing: Listing, *, clock: Callable[[], float] = time.time) -> Listing:
    """`listing`, which is asked again only where the folder has changed since, or has only just changed.

    A folder's time changes with the names in it: files that come and go count, and not what is written into them. For a
    folder without folders in it.
    """
    known: dict[Path, tuple[int, list[Any]]] = {}

    def list_folder(root: Path) -> Iterable[Any]:
        changed = root.stat().st_mtime_ns
        seen = known.get(root)
        if seen is not None and seen[0] == changed:
            return seen[1]
        files = list(listing(root))
        if clock() - changed / 1e9 > _SETTLED:
            known[root] = changed, files
        return files

    return list_folder


def main() -> None:
    """Run it, with pypiserver's own arguments."""
    from pypiserver import __main__, backend  # noqa: PLC0415 - only the program needs it, which warns of itself

    backend.listdir = remembered(backend.listdir)
    __main__.main()


if __name__ == "__main__":
    main()
