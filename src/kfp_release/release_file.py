"""One wheel or sdist of a version, as an index has it, and whether it is what it says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from kfp_release.carried_pins import sdist_pins, wheel_pins, wheel_problems
from kfp_release.digest import Digest
from kfp_release.errors import ReleaseError
from kfp_release.finding import Finding, Kind
from kfp_release.record import Pins
from kfp_release.sdist import Sdist
from kfp_release.version import ReleaseVersion
from kfp_release.wheel import Wheel


@dataclass(frozen=True, slots=True)
class ReleaseFile:
    """One file. `sha256` is in hex: of its bytes, or what the index announces; empty where it does not tell."""

    project: str
    filename: str
    sha256: str
    pins: Pins | None = None
    """What it carries; None where it was not read, or has none that can be read."""
    findings: tuple[Finding, ...] = ()
    is_yanked: bool = False
    """PEP 592: the index tells installers to pass it over."""
    size: int | None = None
    """In bytes; None where it was not read, and the index does not tell."""

    @classmethod
    def read(cls, project: str, filename: str, data: bytes, version: ReleaseVersion) -> Self:
        """The file with these bytes, which should be of `version` and carry a release's pins."""
        try:
            if filename.endswith(".whl"):
                wheel = Wheel.parse(filename, data)
                pins, package = wheel_pins(wheel)
                lines = [*_problems(filename, pins, version), *wheel_problems(wheel, pins, package)]
            else:
                pins = sdist_pins(Sdist.parse(filename, data))
                lines = [*_problems(filename, pins, version)]
        except ReleaseError as error:
            finding = Finding.of(Kind.OTHER_PINS, filename, error)
            return cls(project, filename, Digest.of(data).hex, None, (finding,), size=len(data))
        findings = tuple(Finding(Kind.OTHER_PINS, filename, line) for line in lines)
        return cls(project, filename, Digest.of(data).hex, pins, findings, size=len(data))

    @property
    def is_wheel(self) -> bool:
        """Or an sdist."""
        return self.filename.endswith(".whl")


def pins_of(files: Iterable[ReleaseFile]) -> Pins | None:
    """What the version's wheel pins, or else its sdist, which pip installs from too; None where neither can be read."""
    carrier = _carrier(files)
    return carrier.pins if carrier else None


def file_findings(project: str, version: ReleaseVersion, files: Sequence[ReleaseFile]) -> Iterator[Finding]:
    """Whether the files of one project and version are one wheel and one sdist, and agree with each other."""
    wheels = sum(file.is_wheel for file in files)
    for name, count, missing in (
        ("wheels", wheels, Kind.WHEEL_MISSING),
        ("sdists", len(files) - wheels, Kind.SDIST_MISSING),
    ):
        if count != 1:
            kind = Kind.SEVERAL_FILES if count else missing
            yield Finding(kind, project, f"the index has {count} {name} of {project} {version}, not one")
    for file in files:
        yield from file.findings
    carrier = _carrier(files)
    for file in files:
        if carrier and file.pins and file.pins != carrier.pins:
            yield Finding(Kind.OTHER_PINS, file.filename, f"{file.filename}: its pins are not {carrier.filename}'s")


def _carrier(files: Iterable[ReleaseFile]) -> ReleaseFile | None:
    """The file whose pins count: wheels before sdists."""
    return next((file for file in sorted(files, key=lambda file: not file.is_wheel) if file.pins), None)


def _problems(filename: str, pins: Pins, version: ReleaseVersion) -> Iterator[str]:
    if pins.version != version:
        yield f"{filename}: its pins are of version {pins.version}"
    if not pins.is_exact:
        yield f"{filename}: it pins tags alone, no digests"
