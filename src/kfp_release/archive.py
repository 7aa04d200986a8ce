"""Wheels and sdists by what is in them: two archives of the same files are the same, whatever packed them."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

from kfp_release.member import BadArchive, Member
from kfp_release.sdist import Sdist
from kfp_release.wheel import Wheel


def members_of(filename: str, data: bytes) -> tuple[Member, ...]:
    """All files of the wheel or sdist, sorted, each as it is: RECORD too.

    Raise `BadArchive` unless `data` is one that can go by `filename`.
    """
    if not filename.endswith(".whl"):
        return Sdist.parse(filename, data).members
    wheel = Wheel.parse(filename, data)
    path = f"{wheel.dist_info}/RECORD"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        record = archive.read(path)  # `Wheel` writes its own
    return tuple(replace(member, data=record) if member.path == path else member for member in wheel.members)


def same_members(filename: str, ours: bytes, theirs: bytes) -> bool:
    """Whether both hold the same files: paths, bytes, modes. `theirs` comes from outside and may be no archive."""
    try:
        found = members_of(filename, theirs)
    except BadArchive:
        return False
    return found == members_of(filename, ours)
