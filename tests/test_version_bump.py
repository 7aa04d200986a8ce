from __future__ import annotations

import pytest

from kfp_release.version import ReleaseVersion
from kfp_release.version_bump import Bump, is_enough, needed_bump, next_version

parse = ReleaseVersion.parse


@pytest.mark.parametrize(
    ("base", "changed", "breaking", "bump"),
    [
        ("1.4", True, True, Bump.MAJOR),
        ("1.4", True, False, Bump.MINOR),
        ("1.4", False, False, Bump.PATCH),
        ("0.4", True, True, Bump.MINOR),
        ("0.4", True, False, Bump.MINOR),
        (None, True, True, Bump.MAJOR),
    ],
)
def test_what_breaks_needs_a_major_version_from_1_0_on_and_what_changes_a_minor_one(
    base: str | None, *, changed: bool, breaking: bool, bump: Bump
) -> None:
    version = None if base is None else parse(base)
    assert needed_bump(version, is_changed=changed, is_breaking=breaking) == bump


@pytest.mark.parametrize(
    ("base", "bump", "follows"),
    [
        ("1.4", Bump.MAJOR, "2.0"),
        ("1.4", Bump.MINOR, "1.5"),
        ("1.4", Bump.PATCH, "1.4.1"),
        ("1.4.2", Bump.MAJOR, "2.0.0"),
        ("1.4.2", Bump.MINOR, "1.5.0"),
        ("1.4.2", Bump.PATCH, "1.4.3"),
        ("1.9", Bump.MINOR, "1.10"),
        ("1", Bump.MAJOR, "2"),
        ("1", Bump.MINOR, "1.1"),
        ("1.2.3.4", Bump.PATCH, "1.2.4.0"),
        ("1.4.post1", Bump.PATCH, "1.4.1"),
        ("0.4", Bump.MINOR, "0.5"),
        ("2.0rc1", Bump.MAJOR, "2.0"),
        ("2.0rc1", Bump.MINOR, "2.0"),
        ("1.5.1a1", Bump.MAJOR, "1.5.1"),
        ("1.3.dev4+gabc1234", Bump.PATCH, "1.3"),
    ],
)
def test_the_version_that_follows_has_as_many_numbers_as_the_one_before(base: str, bump: Bump, follows: str) -> None:
    assert str(next_version(parse(base), bump)) == follows


def test_a_version_that_is_taken_is_passed_over() -> None:
    assert str(next_version(parse("1.4"), Bump.MAJOR, taken={parse("2.0"), parse("3.0")})) == "4.0"
    assert str(next_version(parse("2.0rc1"), Bump.MINOR, taken={parse("2.0")})) == "2.1"


@pytest.mark.parametrize(
    ("base", "version", "bump", "enough"),
    [
        ("1.4", "2.0", Bump.MAJOR, True),
        ("1.4", "2.0rc1", Bump.MAJOR, True),
        ("1.4", "3.1", Bump.MAJOR, True),
        ("1.4", "1.5", Bump.MAJOR, False),
        ("1.4", "1.5rc1", Bump.MINOR, True),
        ("1.4", "1.4.1", Bump.MINOR, False),
        ("1.4", "1.4.1", Bump.PATCH, True),
        ("1.4", "1.4.post1", Bump.MINOR, False),
        ("0.4", "0.5", Bump.MINOR, True),
        ("0.4", "1.0", Bump.MINOR, True),
        ("2.0rc1", "2.0rc2", Bump.MAJOR, True),
        ("2.0rc1", "2.0", Bump.MAJOR, True),
    ],
)
def test_a_version_tells_of_a_change_where_the_number_of_it_is_higher(
    base: str, version: str, bump: Bump, *, enough: bool
) -> None:
    assert is_enough(parse(base), parse(version), bump) is enough
