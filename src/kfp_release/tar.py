"""Tar archives in one byte form. Source: POSIX pax; OCI image-spec, layer.md."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable

from kfp_release.member import Member


def tar_bytes(members: Iterable[Member], *, mtime: int) -> bytes:
    """The archive of `members` and of the folders above them, sorted; owner 0, folders 0755, one time for all.

    `mtime` is in seconds since 1970.
    """
    files = {member.path: member for member in members}
    folders = {path[:end] for path in files for end, char in enumerate(path) if char == "/"}
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted({*files, *folders}):
            info = tarfile.TarInfo(path)
            info.mtime = mtime
            if path in folders:
                info.type, info.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(info)
            else:
                info.mode, info.size = files[path].mode, len(files[path].data)
                archive.addfile(info, io.BytesIO(files[path].data))
    # tarfile goes on to fill a tape's record of 10,240 bytes; POSIX asks for two empty blocks at the end.
    return target.getvalue()[: archive.offset]
