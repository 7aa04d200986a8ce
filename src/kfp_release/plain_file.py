"""Files that are read whole: plain ones, of a size that memory bears, inside of the folder where they belong."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

MOST = 16 * 1024 * 1024
"""Bytes of any file that a person or a step of a release writes."""


def read_plain(path: Path, *, most: int = MOST, inside: Path | None = None) -> bytes:
    """The bytes of `path`; symbolic links are followed as long as they stay `inside` of that folder.

    Raise `OSError`, as for any file that cannot be read, where it leads out, is a device or a pipe, or has more than
    `most` bytes.
    """
    if inside is not None and not path.resolve().is_relative_to(inside.resolve()):
        raise OSError(errno.EPERM, "it leads out of the project", str(path))
    with open(path, "rb", opener=_open) as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode):
            raise OSError(errno.EINVAL, "it is no plain file", str(path))
        if about.st_size > most:
            raise OSError(errno.EFBIG, f"it has {about.st_size:,} bytes, and {most:,} are the most", str(path))
        data = file.read(about.st_size + 1)
    if len(data) > about.st_size:  # one of /proc, or one that grows
        raise OSError(errno.EFBIG, "it has more bytes than it says", str(path))
    return data


def _open(path: str, flags: int) -> int:
    # A pipe that nobody writes to would be waited for.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
