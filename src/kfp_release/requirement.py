"""Requirements of locks and extras, and the environments that their markers are asked about. Source: PEP 508."""

from __future__ import annotations

from collections.abc import Mapping

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from kfp_release.errors import ReleaseError

_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
_LONGEST = 4000
"""Letters. Python refuses to write down a number of 4300 digits."""
_MOST_PARENTHESES = 40
"""packaging reads each in calls of its own, and evaluates it so."""


class BadRequirement(ReleaseError):
    """A text that is no requirement, or asks for what nobody can tell."""


def parse_requirement(text: str) -> Requirement:
    """Raise `BadRequirement` for what is none, and for a marker that has no answer in any environment."""
    if len(text) > _LONGEST:
        raise BadRequirement(f"{text[:120]!r} goes on for {len(text):,} letters", remedy=f"{_LONGEST:,} are the most")
    if text.count("(") > _MOST_PARENTHESES:
        raise BadRequirement(
            f"{text[:120]!r} has {text.count('(')} parentheses", remedy=f"{_MOST_PARENTHESES} are the most"
        )
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        raise BadRequirement(
            f"{text[:120]!r} is no requirement: {str(error).splitlines()[0][:120]}",
            remedy="write it as name>=version (PEP 508)",
        ) from error
    try:
        # Which names and comparisons there are is the same in every environment.
        counts_in(requirement, environment("linux/amd64", "3.12"))
    except (ValueError, KeyError) as error:  # packaging's own are among them
        raise BadRequirement(
            f"{text[:120]!r} has a marker that cannot be evaluated: {str(error)[:120]}",
            remedy="compare what PEP 508 names, as in python_version >= '3.12' or sys_platform == 'linux'",
        ) from error
    return requirement


def parse_specifiers(text: str) -> SpecifierSet:
    """The versions that ``requires-python`` allows. Raise `BadRequirement` for what are none."""
    if len(text) > _LONGEST:
        raise BadRequirement(f"{text[:120]!r} goes on for {len(text):,} letters", remedy=f"{_LONGEST:,} are the most")
    try:
        return SpecifierSet(text)
    except InvalidSpecifier as error:
        raise BadRequirement(
            f"{text[:120]!r} are no version specifiers", remedy="write them as in >=3.11,<4 (PEP 440)"
        ) from error


def counts_in(requirement: Requirement, place: Mapping[str, str]) -> bool:
    """Whether it is installed in the environment `place`."""
    return requirement.marker is None or requirement.marker.evaluate(dict(place))


def environment(platform: str, python: str) -> dict[str, str]:
    """The environment markers of CPython `python` (``3.12``) on an image's `platform` (``linux/amd64``)."""
    system, _, machine = platform.partition("/")
    machine = machine.partition("/")[0]
    return {
        "extra": "",
        "implementation_name": "cpython",
        "implementation_version": f"{python}.0",
        "os_name": "posix",
        "platform_machine": _MACHINES.get(machine, machine),
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": system.capitalize(),
        "platform_version": "",
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": system,
    }
