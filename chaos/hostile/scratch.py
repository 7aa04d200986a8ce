"""Folders for files that are written and read thousands of times: in memory, where the machine has such a place."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new folder, gone at the end."""
    place = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="kfp-release-", dir=place) as folder:
        yield Path(folder)
