"""Wheels: read, changed and written in one byte form. Source: PyPA's binary distribution format."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import lzma
import stat
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.parser import BytesParser
from typing import Self

from packaging.utils import NormalizedName, canonicalize_name

from kfp_release.archive_name import ArchiveName
from kfp_release.inflation import require_allowed, require_few
from kfp_release.member import EXECUTABLE, BadArchive, Member, by_path

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip file can tell
# zipfile hands on what its decompressors raise, where a member wants a dictionary of gigabytes, say.
_UNREADABLE = (
    *(zipfile.BadZipFile, EOFError, MemoryError, OSError, RuntimeError, ValueError, lzma.LZMAError, zlib.error),
)


@dataclass(frozen=True, slots=True)
class Wheel:
    """One wheel: what its file name says, and its files in the order in which they are written."""

    filename: str
    name: NormalizedName
    """The project's name in its normal form, ``kubeflow-demo-components``."""
    version: str
    """In the normal form of PEP 440."""
    members: tuple[Member, ...]
    """Sorted, the dist-info folder's last, RECORD at the very end."""

    @classmethod
    def parse(cls, filename: str, data: bytes) -> Self:
        """Raise `BadArchive` unless `data` is a wheel that can go by `filename`."""
        called = ArchiveName.of_wheel(filename)
        members = by_path(_read(filename, data), filename)
        wheel = cls(filename, called.name, str(called.version), tuple(members.values()))
        if canonicalize_name(wheel.dist_info.partition("-")[0]) != called.name:
            raise BadArchive(f"{filename} holds {wheel.dist_info}", remedy="name it as it was built")
        for needed in ("METADATA", "WHEEL", "RECORD"):
            wheel.read(f"{wheel.dist_info}/{needed}")
        return wheel._ordered(members)

    @property
    def dist_info(self) -> str:
        """Its metadata's folder, ``kubeflow_demo_components-1.2.dist-info``."""
        found = {member.path.partition("/")[0] for member in self.members if ".dist-info/" in member.path}
        found = {folder for folder in found if folder.endswith(".dist-info")}
        if len(found) != 1:
            raise BadArchive(f"{self.filename} has {len(found)} dist-info folders, not one", remedy="build it anew")
        return found.pop()

    @property
    def is_pure(self) -> bool:
        """Whether it runs on every platform: ``Root-Is-Purelib``, and only tags that end in ``-none-any``."""
        headers = BytesParser().parsebytes(self.read(f"{self.dist_info}/WHEEL"))
        tags = [str(tag) for tag in headers.get_all("Tag", [])]
        pure = str(headers.get("Root-Is-Purelib", "")).strip().lower() == "true"
        return pure and bool(tags) and all(tag.strip().endswith("-none-any") for tag in tags)

    def read(self, path: str) -> bytes:
        """The bytes of one of its files. Raise `BadArchive` where it has none of that path."""
        for member in self.members:
            if member.path == path:
                return member.data
        raise BadArchive(f"{self.filename} has no {path}", remedy="build it anew with kfp-release's backend")

    def with_files(self, files: Mapping[str, bytes]) -> Self:
        """The wheel with these files, by path, added or in place of those that it had; RECORD tells of them."""
        members = {member.path: member for member in self.members}
        members |= {path: Member(path, data) for path, data in files.items()}
        return self._ordered(by_path(list(members.values()), self.filename))

    def without(self, paths: Iterable[str]) -> Self:
        """The wheel without the files of these paths; RECORD tells of it."""
        gone = set(paths)
        return self._ordered({member.path: member for member in self.members if member.path not in gone})

    def to_bytes(self) -> bytes:
        """The one byte form: members stored, 1980, 0644 or 0755; neither zlib nor clock nor umask show in it."""
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
            for member in self.members:
                info = zipfile.ZipInfo(member.path, _EPOCH)
                info.create_system = 3  # Unix, on Windows too
                info.external_attr = (stat.S_IFREG | member.mode) << 16
                archive.writestr(info, member.data)
        return target.getvalue()

    def _ordered(self, members: Mapping[str, Member]) -> Self:
        last = f"{self.dist_info}/"
        record = f"{last}RECORD"
        files = [member for path, member in members.items() if path != record]
        files.sort(key=lambda member: (member.path.startswith(last), member.path))
        rows = Member(record, record_bytes({member.path: member.data for member in files}, record))
        return type(self)(self.filename, self.name, self.version, (*files, rows))


def record_bytes(files: Mapping[str, bytes], record: str) -> bytes:
    """The RECORD of `files`, by path in their order; it stands at the path `record` itself."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for path, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        writer.writerow((path, f"sha256={digest}", len(data)))
    writer.writerow((record, "", ""))
    return text.getvalue().encode()


def _read(filename: str, data: bytes) -> list[Member]:
    # Before zipfile makes an object of each entry of its central directory.
    require_few(filename, data.count(b"PK\1\2"))
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            # zipfile hands out no more of a member than it says that it has.
            unpacked = sum(info.file_size for info in archive.infolist())
            require_allowed(filename, packed=len(data), unpacked=unpacked)
            return [
                Member(_plain(info, filename), archive.read(info), _mode(info))
                for info in archive.infolist()
                if not info.filename.endswith("/")  # is_dir() of Python 3.11 stumbles over an empty name
            ]
    except _UNREADABLE as error:
        raise BadArchive(
            f"{filename} cannot be read: {str(error)[:160]}", remedy="build or download it anew"
        ) from error


def _plain(info: zipfile.ZipInfo, filename: str) -> str:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in {0, stat.S_IFREG}:
        raise BadArchive(f"{filename} has {info.filename[:160]!r}, which is no plain file", remedy="build it anew")
    # zipfile cuts a name at a NUL and turns backslashes on Windows: what was written is what is judged.
    return info.orig_filename


def _mode(info: zipfile.ZipInfo) -> int:
    return (info.external_attr >> 16) & EXECUTABLE
