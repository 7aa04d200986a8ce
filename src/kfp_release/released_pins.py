"""The pins of one public version, as its wheel on the index has them; nothing of a checkout takes part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kfp_release.errors import ReleaseError
from kfp_release.finding import Kind
from kfp_release.record import Pins
from kfp_release.release_file import file_findings, pins_of
from kfp_release.released_files import PackageIndex, files_by_version, read_file
from kfp_release.version import ReleaseVersion


@dataclass(frozen=True, slots=True)
class ReleasedPins:
    """What a version pins, and who says that it is withdrawn; empty where nobody does."""

    pins: Pins
    withdrawn: str

    def require_current(self, remedy: str) -> None:
        """Raise `ReleaseError` where the version is withdrawn."""
        if self.withdrawn:
            raise ReleaseError(
                f"{self.pins.distribution} {self.pins.version} is withdrawn: {self.withdrawn}", remedy=remedy
            )


def released_pins(
    version: ReleaseVersion,
    *,
    distribution: str,
    index: PackageIndex,
    withdrawn: Mapping[ReleaseVersion, str] | None = None,
) -> ReleasedPins:
    """Those of the wheel, which is whole and exact; an index that has wheels alone will do.

    `withdrawn` are versions that branches withdraw, each with one that does; the index may do so too (PEP 592).
    Raise `ReleaseError` where the index cannot be asked, or has no such wheel.
    """
    listed = files_by_version(index, distribution).get(version, [])
    if not listed:
        raise ReleaseError(
            f"the index has no file of {distribution} {version}",
            remedy="kfp-release status lists the versions; is it the right index?",
        )
    files = [read_file(index, file, project=distribution, version=version) for file in listed]
    findings = [one for one in file_findings(distribution, version, files) if one.kind is not Kind.SDIST_MISSING]
    pins = pins_of(files)
    if findings or pins is None:
        raise ReleaseError(
            f"{distribution} {version} on the index is not as a release leaves it:\n"
            + "\n".join(one.text for one in findings),
            remedy=f"kfp-release status tells more; kfp-release reconcile {version} completes what is missing",
        )
    yanked = [file.filename for file in listed if file.yanked]
    by_branch = f"{withdrawn[version]} says so" if withdrawn and version in withdrawn else ""
    return ReleasedPins(pins, by_branch or (f"the index has yanked {yanked[0]}" if yanked else ""))
