from __future__ import annotations

import io
import stat
import struct
import subprocess
import sys
import zipfile

import pytest
from archives import FILES, INFO, NAME, PURE, wheel_bytes

from kfp_release.errors import ReleaseError
from kfp_release.member import BadArchive
from kfp_release.wheel import Wheel


def wheel(**changed: bytes) -> Wheel:
    return Wheel.parse(NAME, wheel_bytes({**FILES, **{f"{INFO}/{name}": data for name, data in changed.items()}}))


def names(data: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.namelist()


def test_a_wheel_says_what_it_is() -> None:
    parsed = wheel()
    assert (parsed.name, parsed.version, parsed.is_pure) == ("some-components", "1.2", True)
    assert parsed.read("some_components/pins.json") == b"{}\n"


def test_its_metadata_comes_last_and_record_at_the_very_end() -> None:
    listed = names(wheel().to_bytes())
    assert listed[:4] == sorted(path for path in FILES if path.startswith("some_components/"))
    assert listed[4:] == [f"{INFO}/{name}" for name in ("METADATA", "WHEEL", "entry_points.txt", "RECORD")]


def test_order_time_umask_and_compression_do_not_show() -> None:
    one = Wheel.parse(NAME, wheel_bytes(FILES, mode=0o600)).to_bytes()
    other = Wheel.parse(NAME, wheel_bytes(dict(reversed(list(FILES.items()))), mode=0o664)).to_bytes()
    assert one == other == Wheel.parse(NAME, one).to_bytes()


def test_members_are_stored_of_1980_and_of_unix() -> None:
    with zipfile.ZipFile(io.BytesIO(wheel().to_bytes())) as archive:
        for info in archive.infolist():
            assert info.compress_type == zipfile.ZIP_STORED
            assert info.date_time == (1980, 1, 1, 0, 0, 0)
            assert info.external_attr >> 16 == stat.S_IFREG | 0o644
            assert info.create_system == 3


def test_an_executable_stays_one() -> None:
    parsed = Wheel.parse(NAME, wheel_bytes(mode=0o700))
    assert {member.mode for member in parsed.members if not member.path.endswith("RECORD")} == {0o755}


def test_files_are_added_and_replaced_and_record_knows() -> None:
    changed = wheel().with_files({"some_components/pins.json": b"new", "some_components/yaml/a.yaml": b"a"})
    assert changed.read("some_components/pins.json") == b"new"
    record = changed.read(f"{INFO}/RECORD").decode()
    assert "some_components/yaml/a.yaml,sha256=ypeBEsobvcr6wjGzmiPcTaeG7_gUfE5yuYB3ha_uSLs,1\n" in record
    assert record.endswith(f"{INFO}/RECORD,,\n")
    assert len(record.splitlines()) == len(changed.members)


def test_files_are_left_out_and_record_knows() -> None:
    changed = wheel().without(["some_components/pins.json", "nothing"])
    assert "pins.json" not in changed.read(f"{INFO}/RECORD").decode()
    with pytest.raises(BadArchive, match=r"has no some_components/pins\.json"):
        changed.read("some_components/pins.json")


@pytest.mark.parametrize(
    ("wheel_file", "pure"),
    [
        (PURE, True),
        (PURE.replace(b"py3-none-any\n", b"py2-none-any\nTag: py3-none-any\n"), True),
        (PURE.replace(b"true", b"false"), False),
        (PURE.replace(b"py3-none-any", b"cp312-cp312-linux_x86_64"), False),
        (b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\n\n", False),
        (PURE.replace(b"\n\n", b"\nTag: cp312-abi3-any\n\n"), False),
    ],
)
def test_pure_means_purelib_and_no_other_tags_than_none_any(wheel_file: bytes, pure: bool) -> None:  # noqa: FBT001
    assert wheel(WHEEL=wheel_file).is_pure is pure


@pytest.mark.parametrize(
    "path",
    [
        *("../evil.py", "/etc/passwd", "a/../../evil", "a//b", "./a", "a\\..\\b", "C:/evil", "C:evil", "a/.", "a\nb"),
        *("a\0b", "\\\\host\\x", "a/" * 600 + "a"),
    ],
)
def test_a_member_that_could_leave_its_folder_is_refused(path: str) -> None:
    stand_in = "p" * len(path)  # zipfile itself would not write such a name
    data = wheel_bytes({**FILES, stand_in: b""}).replace(stand_in.encode(), path.encode())
    with pytest.raises(BadArchive, match="could leave the folder"):
        Wheel.parse(NAME, data)
    with pytest.raises(BadArchive, match="could leave the folder"):
        wheel().with_files({path: b""})


def test_a_member_without_a_name_is_refused() -> None:
    data = bytearray(wheel_bytes({**FILES, "n": b""}))
    entry = data.rindex(b"PK\x01\x02")
    assert data[entry + 46 : entry + 47] == b"n"
    data[entry + 28 : entry + 30] = b"\0\0"  # the name's length in the central directory
    data[entry + 30 : entry + 32] = b"\1\0"  # the extra field begins where the name was
    with pytest.raises(BadArchive, match=r"called ''|cannot be read"):
        Wheel.parse(NAME, bytes(data))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFDIR])
def test_what_is_no_plain_file_is_refused(kind: int) -> None:
    target = io.BytesIO(wheel_bytes())
    with zipfile.ZipFile(target, "a") as archive:
        info = zipfile.ZipInfo("some_components/link")
        info.external_attr = (kind | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(BadArchive, match="some_components/link', which is no plain file"):
        Wheel.parse(NAME, target.getvalue())


def test_two_members_of_one_path_are_refused() -> None:
    data = wheel_bytes({**FILES, "some_components/progrems.py": b""}).replace(b"progrems", b"programs")
    with pytest.raises(BadArchive, match=r"two members called .some_components/programs\.py."):
        Wheel.parse(NAME, data)


@pytest.mark.parametrize(("one", "other"), [("a/B.py", "A/b.py"), ("caf\xe9", "cafe\u0301"), ("stra\xdfe", "STRASSE")])
def test_two_members_that_some_systems_take_for_one_are_refused(one: str, other: str) -> None:
    with pytest.raises(BadArchive, match=f"two members called '{one}' and '{other}', the same"):
        Wheel.parse(NAME, wheel_bytes({**FILES, one: b"", other: b""}))


@pytest.mark.parametrize("file", ["a", "A"])
def test_a_file_that_is_a_folder_too_is_refused(file: str) -> None:
    with pytest.raises(BadArchive, match=f"'{file}' both as a file and as a folder"):
        wheel().with_files({file: b"", "a/b": b""})


def test_a_bomb_is_refused_before_it_is_inflated() -> None:
    data = wheel_bytes({**FILES, "zeros": bytes(32 * 1024 * 1024)})
    with pytest.raises(
        BadArchive, match=r"has 3\d,\d+ bytes and would be 33,554,\d+ or more unpacked, of 33,554,432 at"
    ):
        Wheel.parse(NAME, data)


def test_a_bomb_whose_members_share_their_bytes_is_refused() -> None:
    data = wheel_bytes({"zeros-000": bytes(1024 * 1024)})
    start = data.rindex(b"PK\1\2")
    entry, end = data[start : data.rindex(b"PK\5\6")], bytearray(data[data.rindex(b"PK\5\6") :])
    entries = b"".join(entry.replace(b"zeros-000", b"zeros-%03d" % number) for number in range(100))
    end[8:16] = struct.pack("<HHL", 100, 100, len(entries))
    with pytest.raises(BadArchive, match=r"would be 104,857,600 or more unpacked"):
        Wheel.parse(NAME, data[:start] + entries + bytes(end))


def test_a_member_that_says_less_than_it_has_is_refused() -> None:
    data = bytearray(wheel_bytes({**FILES, "zeros": bytes(1024 * 1024)}))
    at = data.rindex(b"zeros") - 22  # the length in the central directory
    data[at : at + 4] = struct.pack("<L", 3)
    with pytest.raises(BadArchive, match="Bad CRC-32"):
        Wheel.parse(NAME, bytes(data))


def test_no_more_members_are_listed_than_a_wheel_has() -> None:
    with pytest.raises(BadArchive, match="has 20,001 members, and 20,000 are the most"):
        Wheel.parse(NAME, b"PK\1\2" * 20_001)


@pytest.mark.parametrize(
    ("filename", "data", "message"),
    [
        ("some_components.whl", wheel_bytes(), "is not a wheel's file name"),
        (NAME, b"PK no zip", "cannot be read"),
        (NAME, wheel_bytes()[:-30], "cannot be read"),
        (NAME, wheel_bytes({"a.py": b""}), "0 dist-info folders"),
        (NAME, wheel_bytes({**FILES, "b-1.dist-info/METADATA": b""}), "2 dist-info folders"),
        (NAME, wheel_bytes({f"{INFO}/METADATA": b""}), "has no some_components-1.2.dist-info/WHEEL"),
        ("other-1.2-py3-none-any.whl", wheel_bytes(), "holds some_components-1.2.dist-info"),
    ],
)
def test_what_is_no_wheel_is_refused(filename: str, data: bytes, message: str) -> None:
    with pytest.raises(ReleaseError, match=message):
        Wheel.parse(filename, data)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damaged_compression_is_seen(method: int) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("some_components/data.txt", "some text " * 100)
    data = bytearray(file.getvalue())
    start = data.index(b"data.txt") + len("data.txt")
    data[start : start + 16] = b"\xff" * 16
    with pytest.raises(BadArchive, match="cannot be read"):
        Wheel.parse(NAME, bytes(data))


def test_a_member_that_wants_more_memory_than_there_is_is_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("some_components/data.txt", "some text")
    data = bytearray(file.getvalue())
    dictionary = data.index(b"data.txt") + len("data.txt") + 5  # after version, length of the properties, lc, lp, pb
    data[dictionary : dictionary + 4] = b"\xff" * 4
    program = (
        "import resource, sys\nfrom kfp_release.errors import ReleaseError\nfrom kfp_release.wheel import Wheel\n"
        "resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))\n"
        f"try: Wheel.parse({NAME!r}, sys.stdin.buffer.read())\nexcept ReleaseError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", program], input=bytes(data), capture_output=True, check=True)
    assert done.stdout.startswith(f"{NAME} cannot be read".encode())


def test_a_flipped_bit_is_seen() -> None:
    data = wheel().to_bytes().replace(b"print('6.0')", b"print('7.0')")
    with pytest.raises(BadArchive, match="Bad CRC-32"):
        Wheel.parse(NAME, data)
