"""The component files of a commit, read from git alone, from the folder that the commit's own configuration names."""

from __future__ import annotations

from packaging.utils import canonicalize_name

from kfp_release.component import SUFFIXES
from kfp_release.config import PYPROJECT, declared_components
from kfp_release.git import Git
from kfp_release.interface_diff import InterfaceFiles
from kfp_release.version import ReleaseVersion


def committed_interfaces(
    git: Git, commit: str, *, revision: str, version: ReleaseVersion | None, components: str
) -> InterfaceFiles:
    """The files of `commit`, in hex, which is called `revision`; `version` is the one that it was released as.

    `components` is their folder where the commit's pyproject.toml names none: a release from before this tool.
    """
    pyproject = git.file_at([commit], PYPROJECT).get(commit)
    distribution, declared = declared_components(f"{revision}:{PYPROJECT}", pyproject) if pyproject else ("", "")
    return InterfaceFiles(
        name=str(version or revision),
        files=git.folder_at(commit, declared or components, SUFFIXES),
        version=version,
        commit=commit,
        prefix=f"{revision}:",
        distribution=canonicalize_name(distribution),
    )


def released_interfaces(git: Git, version: ReleaseVersion, *, components: str) -> InterfaceFiles:
    """Those of a release, by its tag, which is there."""
    commit = git.tags()[version.tag]
    return committed_interfaces(git, commit, revision=version.tag, version=version, components=components)
