from __future__ import annotations

import gzip
import io
import tarfile
import tracemalloc

import pytest
from archives import sdist_bytes

from kfp_release.errors import ReleaseError
from kfp_release.member import BadArchive
from kfp_release.sdist import Sdist

NAME = "some_components-1.2.tar.gz"
ROOT = "some_components-1.2"
FILES = {
    f"{ROOT}/src/some_components/__init__.py": b"",
    f"{ROOT}/pyproject.toml": b"[project]\n",
    f"{ROOT}/PKG-INFO": b"Metadata-Version: 2.4\n",
}


def header(size: int, kind: bytes = tarfile.REGTYPE, *, name: str = f"{ROOT}/PKG-INFO") -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT)


def test_an_sdist_says_what_it_is() -> None:
    sdist = Sdist.parse(NAME, sdist_bytes(FILES))
    assert (sdist.name, sdist.version, sdist.root) == ("some-components", "1.2", ROOT)
    assert sdist.paths == ("PKG-INFO", "pyproject.toml", "src/some_components/__init__.py")
    assert sdist.read("pyproject.toml") == b"[project]\n"


def test_order_time_owner_umask_and_compression_do_not_show() -> None:
    one = Sdist.parse(NAME, sdist_bytes(FILES, mode=0o600)).to_bytes(1000)
    other = Sdist.parse(NAME, sdist_bytes(dict(reversed(FILES.items())), mode=0o664, mtime=5)).to_bytes(1000)
    assert one == other == Sdist.parse(NAME, one).to_bytes(1000)


def test_all_is_of_one_time_and_of_owner_0() -> None:
    with tarfile.open(fileobj=io.BytesIO(Sdist.parse(NAME, sdist_bytes(FILES)).to_bytes(1000)), mode="r:gz") as archive:
        members = archive.getmembers()
    assert [member.name for member in members] == [
        ROOT,
        f"{ROOT}/PKG-INFO",
        f"{ROOT}/pyproject.toml",
        f"{ROOT}/src",
        f"{ROOT}/src/some_components",
        f"{ROOT}/src/some_components/__init__.py",
    ]
    assert {(member.mtime, member.uid, member.gid, member.uname, member.gname) for member in members} == {
        (1000, 0, 0, "", "")
    }
    assert {member.mode for member in members} == {0o755, 0o644}


def test_files_are_added_replaced_and_left_out() -> None:
    sdist = Sdist.parse(NAME, sdist_bytes(FILES)).with_files({"pins.json": b"{}", "pyproject.toml": b"new"})
    assert (sdist.read("pins.json"), sdist.read("pyproject.toml")) == (b"{}", b"new")
    with pytest.raises(BadArchive, match=r"has no pins\.json"):
        sdist.without(["pins.json"]).read("pins.json")


@pytest.mark.parametrize(
    "path",
    ["../evil", "/etc/passwd", f"{ROOT}/../../evil", f"{ROOT}/a\\b", f"{ROOT}//a", "C:/evil", f"{ROOT}/" + "a/" * 999],
)
def test_a_member_that_could_leave_its_folder_is_refused(path: str) -> None:
    with pytest.raises(BadArchive, match="could leave the folder"):
        Sdist.parse(NAME, sdist_bytes({**FILES, path: b""}))


def test_a_member_whose_name_is_no_utf_8_is_refused() -> None:
    name = tarfile.TarInfo(f"{ROOT}/n\udcffme").tobuf(tarfile.GNU_FORMAT, errors="surrogateescape")
    with pytest.raises(BadArchive, match=r"called '.*/n\\udcffme', which UTF-8 cannot hold"):
        Sdist.parse(NAME, gzip.compress(name + bytes(1024)))


def test_two_members_that_some_systems_take_for_one_are_refused() -> None:
    with pytest.raises(BadArchive, match=r"two members called '.*/README' and '.*/ReadMe', the same"):
        Sdist.parse(NAME, sdist_bytes({**FILES, f"{ROOT}/README": b"", f"{ROOT}/ReadMe": b""}))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE])
def test_what_is_no_plain_file_is_refused(kind: bytes) -> None:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as archive:
        info = tarfile.TarInfo(f"{ROOT}/link")
        info.type, info.linkname = kind, f"{ROOT}/PKG-INFO"
        archive.addfile(info)
    with pytest.raises(BadArchive, match="link', which is no plain file"):
        Sdist.parse(NAME, target.getvalue())


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (10**6, "cannot be read: unexpected end of data"),
        (1 << 40, "cannot be read: unexpected end of data"),
        (1 << 62, "cannot be read: "),
        (1 << 80, "cannot be read: "),
        (-512, "cannot be read: unexpected end of data|cannot be read: invalid offset"),
        (-1024, "cannot be read: unexpected end of data|cannot be read: invalid offset"),
        (-(1 << 80), "cannot be read: "),
    ],
)
def test_a_size_that_no_member_has_is_refused(size: int, message: str) -> None:
    for rest in (b"x" * 1024, b""):
        with pytest.raises(BadArchive, match=message):
            Sdist.parse(NAME, gzip.compress(header(0, name="a") + header(0, name="b") + header(size) + rest))


def test_a_bomb_is_refused_before_it_is_inflated_as_a_whole() -> None:
    data = gzip.compress(bytes(64 * 1024 * 1024))
    with pytest.raises(
        BadArchive, match=r"has 65,\d+ bytes and would be 34,603,008 or more unpacked, of 33,554,432 at"
    ):
        Sdist.parse(NAME, data)


def test_an_sdist_is_held_twice_while_it_is_read_and_no_more_often() -> None:
    size = 24 * 1024 * 1024
    data = sdist_bytes({**FILES, f"{ROOT}/zeros": bytes(size)})
    tracemalloc.start()
    try:
        sdist = Sdist.parse(NAME, data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(sdist.read("zeros")) == size
    assert peak < 2.3 * size


def test_a_sparse_file_is_refused_however_long_it_is() -> None:
    old = bytearray(tarfile.TarInfo(f"{ROOT}/holes").tobuf(tarfile.GNU_FORMAT))
    old[156:157] = tarfile.GNUTYPE_SPARSE
    old[483:495] = b"77777777777\0"  # its length when it is unpacked: eight gigabytes
    old[148:156] = b"%06o\0 " % sum(old[:148] + b" " * 8 + old[156:])
    new = tarfile.TarInfo(f"{ROOT}/holes")
    new.pax_headers = {"GNU.sparse.size": "9999999999999", "GNU.sparse.map": "0,0"}
    for member in (bytes(old), new.tobuf(tarfile.PAX_FORMAT)):
        with pytest.raises(BadArchive, match=r"has '.*/holes', which is no plain file"):
            Sdist.parse(NAME, gzip.compress(member + header(0) + bytes(1024)))


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        (header(5000, tarfile.XHDTYPE) + bytes(5120), "has a header of 5000 bytes"),
        ((header(4096, tarfile.XGLTYPE) + bytes(4096)) * 1025, "has a header of 4096 bytes|maximum recursion"),
        (
            (header(2, tarfile.GNUTYPE_LONGNAME) + b"a".ljust(512, b"\0")) * 2000,
            "cannot be read: maximum recursion depth",
        ),
    ],
    ids=["long", "long together", "headers of headers"],
)
def test_headers_that_extend_others_are_few_and_short(headers: bytes, message: str) -> None:
    with pytest.raises(BadArchive, match=message):
        Sdist.parse(NAME, gzip.compress(headers + header(0) + bytes(1024)))


def test_no_more_members_are_read_than_an_sdist_has() -> None:
    files = b"".join(header(0, name=f"{ROOT}/{number}") for number in range(20_001))
    with pytest.raises(BadArchive, match="has 20,001 members, and 20,000 are the most"):
        Sdist.parse(NAME, gzip.compress(files))


@pytest.mark.parametrize("size", [1 << 40, 1 << 62, 1 << 80, -512, -(1 << 80)])
@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_SPARSE])
def test_a_size_that_no_extended_header_has_is_refused(kind: bytes, size: int) -> None:
    with pytest.raises(BadArchive):
        Sdist.parse(NAME, gzip.compress(header(0, name="a") + header(size, kind) + b"x" * 1024 + header(0)))


@pytest.mark.parametrize(
    ("filename", "data", "message"),
    [
        ("some_components.zip", sdist_bytes(FILES), "is not an sdist's file name"),
        ("some_components-1.2.zip", sdist_bytes(FILES), "is not the name of a .tar.gz file"),
        (NAME, b"no gzip", "cannot be read"),
        (NAME, sdist_bytes(FILES)[:-40], "cannot be read"),
        (NAME, sdist_bytes({**FILES, "stray": b""}), "'stray' outside its folder"),
        (NAME, sdist_bytes({f"{ROOT}/a": b""}), "has no PKG-INFO"),
        ("other-1.2.tar.gz", sdist_bytes(FILES), "outside its folder other-1.2/"),
    ],
)
def test_what_is_no_sdist_is_refused(filename: str, data: bytes, message: str) -> None:
    with pytest.raises(ReleaseError, match=message):
        Sdist.parse(filename, data)
