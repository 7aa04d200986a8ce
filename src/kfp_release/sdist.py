"""Source distributions: read, changed and written in one byte form. Source: PyPA's source distribution format."""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from packaging.utils import NormalizedName

from kfp_release.archive_name import ArchiveName
from kfp_release.inflation import require_allowed, require_few
from kfp_release.member import BadArchive, Member, by_path
from kfp_release.stored import gzip_stored
from kfp_release.tar import tar_bytes
from kfp_release.tar_header import bounded_headers

_SUFFIX = ".tar.gz"  # PEP 625; older sdists' .zip has no single byte form to keep
_ANEW = "build or download it anew"
_CHUNK = 1 << 20
_LONGEST_EXTENDED, _MOST_EXTENDED = 4096, 4 * 1024 * 1024
"""Bytes of one such header, and of all together."""
# What tarfile raises, and what it hands on from zlib, from sizes that are not true and from headers of headers.
_UNREADABLE = (
    *(tarfile.TarError, zlib.error, EOFError, MemoryError, OSError, OverflowError, ValueError, RecursionError),
)


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
        called = ArchiveName.of_sdist(filename)
        if not filename.endswith(_SUFFIX):
            raise BadArchive(
                f"{filename[:160]!r} is not the name of a {_SUFFIX} file", remedy="name it as it was built"
            )
        members = by_path(read_tar(filename, data), filename)
        sdist = cls(filename, called.name, str(called.version), tuple(members.values()))
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


def read_tar(filename: str, data: bytes) -> list[Member]:
    """The plain files of a tar in gzip, in its order: an sdist's, or those of a package layer.

    Raise `BadArchive` for anything else, and for one that holds a link or a device. `filename` is for its message.
    """
    members = []
    try:
        with (
            _inflated(filename, data) as tar,
            tarfile.open(fileobj=tar, mode="r:", tarinfo=_headers(filename)) as archive,
        ):
            for info in archive:
                if info.isdir():
                    continue
                # A sparse file is as long as it says, however little of it is there.
                if not info.isreg() or info.issparse():
                    raise BadArchive(
                        f"{filename} has {info.name[:160]!r}, which is no plain file", remedy="use no links in sources"
                    )
                members.append(Member(info.name, _content(tar, info), info.mode))
                require_few(filename, len(members))
    except _UNREADABLE as error:
        raise BadArchive(f"{filename} cannot be read: {str(error)[:160]}", remedy=_ANEW) from error
    return members


def _content(tar: io.BytesIO, info: tarfile.TarInfo) -> bytes:
    """The bytes of a plain file, copied once; a size that is not true asks for no memory.

    One below zero, which would lead tarfile back for ever, is refused before it goes on.
    """
    with tar.getbuffer() as whole, whole[info.offset_data : info.offset_data + info.size] as content:
        if len(content) != info.size:
            raise EOFError("unexpected end of data")
        return bytes(content)


def _inflated(filename: str, data: bytes) -> io.BytesIO:
    """The tar, held once."""
    tar = io.BytesIO()
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
        while chunk := stream.read(_CHUNK):
            tar.write(chunk)
            require_allowed(filename, packed=len(data), unpacked=tar.tell())
    tar.seek(0)
    return tar


def _headers(filename: str) -> type[tarfile.TarInfo]:
    return bounded_headers(filename, longest=_LONGEST_EXTENDED, most=_MOST_EXTENDED)
