"""The files of a commit: git's own bytes and modes, whatever lies in the checkout and however git is set up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kfp_release.errors import ReleaseError
from kfp_release.git_command import run_git

_LINK, _SUBMODULE = "120000", "160000"
_EXECUTABLE = "100755"


@dataclass(frozen=True, slots=True)
class CommittedFile:
    """One file. `mode` is 0o755 or 0o644: git knows only whether its owner may execute it."""

    mode: int
    data: bytes


def committed_files(root: Path, commit: str, paths: Sequence[str]) -> Mapping[str, CommittedFile]:
    """The files of `commit`, in hex, at and below `paths`, which are relative to the folder `root`, as are the results.

    Raise `ReleaseError` for a symbolic link and a submodule, which are no files.
    """
    if not paths:
        return {}
    listed = run_git(root, ["ls-tree", "-r", "-z", commit, "--", *paths]).decode(errors="surrogateescape")
    entries = [
        _entry(line) for line in sorted(filter(None, listed.split("\0")), key=lambda line: line.partition("\t")[2])
    ]
    wanted = "".join(f"{blob}\n" for _, blob, _ in entries)
    files = {}
    for (mode, blob, name), data in zip(entries, _contents(root, wanted), strict=True):
        if data is None:
            raise ReleaseError(f"this clone lacks {name[:200]!r}, blob {blob[:12]}", remedy="git fetch --all --tags")
        files[name] = CommittedFile(mode, data)
    return files


def file_at(root: Path, revisions: Sequence[str], path: str) -> Mapping[str, bytes]:
    """What the file `path`, relative to the folder `root`, holds at each of `revisions` that has it.

    A revision is a commit in hex, or the whole name of a ref.
    """
    prefix = run_git(root, ["rev-parse", "--show-prefix"]).decode(errors="surrogateescape").removesuffix("\n")
    if "\n" in f"{prefix}{path}":
        raise ReleaseError(f"{(prefix + path)[:200]!r} has a line's end in its name", remedy="rename that folder")
    found = _contents(root, "".join(f"{revision}:{prefix}{path}\n" for revision in revisions))
    return {revision: data for revision, data in zip(revisions, found, strict=True) if data is not None}


def folder_at(root: Path, commit: str, folder: str, suffixes: tuple[str, ...]) -> Mapping[str, bytes]:
    """The files right in `folder` of `commit`, in hex, that end in one of `suffixes`; both paths relative to `root`.

    A symbolic link is followed in the commit; one that leads out of it gives a text that is no component file.
    Raise `ReleaseError` where the clone lacks a file.
    """
    prefix = run_git(root, ["rev-parse", "--show-prefix"]).decode(errors="surrogateescape").removesuffix("\n")
    listed = run_git(root, ["ls-tree", "-z", "--name-only", commit, "--", f"{folder.rstrip('/')}/"])
    paths = [path for path in listed.decode(errors="surrogateescape").split("\0") if path.endswith(suffixes)]
    if odd := [path for path in [prefix, *paths] if "\n" in path]:
        raise ReleaseError(f"{odd[0][:200]!r} has a line's end in its name", remedy="rename it")
    wanted = "".join(f"{commit}:{prefix}{path}\n" for path in paths)
    files = {}
    for path, data in zip(paths, _contents(root, wanted, "--follow-symlinks"), strict=True):
        if data is None:
            raise ReleaseError(
                f"this clone lacks {path[:200]!r} of commit {commit[:12]}", remedy="git fetch --all --tags"
            )
        files[path] = data
    return files


def _entry(line: str) -> tuple[int, str, str]:
    """Mode, blob and name. git-ls-tree(1), output format."""
    about, _, name = line.partition("\t")
    mode, _, blob = about.split(" ")
    if mode in {_LINK, _SUBMODULE}:
        what = "a symbolic link" if mode == _LINK else "a submodule"
        raise ReleaseError(f"{name[:200]!r} is {what}", remedy="name a file of this repository itself")
    return 0o755 if mode == _EXECUTABLE else 0o644, blob, name


def _contents(root: Path, objects: str, *options: str) -> Iterator[bytes | None]:
    """The contents of `objects`, a line each, None for what is not there. git-cat-file(1), batch output."""
    batch = run_git(root, ["cat-file", "--batch", *options], data=objects.encode(errors="surrogateescape"))
    at = 0
    while at < len(batch):
        end = batch.index(b"\n", at)
        size = batch[at:end].rpartition(b" ")[2]
        if not size.isdigit():
            yield None
            at = end + 1
            continue
        yield batch[end + 1 : end + 1 + int(size)]
        at = end + int(size) + 2
