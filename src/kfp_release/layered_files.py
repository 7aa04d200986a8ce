"""Chosen files of an image, as its layers lie on each other: whiteouts take away, later layers replace.

Source: OCI image-spec, layer.md, "Whiteouts" and "Applying Changesets".
"""

from __future__ import annotations

import posixpath
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from kfp_release.layer_tar import LayerBlob, LayerTar, layer_tar
from kfp_release.manifest import BadImage

_WHITEOUT: Final = ".wh."
_OPAQUE: Final = ".wh..wh..opq"
_MOST_FILE: Final = 32 * 1024 * 1024
"""Bytes of one file."""
_MOST_HELD: Final = 256 * 1024 * 1024
"""Bytes of all files, and of the names of the folders that each is in."""
_MOST_FILES: Final = 20_000
_REMEDY: Final = "remove it from the Dockerfile or the base image: no installation has as much"


@dataclass(frozen=True, slots=True)
class LayeredFile:
    """One file: its bytes, which layer it is of, from 1, and what it replaces.

    `data` is None where it is there and is no plain file: a symlink, say.
    """

    path: str
    """From the root on, without a slash before it."""
    data: bytes | None
    layer: int
    replaced: LayeredFile | None = None


@dataclass(slots=True)
class _Stack:
    """What the layers so far come to."""

    files: dict[str, LayeredFile] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    """Above those files."""
    held: int = 0

    def lay(self, added: Mapping[str, LayeredFile], gone: set[str], emptied: set[str]) -> None:
        """A layer on top. What it takes away is of those below alone."""
        for path in list(self.files):
            above = list(_above(path))
            if path in gone or not gone.isdisjoint(above) or not emptied.isdisjoint(above):
                self.held -= _size(self.files.pop(path))
        for path, file in added.items():
            old = self.files.get(path)
            # What a file was before tells where each of its entries came from, if it is a list that grows.
            self.files[path] = LayeredFile(path, file.data, file.layer, old)
            self.held += _size(file)
        self.folders = {folder for path in self.files for folder in _above(path)}


def layered_files(layers: Iterable[LayerBlob], is_wanted: Callable[[str], bool]) -> dict[str, LayeredFile]:
    """The files at paths that `is_wanted` takes, sorted. The layers are read one after the other, the lowest first.

    A layer is read a second time where such a file is a hard link to one at a path that is not wanted.

    Raise `BadImage` where a layer cannot be read, or such files are more than an installation has.
    """
    stack = _Stack()
    for number, layer in enumerate(layers, 1):
        with layer_tar(layer) as tar:
            change = _Change(stack, number)
            for info in tar:
                change.see(info, tar, is_wanted)
        if change.linked:
            # What they link came before them, and was not known to be wanted.
            with layer_tar(layer) as tar:
                change.follow_links(tar)
        stack.lay(change.added, change.gone, change.emptied)
    return dict(sorted(stack.files.items()))


class _Change:
    """What one layer does to those below it."""

    def __init__(self, below: _Stack, number: int) -> None:
        self._below = below
        self._number = number
        self._held = below.held
        self.added: dict[str, LayeredFile] = {}
        self.gone: set[str] = set()
        self.emptied: set[str] = set()
        self.linked: dict[str, str] = {}
        """Those of `added` whose bytes are at another path of this layer, and that path."""

    def see(self, info: tarfile.TarInfo, tar: LayerTar, is_wanted: Callable[[str], bool]) -> None:
        """One member after the other."""
        path = _plain(info.name)
        folder, _, name = path.rpartition("/")
        if name == _OPAQUE:
            self._take(folder, self.emptied)
        elif name.startswith(_WHITEOUT):
            self._take(posixpath.join(folder, name.removeprefix(_WHITEOUT)), self.gone)
        elif info.isdir():
            if path in self._below.files:
                self.gone.add(path)
        else:
            if path in self._below.folders:  # a file in the place of a folder
                self.gone.add(path)
            if is_wanted(path):
                self._add(path, self._content(info, tar))
                self.linked.pop(path, None)
                if info.islnk() and self.added[path].data is None:
                    self.linked[path] = _plain(info.linkname)

    def follow_links(self, tar: LayerTar) -> None:
        """Give those that are linked their bytes; `tar` is the same layer again."""
        links: dict[str, list[str]] = {}
        for path, target in self.linked.items():
            links.setdefault(target, []).append(path)
        for info in tar:
            if info.isreg() and (paths := links.pop(_plain(info.name), ())):
                data = self._content(info, tar)
                for path in paths:
                    self._add(path, data)

    def _take(self, path: str, into: set[str]) -> None:
        if path in self._below.folders or path in self._below.files or not path:
            into.add(path)

    def _add(self, path: str, data: bytes | None) -> None:
        self.added[path] = LayeredFile(path, data, self._number)
        self._held += _size(self.added[path])
        if self._held > _MOST_HELD or len(self.added) + len(self._below.files) > _MOST_FILES:
            raise BadImage(
                f"layer {self._number} has more than {_MOST_FILES:,} files that tell of installations, or more than "
                f"{_MOST_HELD:,} bytes of them and of the names of their folders",
                remedy=_REMEDY,
            )

    def _content(self, info: tarfile.TarInfo, tar: LayerTar) -> bytes | None:
        if info.islnk():
            target = _plain(info.linkname)
            found = self.added.get(target) or self._below.files.get(target)
            return found.data if found else None
        if not info.isreg() or info.issparse():
            return None
        if info.size > _MOST_FILE:
            raise BadImage(
                f"layer {self._number} has {_shown(info.name)} of {info.size:,} bytes, of {_MOST_FILE:,} at most",
                remedy=_REMEDY,
            )
        return tar.read(info)


def _plain(name: str) -> str:
    """The path from the root on; one that leads out of it ends there, as in a container."""
    return posixpath.normpath(f"/{name}").lstrip("/")


def _above(path: str) -> Iterator[str]:
    """The folders that a path is in, and the root."""
    while path:
        path = path.rpartition("/")[0]
        yield path


def _size(file: LayeredFile | None) -> int:
    """Bytes of it and of its folders' names, and of all that it replaced."""
    size = 0
    while file is not None:
        # At most: every folder's name begins with that of the one above, so a deep path is held many times over.
        size += len(file.data or b"") + len(file.path) * file.path.count("/")
        file = file.replaced
    return size


def _shown(name: str) -> str:
    return name[:160].encode(errors="backslashreplace").decode()
