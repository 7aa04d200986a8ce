"""Wheels and sdists by what is in them: two archives of the same files are the same, whatever packed them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
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


def differing_members(theirs: Iterable[Member], ours: Iterable[Member]) -> list[str]:
    """The paths of the files that are not the same in both, sorted, each with what is otherwise than in `ours`.

    A RECORD, which differs because of others, is named where nothing else differs.
    """
    there, here = ({member.path: member for member in members} for members in (theirs, ours))
    differing = [path for path in sorted({*there, *here}) if there.get(path) != here.get(path)]
    causes = [path for path in differing if not path.endswith(".dist-info/RECORD")] or differing
    return [f"{path} ({_difference(there.get(path), here.get(path))})" for path in causes]


def _difference(theirs: Member | None, ours: Member | None) -> str:
    if theirs is None:
        return "missing"
    if ours is None:
        return "added"
    return "other bytes" if theirs.data != ours.data else f"mode {theirs.mode:04o}"
