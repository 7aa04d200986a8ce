"""Two archives of the same files are the same, whatever packed them."""

from __future__ import annotations

import pytest
from archives import FILES, INFO, NAME, sdist_bytes, sdist_packed_anew, wheel_bytes, wheel_packed_anew

from kfp_release.archive import differing_members, members_of, same_members
from kfp_release.member import BadArchive

SDIST = "some_components-1.2.tar.gz"
ROOT = "some_components-1.2"
WHEEL_DATA = wheel_bytes()
SDIST_DATA = sdist_bytes({f"{ROOT}/PKG-INFO": b"", f"{ROOT}/setup.py": b"1"})


def test_a_wheel_that_was_packed_anew_is_the_same() -> None:
    other = wheel_packed_anew(WHEEL_DATA)
    assert other != WHEEL_DATA
    assert same_members(NAME, WHEEL_DATA, other)
    assert {member.path: member.data for member in members_of(NAME, other)} == FILES


def test_an_sdist_that_was_packed_anew_is_the_same() -> None:
    other = sdist_packed_anew(SDIST_DATA)
    assert other != SDIST_DATA
    assert same_members(SDIST, SDIST_DATA, other)


OTHERS = {
    "other code": (
        NAME,
        WHEEL_DATA,
        wheel_packed_anew(WHEEL_DATA, {"some_components/programs.py": b"def main(): ..."}),
    ),
    "another RECORD": (NAME, WHEEL_DATA, wheel_packed_anew(WHEEL_DATA, {f"{INFO}/RECORD": b"a.py,,\n"})),
    "other modes": (NAME, WHEEL_DATA, wheel_packed_anew(WHEEL_DATA, mode=0o755)),
    "a file more": (NAME, WHEEL_DATA, wheel_bytes({"some_components/more.py": b"", **FILES})),
    "a file less": (NAME, wheel_bytes({"some_components/more.py": b"", **FILES}), WHEEL_DATA),
    "no wheel": (NAME, WHEEL_DATA, b"PK"),
    "other code in an sdist": (SDIST, SDIST_DATA, sdist_packed_anew(SDIST_DATA, {f"{ROOT}/setup.py": b"2"})),
    "a file more in an sdist": (SDIST, SDIST_DATA, sdist_packed_anew(SDIST_DATA, {f"{ROOT}/more.py": b""})),
    "other modes in an sdist": (SDIST, SDIST_DATA, sdist_packed_anew(SDIST_DATA, mode=0o755)),
    "no sdist": (SDIST, SDIST_DATA, b""),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_files_are_not_the_same(name: str) -> None:
    assert not same_members(*OTHERS[name])


@pytest.mark.parametrize(("filename", "data"), [(NAME, SDIST_DATA), (SDIST, WHEEL_DATA), ("some.egg", WHEEL_DATA)])
def test_what_is_no_archive_of_that_name_is_refused(filename: str, data: bytes) -> None:
    with pytest.raises(BadArchive):
        members_of(filename, data)


def test_the_files_that_differ_are_named_and_a_record_only_where_nothing_else_does() -> None:
    ours = members_of(NAME, WHEEL_DATA)

    def differing(files: dict[str, bytes]) -> list[str]:
        return differing_members(members_of(NAME, wheel_packed_anew(WHEEL_DATA, files)), ours)

    assert differing({}) == []
    assert differing({f"{INFO}/RECORD": b"a.py,,\n"}) == [f"{INFO}/RECORD (other bytes)"]
    changed = {f"{INFO}/RECORD": b"a.py,,\n", "some_components/programs.py": b""}
    assert differing(changed) == ["some_components/programs.py (other bytes)"]
    executable = differing_members(members_of(NAME, wheel_packed_anew(WHEEL_DATA, mode=0o755)), ours)
    assert "some_components/__init__.py (mode 0755)" in executable
