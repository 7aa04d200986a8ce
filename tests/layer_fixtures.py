"""Layers for tests, made member by member: as an engine makes them, or as nobody should."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Mapping
from typing import TypeAlias

from ecr_fixtures import MemoryBlob

Entry: TypeAlias = bytes | tuple[bytes, str] | None
"""The bytes of a file; type and target of a link or device; None for a folder."""

STATUS_PATH = "var/lib/dpkg/status"
SITE = "opt/app/lib/python3.12/site-packages"


def tar_of(entries: Mapping[str, Entry] | list[tuple[str, Entry]], *, form: int = tarfile.PAX_FORMAT) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=form, errors="surrogateescape") as archive:
        for path, entry in entries.items() if isinstance(entries, Mapping) else entries:
            info = tarfile.TarInfo(path)
            match entry:
                case None:
                    info.type = tarfile.DIRTYPE
                case (kind, target_path):
                    info.type, info.linkname = kind, target_path
                case bytes():
                    info.size = len(entry)
            archive.addfile(info, io.BytesIO(entry) if isinstance(entry, bytes) else None)
    return target.getvalue()


def packed(tar: bytes) -> MemoryBlob:
    return MemoryBlob(gzip.compress(tar, 1, mtime=0))


def layer(entries: Mapping[str, Entry] | list[tuple[str, Entry]]) -> MemoryBlob:
    return packed(tar_of(entries))


def package(name: str, version: str = "1", status: str = "install ok installed", more: str = "") -> str:
    return f"Package: {name}\nStatus: {status}\nArchitecture: amd64\nVersion: {version}\n{more}"


def status(*stanzas: str) -> bytes:
    return "\n".join(stanzas).encode()


def metadata(name: str, version: str = "1.0", *, more: str = "") -> bytes:
    return f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{more}\nThe README\n".encode()


def info_path(name: str, version: str = "1.0", *, site: str = SITE) -> str:
    return f"{site}/{name}-{version}.dist-info/METADATA"
