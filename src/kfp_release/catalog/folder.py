"""The folder that a site is written into: what changed and nothing else, each file whole or not at all.

The folder says itself what a catalog wrote there, so that a later one takes away what is no longer part of the site,
and nothing that is a person's.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from kfp_release.errors import ReleaseError
from kfp_release.git import ignore_all
from kfp_release.json_text import BadJson, read_json
from kfp_release.manifest import canonical_json
from kfp_release.plain_file import read_plain
from kfp_release.whole_file import replace_file

LIST: Final = ".kfp-release-catalog.json"
"""The file that marks such a folder, and lists what was written into it."""
_SCHEMA: Final = 1
_MOST: Final = 64 * 1024 * 1024
OWN: Final = frozenset({LIST, ".gitignore"})
"""What is in the folder for its own sake, and no part of the site."""
_SHOWN = 3
"""Names that a message lists."""


@dataclass(frozen=True, slots=True)
class WrittenSite:
    """What became of a site's files: paths, sorted."""

    written: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]


def require_folder(folder: Path) -> None:
    """Raise `ReleaseError` where no site may be written into `folder`: it is no folder, or holds other things."""
    if not os.path.lexists(folder):
        return
    if not folder.is_dir():
        raise ReleaseError(f"{folder} is a file", remedy="name a folder, new or empty: --out site")
    names = sorted(path.name for path in folder.iterdir())
    if LIST not in names and (others := [name for name in names if name not in OWN]):
        more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
        raise ReleaseError(
            f"{folder} holds other things than a catalog: {', '.join(map(repr, others[:_SHOWN]))}{more}",
            remedy="name a folder that is new or empty, or one that this command wrote before",
        )
    _listed(folder)


def write_site(folder: Path, files: Mapping[str, bytes]) -> WrittenSite:
    """Make `folder` the site of `files`, by their paths; what is the same already is not touched.

    Raise `ReleaseError` as `require_folder`, and where a path is a person's file; `OSError` where it cannot be written.
    """
    require_folder(folder)
    for path in files:
        _require_path(path)
    before = _listed(folder)
    _refuse_others(folder, files.keys() - before)
    if not folder.exists():
        folder.mkdir(parents=True)
        ignore_all(folder)  # a release wants a clean checkout
    if not before >= files.keys():
        # First, so that what is written before this ends, however it ends, is known to be a catalog's.
        replace_file(folder / LIST, _list_of({*before, *files}))
    written = [path for path, data in sorted(files.items()) if _write(folder, path, data)]
    removed = [path for path in sorted(before - files.keys()) if _remove(folder, path)]
    if before != files.keys():
        replace_file(folder / LIST, _list_of(files))
    unchanged = sorted(files.keys() - set(written))
    return WrittenSite(tuple(written), tuple(unchanged), tuple(removed))


def read_site(folder: Path) -> dict[str, bytes]:
    """The files that a catalog wrote there, by path, and nothing else that lies there.

    Raise `ReleaseError` where one is gone, or a link stands in its place.
    """
    site = {}
    for path in sorted(_listed(folder)):
        _require_inside(folder, path)
        file = folder / path
        if file.is_symlink() or not file.is_file():
            raise ReleaseError(
                f"{file} is not there as a catalog wrote it", remedy=f"kfp-release catalog --out {folder} writes it"
            )
        site[path] = file.read_bytes()
    return site


def _list_of(paths: Iterable[str]) -> bytes:
    return canonical_json({"schema": _SCHEMA, "files": sorted(paths)})


def _listed(folder: Path) -> frozenset[str]:
    """What a catalog wrote into it before. Raise `ReleaseError` where the folder does not say it."""
    path = folder / LIST
    if not os.path.lexists(path):
        return frozenset()
    try:
        value = read_json(read_plain(path, most=_MOST), most=_MOST)
        match value:
            case {"schema": 1, "files": list(files)} if all(isinstance(item, str) for item in files):
                for item in files:
                    _require_path(item)
                return frozenset(files)
    except (OSError, BadJson) as error:
        raise _damaged(path) from error
    raise _damaged(path)


def _damaged(path: Path) -> ReleaseError:
    return ReleaseError(
        f"{path} is damaged, so what a catalog wrote there cannot be told from other files",
        remedy=f"remove the folder {path.parent}, and run this again",
    )


def _require_path(path: str) -> None:
    parts = path.split("/")
    if any(part in {"", ".", ".."} or "\\" in part or "\0" in part for part in parts) or parts[0] in OWN:
        raise ReleaseError(f"{path[:200]!r} is no path inside of a site")


def _refuse_others(folder: Path, paths: Collection[str]) -> None:
    for path in sorted(paths):
        if os.path.lexists(folder / path):
            raise ReleaseError(
                f"{folder / path} is there, and no catalog wrote it", remedy="move it away, or name another folder"
            )


def _write(folder: Path, path: str, data: bytes) -> bool:
    """Whether it was another file before."""
    target = folder / path
    _require_inside(folder, path)
    if _holds(target, data):
        return False
    if target.is_dir() and not target.is_symlink():
        raise ReleaseError(f"{target} is a folder, and the site has a file there", remedy="move the folder away")
    target.parent.mkdir(parents=True, exist_ok=True)
    replace_file(target, data)
    return True


def _require_inside(folder: Path, path: str) -> None:
    """A link in the place of a folder would lead what is written elsewhere."""
    for parent in list(PurePosixPath(path).parents)[:-1]:
        if (folder / parent).is_symlink():
            raise ReleaseError(
                f"{folder / parent} is a link, and a site is written into folders", remedy="remove the link"
            )


def _holds(target: Path, data: bytes) -> bool:
    try:
        about = target.lstat()
    except OSError:
        return False
    return stat.S_ISREG(about.st_mode) and about.st_size == len(data) and target.read_bytes() == data


def _remove(folder: Path, path: str) -> bool:
    """Whether it was there; folders that are empty without it go too. A folder in its place is a person's."""
    _require_inside(folder, path)
    target = folder / path
    if not os.path.lexists(target) or (target.is_dir() and not target.is_symlink()):
        return False
    target.unlink()
    with suppress(OSError):  # another file is in there
        for parent in list(PurePosixPath(path).parents)[:-1]:
            (folder / parent).rmdir()
    return True
