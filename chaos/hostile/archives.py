"""Wheels and sdists that mean harm: names that lead elsewhere, members that are no files, headers that lie."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import warnings
import zipfile
from collections.abc import Mapping
from random import Random

from chaos.hostile.documents import PINS
from chaos.hostile.values import NAMES, chance, changed_bytes

ROOT = "some_components-1.2"
_INFO = f"{ROOT}.dist-info"
WHEEL = {
    "some_components/a.py": b"A = 1\n",
    f"{_INFO}/METADATA": b"Metadata-Version: 2.4\nName: some-components\nVersion: 1.2\n\n",
    f"{_INFO}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n\n",
    f"{_INFO}/entry_points.txt": b"[console_scripts]\nmultiply = some_components.programs:main\n",
    f"{_INFO}/RECORD": b"",
}
SDIST = {
    f"{ROOT}/PKG-INFO": b"Metadata-Version: 2.4\n",
    f"{ROOT}/a.py": b"A = 1\n",
    f"{ROOT}/kfp-release-pins.json": json.dumps(PINS).encode(),
}
FILE_NAMES = (
    *("some_components-1.2-py3-none-any.whl", "some_components-1.2.tar.gz", "some_components-1.2.zip"),
    *("other-1.2-py3-none-any.whl", "some_components-1.3.tar.gz", "some_components-1.2-1-py3-none-any.whl"),
    *("-1.2-py3-none-any.whl", "a-1!1-py3-none-any.whl", "a-" + "1" * 5000 + "-py3-none-any.whl"),
    *("a-1-" + "9" * 5000 + "x-py3-none-any.whl", "a-" + "1" * 5000 + ".tar.gz", "a-1-p.p.q-n.m-any.x.whl", "a-1.whl"),
    *("a-1" + "-a" * 60 + ".whl", "a-1.tar.gz/../../x.tar.gz", ".whl", ".tar.gz", "-.tar.gz", "a-1.tar.gz\0"),
)
ZIP_PIECES = (b"PK\1\2", b"PK\3\4", b"PK\5\6", b"PK\6\6", b"\xff" * 4, b"\0" * 4, b"../", b"\x7f\xff\xff\xff")
TAR_PIECES = (b"\xff" * 12, b"\x80" + b"\0" * 11, b"0000000000\0", b"ustar", b"x", b"L", b"2", b"S", b"../", b"-1 ")
_KINDS = (
    *(tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.CONTTYPE),
    *(tarfile.GNUTYPE_SPARSE, tarfile.DIRTYPE, b"Z"),
)
_PAX = (
    *(("path", "../x"), ("path", "/x"), ("size", "-1"), ("size", "1" * 40), ("size", "x"), ("linkpath", "/etc/passwd")),
    *(("mtime", "nan"), ("hdrcharset", "BINARY"), ("GNU.sparse.size", "99999999999"), ("GNU.sparse.major", "1")),
    *(("GNU.sparse.map", "0,1,99999999,1"), ("GNU.sparse.name", "../x"), ("uid", "9" * 99), ("comment", "\ud800")),
)


def wheel(random: Random, files: Mapping[str, bytes] | None = None) -> bytes:
    """A zip of `files`, or those of a wheel, with hostile members and damage here and there."""
    members = _members(random, WHEEL if files is None else files)
    target = io.BytesIO()
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(target, "w") as archive:  # of names that come twice
        for name, data in members:
            info = zipfile.ZipInfo("n" * len(name.encode(errors="surrogatepass")) if "\0" in name else name)
            info.external_attr = random.choice((0o100644, 0o100755, 0, 0o120777, 0o010644, 0o060644, 0o177777)) << 16
            info.external_attr = 0o100644 << 16 if chance(random, 85) else info.external_attr
            info.compress_type = random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
            try:
                archive.writestr(info, data)
            except (UnicodeEncodeError, zipfile.LargeZipFile):
                continue
    made = target.getvalue()
    return changed_bytes(random, made, ZIP_PIECES) if chance(random, 60) else made


def sdist(random: Random, files: Mapping[str, bytes] | None = None) -> bytes:
    """A gzipped tar of `files`, or those of an sdist, with hostile members and damage here and there."""
    tar = changed_bytes(random, _tar(random, SDIST if files is None else files), TAR_PIECES, most=random.choice((0, 3)))
    data = gzip.compress(tar, 1, mtime=0)
    return changed_bytes(random, data) if chance(random, 15) else data


def _tar(random: Random, files: Mapping[str, bytes]) -> bytes:
    target = io.BytesIO()
    kind = random.choice((tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT))
    with tarfile.open(fileobj=target, mode="w", format=kind, errors="surrogateescape") as archive:
        for name, data in _members(random, files):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            if chance(random, 10):
                info.type, info.linkname = random.choice(_KINDS), random.choice((*NAMES, f"{ROOT}/PKG-INFO"))
            if chance(random, 10):
                info.pax_headers = dict([random.choice(_PAX)])
            try:
                archive.addfile(info, io.BytesIO(data))
            except ValueError:  # a name that this format cannot have
                continue
    return target.getvalue()


def _members(random: Random, files: Mapping[str, bytes]) -> list[tuple[str, bytes]]:
    members = list(files.items())
    for _ in range(random.choice((0, 0, 1, 2))):
        name, data = random.choice(members)
        other = random.choice((name, name.upper(), f"{name}/x", f"{ROOT}/{random.choice(NAMES)}", random.choice(NAMES)))
        members.insert(random.randrange(len(members)), (other, data))
    if chance(random, 15):
        members.pop(random.randrange(len(members)))
    return members


def wheel_of(files: Mapping[str, bytes]) -> bytes:
    """A sound zip of `files`."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return target.getvalue()


def sdist_of(files: Mapping[str, bytes]) -> bytes:
    """A sound gzipped tar of `files`."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return gzip.compress(target.getvalue(), 1, mtime=0)
