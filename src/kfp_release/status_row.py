"""The state of one version: what should be, what is, and what that comes to."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from kfp_release.digest import Digest
from kfp_release.errors import Problem
from kfp_release.finding import Finding, Kind
from kfp_release.image_ref import Repository
from kfp_release.release_file import ReleaseFile
from kfp_release.scan import Scan
from kfp_release.version import ReleaseVersion

_ALLOWED = {
    Kind.IMAGE_ARCHIVED,
    Kind.LAYERS_MISSING,
    Kind.FILE_GONE,
    Kind.FILE_YANKED,
    Kind.NO_GIT_TAG,
    Kind.REPOSITORY_NOT_ASKED,
}
"""What may become of a withdrawn version besides that parts of it go."""


class State(StrEnum):
    """What a version is. The words are for people and for programs."""

    IN_ORDER = "in order"
    NOT_RELEASED = "not released"
    INCOMPLETE = "incomplete"
    ABANDONED = "abandoned"
    DRIFT = "drift"
    WITHDRAWN = "withdrawn"
    SNAPSHOT = "snapshot"

    @property
    def is_good(self) -> bool:
        """Whether nothing is to be done."""
        return self in {State.IN_ORDER, State.WITHDRAWN, State.SNAPSHOT}


@dataclass(frozen=True, slots=True)
class ImageState:
    """One owned image of a version."""

    name: str
    repository: Repository
    tag: str
    digest: Digest | None
    """What the tag leads to in ECR; None where it has none."""
    pinned: Digest | None
    """What the wheel pins, or else the sdist; None where neither does."""
    scan: Scan | None = None
    """What ECR tells of its scan; None where that was not asked."""

    def to_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "name": self.name,
            "repository": str(self.repository),
            "tag": self.tag,
            "digest": str(self.digest) if self.digest else None,
            "pinned": str(self.pinned) if self.pinned else None,
            "scan": self.scan.to_json() if self.scan else None,
        }


@dataclass(frozen=True, slots=True)
class StatusRow:
    """One version. `commit` is that of its git tag, in hex; empty where it has no tag."""

    version: ReleaseVersion
    commit: str
    withdrawn: str
    """A branch whose CHANGELOG withdraws it; empty where none does."""
    distribution: str
    images: tuple[ImageState, ...]
    files: tuple[ReleaseFile, ...]
    """Those of the version that the index has, of all projects."""
    findings: tuple[Finding, ...]
    scan_problems: tuple[Problem, ...] = ()
    """What its images' scans are refused for, or warned of. The state is told without them."""

    @property
    def is_refused(self) -> bool:
        """Whether a scan found what the configuration refuses."""
        return any(problem.severity == "error" for problem in self.scan_problems)

    @property
    def is_good(self) -> bool:
        """Whether nothing is to be done."""
        return self.state.is_good and not self.is_refused

    @property
    def missing(self) -> tuple[Finding, ...]:
        """What is not there, and could be added from the tag without overwriting anything."""
        return tuple(finding for finding in self.findings if finding.is_missing)

    @property
    def disagreements(self) -> tuple[Finding, ...]:
        """What is otherwise than something else says."""
        return tuple(finding for finding in self.findings if not finding.is_missing)

    @property
    def state(self) -> State:
        """What they come to. A snapshot is never drift, nor is a withdrawn version for what it lacks."""
        if self.version.is_snapshot:
            return State.SNAPSHOT
        if self.withdrawn and all(finding.kind in _ALLOWED for finding in self.disagreements):
            return State.WITHDRAWN
        if self.disagreements:
            return State.DRIFT
        if not self.missing:
            return State.IN_ORDER
        has_image = any(image.digest for image in self.images)
        if not has_image and not self.files:
            return State.NOT_RELEASED
        is_installable = any(file.project == self.distribution for file in self.files)
        return State.INCOMPLETE if is_installable or not has_image else State.ABANDONED

    @property
    def remedies(self) -> tuple[str, ...]:
        """What to do, each once; nothing where all is good."""
        if self.state.is_good:
            return ()
        found = [finding.remedy for finding in self.findings if finding.remedy]
        if self.state is not State.DRIFT:
            return tuple(dict.fromkeys(["kfp-release reconcile", *found]))
        if not all(finding.remedy for finding in self.disagreements):
            look = f"see what changed (kfp-release verify {self.version} looks closer)"
            withdraw = "what is public is never overwritten: withdraw the version in CHANGELOG.md, and release the next"
            found.append(f"{look}; {withdraw}")
        return tuple(dict.fromkeys(found))

    def to_json(self) -> dict[str, Any]:
        """For ``--json``; the shape is documented in docs/operations.md."""
        return {
            "version": str(self.version),
            "tag": self.version.tag if self.commit else None,
            "commit": self.commit or None,
            "state": self.state.value,
            "withdrawn": self.withdrawn or None,
            "images": [image.to_json() for image in self.images],
            "files": [
                {"project": file.project, "filename": file.filename, "sha256": file.sha256 or None}
                for file in self.files
            ],
            "missing": [finding.to_json() for finding in self.missing],
            "disagreements": [finding.to_json() for finding in self.disagreements],
            "remedies": list(self.remedies),
            "refused": self.is_refused,
            "scan_problems": [asdict(problem) for problem in self.scan_problems],
        }
