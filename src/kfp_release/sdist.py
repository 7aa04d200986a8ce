"""Source distributions: read, changed and written in one byte form. Source: PyPA's source distribution format."""

from __future__ import annotations

import io
import tarfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Self

from packaging.utils import InvalidSdistFilename, NormalizedName, parse_sdist_filename

from kfp_release.member import BadArchive, Member, by_path
from kfp_release.stored import gzip_stored
from kfp_release.tar import tar_bytes

_SUFFIX = ".tar.gz"  # PEP 625; older sdists' .zip has no single byte form to keep
_RENAME = "name it as it was built"
_ANEW = "build or download it anew"
_CHUNK = 1 << 20
# What tarfile raises, and what it hands on from zlib and from sizes that are not true.
_UNREADABLE = (tarfile.TarError, EOFError, MemoryError, OSError, OverflowError, ValueError, zlib.error)


@dataclass(frozen=True, slots=True)
class Sdist:
    """One source distribution: what its file name says, and its files, sorted."""

    filename: str
    name: NormalizedName
    version: str
    members: tuple[Member, ...]
    """Each path begins with `root`."""

    @classmethod
    def parse(cls, filename: str, data: bytes) -> Self:
        """Raise `BadArchive` unless `data` is a gzipped sdist that can go by `filename`."""
        try:
            name, version = parse_sdist_filename(filename)
        except InvalidSdistFilename as error:
            raise BadArchive(f"{filename[:160]!r} is not an sdist's file name", remedy=_RENAME) from error
        if not filename.endswith(_SUFFIX):
            raise BadArchive(f"{filename[:160]!r} is not the name of a {_SUFFIX} file", remedy=_RENAME)
        sdist = cls(filename, name, str(version), tuple(by_path(_read(filename, data), filename).values()))
        if stray := [member.path for member in sdist.members if not member.path.startswith(f"{sdist.root}/")]:
            raise BadArchive(f"{filename} has {stray[0]!r} outside its folder {sdist.root}/", remedy="build it anew")
        sdist.read("PKG-INFO")
        return sdist

    @property
    def root(self) -> str:
        """The one folder that all is in, ``kubeflow_demo_components-1.2``."""
        return self.filename.removesuffix(_SUFFIX)

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths of its files below `root`."""
        return tuple(member.path.removeprefix(f"{self.root}/") for member in self.members)

    def read(self, path: str) -> bytes:
        """The bytes of one of its files, by its path below `root`. Raise `BadArchive` where there is none."""
        for member in self.members:
            if member.path == f"{self.root}/{path}":
                return member.data
        raise BadArchive(f"{self.filename} has no {path}", remedy="build it anew")

    def with_files(self, files: Mapping[str, bytes]) -> Self:
        """The sdist with these files, by path below `root`, added or in place of those that it had."""
        members = {member.path: member for member in self.members}
        members |= {f"{self.root}/{path}": Member(f"{self.root}/{path}", data) for path, data in files.items()}
        return self._with(by_path(list(members.values()), self.filename).values())

    def without(self, paths: Iterable[str]) -> Self:
        """The sdist without the files of these paths below `root`."""
        gone = {f"{self.root}/{path}" for path in paths}
        return self._with(member for member in self.members if member.path not in gone)

    def to_bytes(self, mtime: int) -> bytes:
        """The one byte form: sorted, owner 0, 0644 or 0755, `mtime` in seconds since 1970, gzip of stored blocks."""
        return b"".join(gzip_stored([tar_bytes(self.members, mtime=mtime)]))

    def _with(self, members: Iterable[Member]) -> Self:
        return type(self)(self.filename, self.name, self.version, tuple(members))


def _read(filename: str, data: bytes) -> list[Member]:
    members = []
    last = -1
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
            for info in archive:
                if info.offset <= last:  # sizes below zero lead back, where tarfile would read for ever
                    raise BadArchive(f"{filename} leads from {info.name[:160]!r} back to it", remedy=_ANEW)
                last = info.offset
                if info.isdir():
                    continue
                stream = archive.extractfile(info) if info.isreg() else None
                if stream is None:
                    raise BadArchive(
                        f"{filename} has {info.name[:160]!r}, which is no plain file", remedy="use no links in sources"
                    )
                # Piece by piece: a size that is not true would be asked for in memory at once.
                members.append(Member(info.name, b"".join(iter(partial(stream.read, _CHUNK), b"")), info.mode))
    except _UNREADABLE as error:
        raise BadArchive(f"{filename} cannot be read: {str(error)[:160]}", remedy=_ANEW) from error
    return members
