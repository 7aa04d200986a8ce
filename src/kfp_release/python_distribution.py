"""Python distributions, as their metadata has them. Source: PyPA, core metadata; recording installed projects."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.metadata import parse_email
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name

from kfp_release.errors import ReleaseError

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,198}[A-Za-z0-9])?", re.ASCII)
_VERSION = re.compile(r"[A-Za-z0-9.!+_-]{1,200}", re.ASCII)
_LONGEST: Final = 200
"""Letters of a licence that is a name and no text."""
_HEAD = re.compile(rb"\r?\n\r?\n")


class BadMetadata(ReleaseError):
    """A file that should have been a distribution's metadata is none."""


@dataclass(frozen=True, slots=True)
class PythonDistribution:
    """One distribution: what its METADATA says."""

    name: str
    version: str
    licence: str
    """An SPDX expression, or in other words; empty where it names none."""
    has_expression: bool
    """Whether `licence` is an SPDX expression."""
    requires: tuple[tuple[str, Requirement], ...]
    """Each as it is written, and what it says."""

    @property
    def key(self) -> NormalizedName:
        """Its name in its normal form."""
        return canonicalize_name(self.name)

    def required(self, *, python: str, machine: str, extra: str = "") -> tuple[NormalizedName, ...]:
        """What it needs on Linux, by name, sorted; with an extra where one is given.

        `python` is ``3.12``, `machine` as Python calls it: ``x86_64``.
        """
        # All that a marker can ask for, so that nothing of this machine is in the answer.
        there = {
            "implementation_name": "cpython",
            "implementation_version": f"{python}.0",
            "os_name": "posix",
            "platform_machine": machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": f"{python}.0",
            "python_version": python,
            "sys_platform": "linux",
            "extra": extra,
        }
        return tuple(sorted({canonicalize_name(one.name) for _, one in self.requires if _applies(one, there)}))


def python_distribution(metadata: bytes) -> PythonDistribution:
    """`metadata` is a METADATA or PKG-INFO; the README in its body is not looked at.

    Raise `BadMetadata` where it has no name or version.
    """
    raw, _ = parse_email(_HEAD.split(metadata, 1)[0] + b"\n\n")
    name, version = raw.get("name", ""), raw.get("version", "")
    if not _NAME.fullmatch(name) or not _VERSION.fullmatch(version):
        raise BadMetadata(f"it has the name {name[:80]!a} and the version {version[:80]!a}")
    licence, is_expression = _licence(raw.get("license_expression", ""), raw.get("license", ""))
    requires = tuple(found for text in raw.get("requires_dist", ()) for found in _requirement(text))
    return PythonDistribution(name, version, licence, is_expression, requires)


def _licence(expression: str, named: str) -> tuple[str, bool]:
    for text in (expression, named):
        if text and len(text) <= _LONGEST:
            try:
                return str(canonicalize_license_expression(text)), True
            except InvalidLicenseExpression:
                continue
    for text in (expression.strip(), named.strip()):
        if text and len(text) <= _LONGEST and text.isprintable():
            return text, False
    return "", False


def _requirement(text: str) -> list[tuple[str, Requirement]]:
    try:
        return [(text, Requirement(text))]
    except InvalidRequirement:
        return []


def _applies(requirement: Requirement, environment: dict[str, str]) -> bool:
    if requirement.marker is None:
        return True
    try:
        return requirement.marker.evaluate(environment)
    except (UndefinedComparison, UndefinedEnvironmentName, ValueError):
        return True
