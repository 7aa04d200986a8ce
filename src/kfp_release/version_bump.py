"""What a change of interfaces asks of the version that follows. Source: Semantic Versioning 2.0.0, items 4 and 6 to 8.

A version before 1.0 may break what it likes with its second number, as is the custom; and a pre-release promises
nothing, so that its own final version may follow whatever has changed.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from itertools import count

from packaging.version import Version

from kfp_release.version import ReleaseVersion


class Bump(StrEnum):
    """Which number of the version must go up."""

    MAJOR = "major"
    MINOR = "minor"
    PATCH = "patch"


_ORDER = (Bump.MAJOR, Bump.MINOR, Bump.PATCH)


def needed_bump(base: ReleaseVersion | None, *, is_changed: bool, is_breaking: bool) -> Bump:
    """The smallest step from `base` that tells of such changes; without a base as from 1.0 on."""
    if is_breaking:
        return Bump.MAJOR if base is None or base.version.major else Bump.MINOR
    return Bump.MINOR if is_changed else Bump.PATCH


def next_version(base: ReleaseVersion, bump: Bump, *, taken: Collection[ReleaseVersion] = ()) -> ReleaseVersion:
    """The final version that follows `base` by this step and is not `taken`, in as many numbers: 2.0 after 1.4.

    After a pre-release, 2.0rc1, it is that version itself: 2.0.
    """
    place = _ORDER.index(bump)
    numbers = [*base.version.release, *([0] * (place + 1 - len(base.version.release)))]
    first = 0 if base.version.is_prerelease else 1
    for step in count(first):
        stepped = [*numbers[:place], numbers[place] + step, *([0] * (len(numbers) - place - 1))]
        found = ReleaseVersion(Version(".".join(map(str, stepped if step else base.version.release))))
        if found not in taken:
            return found
    raise AssertionError  # numbers do not end


def is_enough(base: ReleaseVersion, version: ReleaseVersion, bump: Bump) -> bool:
    """Whether `version` is at least that step from `base`; a pre-release counts as the version that it leads to."""
    if base.version.is_prerelease:
        return version > base
    place = _ORDER.index(bump) + 1
    return _numbers(version)[:place] > _numbers(base)[:place]


def _numbers(version: ReleaseVersion) -> tuple[int, int, int]:
    return version.version.major, version.version.minor, version.version.micro
