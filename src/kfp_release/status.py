"""Every version of a project: what git asks for, against what ECR and the index have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kfp_release.actual import actual_releases
from kfp_release.comparison import compare
from kfp_release.config import Config
from kfp_release.desired import desired_releases
from kfp_release.ecr import EcrRepository
from kfp_release.errors import Problem
from kfp_release.git import Git
from kfp_release.image_ref import Repository
from kfp_release.progress import Progress
from kfp_release.released_files import FileReader, PackageIndex, read_file
from kfp_release.scan_gate import scanned_rows
from kfp_release.scan_rules import ScanRules
from kfp_release.source import refuse_shallow
from kfp_release.status_row import State, StatusRow
from kfp_release.version import ReleaseVersion

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Status:
    """A row a version, the newest first."""

    distribution: str
    rows: tuple[StatusRow, ...]
    foreign: tuple[ReleaseVersion, ...]
    """Versions whose tags are of commits that are not configured for this tool: nothing was looked at."""
    warnings: tuple[Problem, ...]
    """Lifecycle rules that would take away what is there."""

    @property
    def is_good(self) -> bool:
        """Whether nothing is to be done."""
        return all(row.is_good for row in self.rows)

    @property
    def refused(self) -> int:
        """How many versions have a scan that found what the configuration refuses."""
        return sum(row.is_refused for row in self.rows)

    @property
    def counts(self) -> Mapping[State, int]:
        """How many versions there are of each state that there is, in the order of the states."""
        found = Counter(row.state for row in self.rows)
        return {state: found[state] for state in State if found[state]}

    def to_json(self) -> dict[str, Any]:
        """For ``--json``; the shape is documented in docs/operations.md."""
        return {
            "schema": SCHEMA,
            "distribution": self.distribution,
            "good": self.is_good,
            "counts": {state.value: count for state, count in self.counts.items()},
            "refused": self.refused,
            "versions": [row.to_json() for row in self.rows],
            "foreign": [str(version) for version in self.foreign],
            "warnings": [asdict(warning) for warning in self.warnings],
        }


def status(
    project: Path,
    config: Config,
    *,
    environ: Mapping[str, str],
    stores: Callable[[Repository], EcrRepository],
    index: PackageIndex,
    progress: Progress,
    versions: Collection[ReleaseVersion] | None = None,
    read: FileReader = read_file,
    scan: ScanRules | None = None,
) -> Status:
    """Look at all versions, or at `versions` alone, and change nothing; at the scans of their images too, with `scan`.

    `read` reads the files of the index. `environ` may move the registry of what older commits configure, as it did
    that of `config`. A version of which there is neither tag nor image nor file has no row. Raise `ReleaseError` for a
    shallow clone, and where the index, or ECR for a repository of `config`, cannot be asked; of another repository that
    cannot, the versions tell.
    """
    git = Git(project)
    progress.step("look at git")
    refuse_shallow(git)
    desired = desired_releases(git, config, environ)
    progress.step("look at ECR and the index")
    actual = actual_releases(desired, stores=stores, index=index, versions=versions, read=read)
    asked = {release.version: release for release in desired.releases}
    all_versions = asked.keys() | actual.seen.versions - set(desired.foreign)
    chosen = [version for version in all_versions if versions is None or version in versions]
    rows = tuple(
        compare(asked.get(version) or desired.without_tag(version), actual.seen)
        for version in sorted(chosen, reverse=True)
    )
    if scan is not None:
        progress.step("look at the scans of the images")
        rows = scanned_rows(rows, scan, stores=stores)
    return Status(config.distribution, rows, desired.foreign, actual.warnings)
