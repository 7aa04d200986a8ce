"""A repository for a team's components: all its files, written where none of them is yet."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal, TypeAlias

from kfp_release.config import PYPROJECT, Config, declared_components
from kfp_release.digest import Digest
from kfp_release.distributions import version_of_file
from kfp_release.errors import MAKE_ROOM, Problem, Problems, ReleaseError
from kfp_release.git_command import GitFailed, run_git
from kfp_release.index_settings import IndexUrls
from kfp_release.plain_file import read_plain
from kfp_release.pyproject_addition import completed_pyproject, has_settings
from kfp_release.released_files import PackageIndex
from kfp_release.tool_pin import TOOL, TOOL_LOCK, ToolPin
from kfp_release.tool_uses import TOOL_USES, updated_texts

State: TypeAlias = Literal["new", "completed", "updated", "unchanged", "kept"]


@dataclass(frozen=True, slots=True)
class NewFile:
    """One file of the repository: what is to be done with it, and its bytes."""

    path: str
    state: State
    data: bytes
    before: bytes | None = None
    """Of one that is completed or updated."""


def tool_hashes(index: PackageIndex, tool: ToolPin) -> tuple[str, ...]:
    """The sha256 of the tool's own files on the index. Raise `ReleaseError` where it has none of this version."""
    files = [file for file in index.files(TOOL).values() if version_of_file(file.filename) == tool.version.version]
    hashes = tuple(file.sha256 or Digest.of(index.download(file)).hex for file in files)
    if not hashes:
        raise ReleaseError(
            f"the index has no {TOOL} {tool.version}, which the new repository is to install",
            remedy=f"upload it there, or use a version that is there; --offline leaves {TOOL}'s lock out",
        )
    return hashes


def new_files(folder: Path, texts: Mapping[str, str], *, keep: bool) -> tuple[NewFile, ...]:
    """What is to be done in `folder` so that it has the files of `texts`, by path. Nothing is written.

    Raise `Problems` with all files that are there with another content, unless they are to be kept.
    """
    if os.path.lexists(folder) and not folder.is_dir():
        raise ReleaseError(f"{folder} is no folder", remedy="name another, or none for the one that you are in")
    problems = _outside_src(folder, texts)
    files: list[NewFile] = []
    for path, text in texts.items():
        try:
            files.append(_file(folder, path, text, keep=keep))
        except Problems as error:
            problems += error.problems
    if problems:
        raise Problems(problems)
    return tuple(files)


def updated_files(folder: Path, texts: Mapping[str, str], tool: ToolPin) -> tuple[NewFile, ...]:
    """What is to be done in `folder` so that its files name this release of `tool`; `texts` are those of the tool.

    Nothing is written, and no other file is read. Raise `Problems` where that cannot be.
    """
    files: list[NewFile] = []
    problems: list[Problem] = []
    there: dict[str, bytes] = {}
    for path in TOOL_USES:
        try:
            _refuse_around(folder, path)
            if os.path.lexists(folder / path):
                there[path] = _plain(folder / path, path)
        except Problems as error:
            problems += error.problems
    if problems:
        raise Problems(problems)
    if TOOL_LOCK in texts and TOOL_LOCK not in there:
        files.append(NewFile(TOOL_LOCK, "new", texts[TOOL_LOCK].encode()))
    decoded = {path: data.decode(errors="surrogateescape") for path, data in there.items()}
    for path, text in updated_texts(decoded, texts, tool).items():
        data, before = text.encode(errors="surrogateescape"), there[path]
        unchanged = data == before
        files.append(NewFile(path, "unchanged" if unchanged else "updated", data, None if unchanged else before))
    return tuple(files)


def write_files(folder: Path, files: tuple[NewFile, ...]) -> None:
    """Write what is new or completed; all of it or, where the machine does not let it, nothing.

    Raise `ReleaseError` then.
    """
    undo = contextlib.ExitStack()
    try:
        with undo:
            for file in files:
                _write(folder, file, undo)
            undo.pop_all()
    except OSError as error:
        where = error.filename or folder
        remedy = MAKE_ROOM if not error.filename else "see that it can be written to, or name another folder"
        raise ReleaseError(f"{where}: {error.strerror}; nothing was written", remedy=remedy) from error


def answers_of(folder: Path) -> dict[str, str]:
    """What the configuration in `folder` answers; where it is none, the name of the project alone, if it has one."""
    try:
        data = read_plain(folder / PYPROJECT)
    except OSError:
        return {}
    try:
        config = Config.parse(data, {})
    except ReleaseError:
        return _named(data)
    image = config.images[0]
    answers = {
        "distribution": config.distribution,
        "package": config.package,
        "repository": str(image.declared),
        "image": image.name,
        "source": config.source,
    }
    index = config.index
    if isinstance(index, IndexUrls):
        answers |= {"index-url": index.simple_url, "upload-url": index.upload_url}
    return answers


def _named(pyproject: bytes) -> dict[str, str]:
    try:
        name, _ = declared_components(PYPROJECT, pyproject)
    except ReleaseError:
        return {}
    return {"distribution": name} if name else {}


def git_remote(folder: Path) -> str:
    """Where the repository around `folder` was cloned from; empty where there is none."""
    try:
        return os.fsdecode(run_git(folder, ["remote", "get-url", "origin"])).strip() if folder.is_dir() else ""
    except GitFailed:
        return ""


def git_top(folder: Path) -> Path | None:
    """The top of the repository around `folder`, which need not be there yet; None where there is none."""
    there = next((each for each in (folder, *folder.absolute().parents) if each.is_dir()), folder)
    try:
        return Path(os.fsdecode(run_git(there, ["rev-parse", "--show-toplevel"])).strip())
    except GitFailed:
        return None


def _file(folder: Path, path: str, text: str, *, keep: bool) -> NewFile:
    place, data = folder / path, text.encode()
    _refuse_around(folder, path)
    if not os.path.lexists(place):
        return NewFile(path, "new", data)
    there = _plain(place, path)
    if there == data:
        return NewFile(path, "unchanged", data)
    if path == PYPROJECT and not has_settings(there):
        return NewFile(path, "completed", completed_pyproject(there, text), there)
    if keep:
        return NewFile(path, "kept", there)
    remedy = "move it away, or leave all that is there as it is and write the rest with --keep"
    raise Problems([Problem(path, 0, "is there with another content, and is not overwritten", remedy)])


def _outside_src(folder: Path, texts: Mapping[str, str]) -> list[Problem]:
    """What is wrong where packages are beside `src`: setuptools looks in one of the two places alone."""
    from setuptools.discovery import FlatLayoutPackageFinder  # type: ignore[import-untyped] # noqa: PLC0415 - slow

    ours = {path.split("/")[1] for path in texts if path.startswith("src/")}
    beside = {name for name in ours if (folder / name).is_dir()}
    if not (folder / "src").is_dir():
        found = {path.parent.name for path in folder.glob("*/__init__.py")}
        no_code = FlatLayoutPackageFinder.DEFAULT_EXCLUDE
        beside |= {name for name in found if not any(fnmatchcase(name, pattern) for pattern in no_code)}
    message = "is a package outside of src, where setuptools finds those of this repository"
    return [Problem(name, 0, message, f"mkdir -p src && git mv {name} src/{name}") for name in sorted(beside)]


def _refuse_around(folder: Path, path: str) -> None:
    """Raise `Problems` where a folder that `path` lies in is a link or a file."""
    for name in [str(part) for part in Path(path).parents][:-1]:
        if (folder / name).is_symlink():
            remedy = "put the folder itself in its place"
            raise Problems([Problem(path, 0, f"{name} is a link, which is not followed", remedy)])
        if os.path.lexists(folder / name) and not (folder / name).is_dir():
            raise Problems([Problem(path, 0, f"{name} is no folder", f"make {name} one, or move it away")])


def _plain(place: Path, path: str) -> bytes:
    if place.is_symlink():
        raise Problems([Problem(path, 0, "is a link, which is not followed", "put the file itself in its place")])
    try:
        return read_plain(place)
    except OSError as error:
        raise Problems([Problem(path, 0, f"is there and cannot be read: {error.strerror}", "move it away")]) from error


def _write(folder: Path, file: NewFile, undo: contextlib.ExitStack) -> None:
    place = folder / file.path
    if file.before is not None:
        _replace(place, file.data)
        undo.callback(_replace, place, file.before)
    if file.state != "new":
        return
    missing = [parent for parent in (place.parent, *place.parent.parents) if not parent.exists()]
    for parent in reversed(missing):
        parent.mkdir()
        undo.callback(parent.rmdir)
    with place.open("xb") as target:
        undo.callback(place.unlink)
        target.write(file.data)


def _replace(place: Path, data: bytes) -> None:
    """Another content for a file that is there, whole or not at all; its rights stay."""
    descriptor, name = tempfile.mkstemp(dir=place.parent, prefix=".")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as target:
            target.write(data)
        shutil.copymode(place, temporary)
        temporary.replace(place)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
