"""The release of this tool that a new repository is bound to: its version, its files' hashes, its workflow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from kfp_release.commit import parse_commit
from kfp_release.errors import ReleaseError
from kfp_release.version import BadVersion, ReleaseVersion

TOOL: Final = "kfp-release"
"""The distribution."""
SOURCE: Final = "https://github.com/kubeflow-demo/components"
"""Where its workflow and its pre-commit hook are."""
TOOL_LOCK: Final = "locks/release.lock"
"""What installs it in CI."""
WORKFLOWS: Final = f"{SOURCE.removeprefix('https://github.com/')}/.github/workflows"
"""The folder of what a job uses, as ``release.yml`` in it, at a tag or commit."""


@dataclass(frozen=True, slots=True)
class ToolPin:
    """One release of the tool."""

    version: ReleaseVersion
    commit: str = ""
    """Of its tag, where that is told."""

    @classmethod
    def of(cls, version: str, commit: str = "") -> Self:
        """Raise `ReleaseError` unless `version` is one that an index can have, and `commit` empty or a commit."""
        try:
            parsed = ReleaseVersion.from_tag(f"v{version}")
        except BadVersion as error:
            raise ReleaseError(
                f"this is {TOOL} {version[:80]}, which is no release, and a new repository names one that its builds "
                "find on the index",
                remedy=f"pip install '{TOOL}[cli]' from your index, and run it again",
            ) from error
        return cls(parsed, parse_commit(commit) if commit else "")

    @property
    def called_at(self) -> str:
        """Where a job calls a workflow: at the commit, or at the tag."""
        if self.commit:
            return f"{self.commit} # {self.version.tag}"
        return f"{self.version.tag} # zizmor: ignore[unpinned-uses] nobody can move its tags"

    @property
    def revision(self) -> str:
        """What pre-commit checks out: the commit, or the tag."""
        return f"{self.commit} # frozen: {self.version.tag}" if self.commit else self.version.tag

    def lock(self, hashes: Iterable[str], others: str) -> str:
        """The lock that installs the tool: its files by sha256 in hex, and `others`, the lock of all that it needs."""
        lines = [f"{TOOL}[cli]=={self.version}", *(f"    --hash=sha256:{each}" for each in sorted(hashes))]
        return " \\\n".join(lines) + "\n" + others
