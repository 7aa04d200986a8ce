"""Completes what git has and ECR or the index lacks: each version from its tag, in a clone of its own.

The checkout is not touched, and nothing is overwritten: a version of which something else is public is refused, and the
next one goes on. A withdrawn version is left as it is.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from kfp_release.config import PYPROJECT, Config
from kfp_release.errors import ReleaseError
from kfp_release.git import Git
from kfp_release.progress import Progress
from kfp_release.publish import SENT
from kfp_release.release import Access, Released, release
from kfp_release.runtimes import BuildOptions
from kfp_release.source import release_source
from kfp_release.status_row import State, StatusRow
from kfp_release.terminal_text import one_line
from kfp_release.version import ReleaseVersion


class Deed(StrEnum):
    """What was done about a version. The words are for people and for programs."""

    COMPLETED = "completed"
    PLANNED = "would be completed"
    REFUSED = "refused"
    LEFT = "left alone"


@dataclass(frozen=True, slots=True)
class Reconciled:
    """One version, what was done about it, and why or what in detail."""

    version: ReleaseVersion
    state: State
    """Before."""
    deed: Deed
    details: tuple[str, ...]
    """A line each: what was sent or is missing; for a refusal what disagrees, and what to do."""

    def to_json(self) -> dict[str, str | list[str]]:
        """For ``--json``."""
        return {
            "version": str(self.version),
            "state": self.state.value,
            "deed": self.deed.value,
            "details": list(self.details),
        }


@dataclass(frozen=True, slots=True)
class Reconciler:
    """What all completions have in common. `environ` replaces settings as it does in a release."""

    project: Path
    environ: Mapping[str, str]
    access: Access
    options: BuildOptions
    progress: Progress
    dry_run: bool = False

    def reconcile(self, rows: Iterable[StatusRow]) -> Iterator[Reconciled]:
        """Complete those of `rows` that lack something, the oldest first; each is told when it is done.

        `progress` is told as well: what ends the next one, Ctrl-C say, takes the caller's report along.
        """
        for row in sorted(rows, key=lambda row: row.version):
            deed, details = self._deed(row)
            if not self.dry_run and deed is not Deed.LEFT:
                self.progress.note(f"{row.version} {deed}: {'; '.join(details)}")
            yield Reconciled(row.version, row.state, deed, tuple(details))

    def _deed(self, row: StatusRow) -> tuple[Deed, list[str]]:
        if row.state.is_good:
            return Deed.LEFT, [f"withdrawn on {row.withdrawn}"] if row.state is State.WITHDRAWN else []
        if row.state is State.DRIFT:
            return Deed.REFUSED, [*(finding.text for finding in row.disagreements), *row.remedies]
        if self.dry_run:
            return Deed.PLANNED, [finding.text for finding in row.missing]
        self.progress.step(f"complete {row.version}, which is {row.state}")
        try:
            released = self._release(row)
        except ReleaseError as error:
            return Deed.REFUSED, [one_line(str(error.args[0])), *filter(None, [error.remedy])]
        sent = [outcome.what for outcome in released.published.outcomes if outcome.state == SENT]
        return Deed.COMPLETED, [f"sent {what}" for what in sent]

    def _release(self, row: StatusRow) -> Released:
        """Release the version from a clone at its tag; what is public of it already is left alone."""
        with tempfile.TemporaryDirectory(prefix="kfp-release-") as folder:
            tree = Git(self.project).clone_at(row.commit, Path(folder, "source"))
            return release(
                tree,
                Config.parse((tree / PYPROJECT).read_bytes(), self.environ),
                release_source(Git(tree), row.version.tag),
                Path(folder, "dist"),
                access=self.access,
                options=self.options,
                progress=self.progress,
            )
