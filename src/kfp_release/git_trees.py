"""The folders of many commits at once, by git's own names for what is in them: the same name is the same bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from kfp_release.errors import ReleaseError
from kfp_release.git_command import run_git

_LINK = b"120000"
_FOLDER, _SUBMODULE = b"40000", b"160000"
_AT_ONCE = 500
"""Contents that are in memory together."""


@dataclass(frozen=True)
class CommittedFolder:
    """The files right in a folder of a commit: git's name of each blob, by the path."""

    blobs: Mapping[str, str]

    @cached_property
    def key(self) -> str:
        """What two folders have in common that hold the same files with the same bytes."""
        lines = "".join(f"{blob} {path}\0" for path, blob in sorted(self.blobs.items()))
        return hashlib.sha256(lines.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Object:
    """What git has under a name. git-cat-file(1), batch output."""

    name: str
    kind: str
    """``blob``, ``tree``; another word for what is not there."""
    data: bytes


def committed_folders(root: Path, folders: Mapping[str, str], suffixes: tuple[str, ...]) -> dict[str, CommittedFolder]:
    """By commit, in hex, the files in its folder that end in one of `suffixes`; no files where it has no such folder.

    Paths are relative to the folder `root`; what is no UTF-8 in one is shown as such. Symbolic links are followed in
    the commit; one that leads out of it is left out.
    """
    prefix = folder_in_repository(root)
    wanted = [f"{commit}:{prefix}{folder.rstrip('/')}" for commit, folder in folders.items()]
    found: dict[str, dict[str, str]] = {commit: {} for commit in folders}
    links: list[tuple[str, str]] = []
    for (commit, folder), tree in zip(folders.items(), _objects(root, wanted), strict=True):
        for mode, name, blob in _entries(tree, len(commit) // 2):
            path = f"{folder.rstrip('/')}/{name}"
            if not name.endswith(suffixes) or "\n" in path or mode in {_FOLDER, _SUBMODULE}:
                continue
            if mode == _LINK:
                links.append((commit, path))
            else:
                found[commit][_shown(path)] = blob
    targets = _objects(root, [f"{commit}:{prefix}{path}" for commit, path in links])
    for (commit, path), target in zip(links, targets, strict=True):
        if target.kind == "blob":
            found[commit][_shown(path)] = target.name
    return {commit: CommittedFolder(blobs) for commit, blobs in found.items()}


def committed_blobs(root: Path, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Each of these blobs with its bytes. Raise `ReleaseError` where the clone lacks one."""
    wanted = sorted(set(names))
    for start in range(0, len(wanted), _AT_ONCE):
        batch = wanted[start : start + _AT_ONCE]
        for name, found in zip(batch, _objects(root, batch), strict=True):
            if found.kind != "blob":
                raise ReleaseError(f"this clone lacks the blob {name[:12]}", remedy="git fetch --all --tags")
            yield name, found.data


def commit_times(root: Path, commits: Sequence[str]) -> dict[str, int]:
    """When each of these commits, in hex, was committed, in seconds since 1970."""
    if not commits:
        return {}
    arguments = ["log", "--no-walk=unsorted", "--stdin", "--no-show-signature", "--format=%H %ct"]
    lines = run_git(root, arguments, data="".join(f"{commit}\n" for commit in commits).encode()).decode().split("\n")
    return {commit: int(time) for commit, _, time in (line.partition(" ") for line in lines if line)}


def folder_in_repository(root: Path) -> str:
    """Where `root` is in its repository: empty, or with ``/`` at its end."""
    return run_git(root, ["rev-parse", "--show-prefix"]).decode(errors="surrogateescape").removesuffix("\n")


def _shown(path: str) -> str:
    return path.encode(errors="surrogateescape").decode(errors="replace")


def _objects(root: Path, names: Sequence[str]) -> Iterator[_Object]:
    """The objects of these names, in their order. Raise `ReleaseError` for a name that holds a line's end."""
    if not names:
        return
    if odd := [name for name in names if "\n" in name]:
        raise ReleaseError(f"{odd[0][:200]!r} has a line's end in its name", remedy="rename it")
    data = "".join(f"{name}\n" for name in names).encode(errors="surrogateescape")
    batch = run_git(root, ["cat-file", "--batch", "--follow-symlinks"], data=data)
    at = 0
    while at < len(batch):
        end = batch.index(b"\n", at)
        name, _, size = batch[at:end].decode(errors="surrogateescape").rpartition(" ")
        if not size.isdigit():
            yield _Object(name, size, b"")
            at = end + 1
            continue
        first, _, kind = name.rpartition(" ")
        yield _Object(first, kind, batch[end + 1 : end + 1 + int(size)])
        at = end + int(size) + 2


def _entries(tree: _Object, length: int) -> Iterator[tuple[bytes, str, str]]:
    """Mode, name and object of each entry of a tree, whose object names have `length` bytes. git's tree format."""
    data = tree.data if tree.kind == "tree" else b""
    at = 0
    while at < len(data):
        end = data.index(b"\0", at)
        mode, _, name = data[at:end].partition(b" ")
        yield mode, name.decode(errors="surrogateescape"), data[end + 1 : end + 1 + length].hex()
        at = end + 1 + length
