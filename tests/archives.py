"""Wheels and sdists for tests, made as other tools make them: deflated, with this moment's times."""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import zipfile
from collections.abc import Mapping

from kfp_release.wheel import Wheel

NAME = "some_components-1.2-py3-none-any.whl"
INFO = "some_components-1.2.dist-info"
PURE = b"Wheel-Version: 1.0\nGenerator: setuptools (84.2.1)\nRoot-Is-Purelib: true\nTag: py3-none-any\n\n"
METADATA = b"Metadata-Version: 2.4\nName: some-components\nVersion: 1.2\n\n"
SCRIPTS = b"[console_scripts]\nmultiply = some_components.programs:main\n"

FILES: Mapping[str, bytes] = {
    "some_components/__init__.py": b"",
    "some_components/programs.py": b"def main():\n    print('6.0')\n",
    "some_components/yaml/multiply.yaml": b"image: x\n",
    "some_components/pins.json": b"{}\n",
    f"{INFO}/METADATA": METADATA,
    f"{INFO}/WHEEL": PURE,
    f"{INFO}/entry_points.txt": SCRIPTS,
    f"{INFO}/RECORD": b"",
}


def wheel_bytes(files: Mapping[str, bytes] = FILES, *, mode: int = 0o644) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            info = zipfile.ZipInfo(path, (2026, 11, 22, 12, 0, 0))
            info.external_attr = (stat.S_IFREG | mode) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return target.getvalue()


def sdist_bytes(files: Mapping[str, bytes], *, mode: int = 0o644, mtime: int = 1_800_000_000) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as archive:
        for path, data in files.items():
            info = tarfile.TarInfo(path)
            info.size, info.mode, info.mtime, info.uid, info.uname = len(data), mode, mtime, 1000, "somebody"
            archive.addfile(info, io.BytesIO(data))
    return target.getvalue()


def wheel_packed_anew(data: bytes, files: Mapping[str, bytes] | None = None, *, mode: int | None = None) -> bytes:
    """The wheel `data` in other bytes: its files stored, in another order, with other times; some of them changed."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as new:
        new.writestr(zipfile.ZipInfo("some_components/"), b"")
        for info in reversed(old.infolist()):
            again = zipfile.ZipInfo(info.filename, (1999, 12, 31, 0, 0, 0))
            again.external_attr = info.external_attr if mode is None else (stat.S_IFREG | mode) << 16
            new.writestr(again, (files or {}).get(info.filename, old.read(info)))
    return target.getvalue()


def sdist_packed_anew(data: bytes, files: Mapping[str, bytes] | None = None, *, mode: int = 0o600) -> bytes:
    """The sdist `data` in other bytes: another compression, order, owner and times; some files changed."""
    with tarfile.open(fileobj=io.BytesIO(data)) as old:
        members = {info.name: stream.read() for info in reversed(old.getmembers()) if (stream := old.extractfile(info))}
    return gzip.compress(gzip.decompress(sdist_bytes({**members, **(files or {})}, mode=mode, mtime=0)), 1, mtime=0)


def make_wheel(files: Mapping[str, bytes]) -> Wheel:
    """A wheel with `files` beside its metadata."""
    metadata = {path: data for path, data in FILES.items() if path.startswith(INFO)}
    return Wheel.parse(NAME, wheel_bytes({**files, **metadata}))
