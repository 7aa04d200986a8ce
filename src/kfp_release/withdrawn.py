"""Withdrawn versions: those that the CHANGELOG of some branch marks with ``[YANKED]``.

The mark comes after the release, so that the released commit itself can never carry it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from kfp_release.changelog import CHANGELOG, yanked_versions
from kfp_release.git import Git
from kfp_release.version import ReleaseVersion


def withdrawn_versions(git: Git) -> Mapping[ReleaseVersion, str]:
    """Each withdrawn version, and a branch that says so, as the clone has them: those of remotes as last fetched."""
    yanked = cache(yanked_versions)  # most branches have the same
    found: dict[ReleaseVersion, str] = {}
    for branch, data in git.file_at(git.branches(), CHANGELOG).items():
        for version in yanked(data.decode(errors="replace")):
            found.setdefault(version, branch)
    return found
