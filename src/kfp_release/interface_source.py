"""Where the interfaces of a side come from: the working tree, git, a wheel or an sdist, the index.

A text names a side in one way alone. ``.`` is the working tree; what ends in ``.whl`` or ``.tar.gz`` is a file;
``index:1.0`` is a version on the index, and no name in git has a colon like that; ``1.0`` is the release tag v1.0; all
else is what git calls by that name.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from kfp_release.archived_interfaces import archived_interfaces
from kfp_release.committed_interfaces import committed_interfaces
from kfp_release.component_folder import folder_bytes
from kfp_release.config import Config
from kfp_release.errors import ReleaseError
from kfp_release.finding import Finding
from kfp_release.git import Git
from kfp_release.interface_diff import InterfaceFiles
from kfp_release.plain_file import read_plain
from kfp_release.source import refuse_shallow
from kfp_release.version import BadVersion, ReleaseVersion
from kfp_release.withdrawn import withdrawn_versions

if TYPE_CHECKING:
    from kfp_release.released_files import PackageIndex

WORKING_TREE = "."
INDEX = "index:"
_ARCHIVES = (".whl", ".tar.gz")
_USUAL = "yaml"
_LARGEST = 256 * 1024 * 1024
"""Bytes of an archive."""
_SHOWN = 5
"""Versions that a message lists."""


@dataclass(frozen=True, slots=True)
class InterfaceSource:
    """What sides are read from. `config` and `index` are asked for what a side needs of them, and not before."""

    project: Path
    git: Git
    config: Callable[[], Config]
    index: Callable[[], PackageIndex]

    def read(self, text: str) -> InterfaceFiles:
        """The side that `text` names, see the module. Raise `ReleaseError` where there is none."""
        if text == WORKING_TREE:
            return self._working_tree()
        if text.endswith(_ARCHIVES):
            return self._archive(text)
        if text.startswith(INDEX):
            return self._of_index(ReleaseVersion.parse(text.removeprefix(INDEX)))
        return self._of_git(text)

    def last_release(self) -> InterfaceFiles:
        """The highest final release that HEAD follows and nobody withdrew. Raise `ReleaseError` where there is none."""
        refuse_shallow(self.git)
        commit = self.git.commit()
        withdrawn = withdrawn_versions(self.git)
        released = [version for version in self.git.released(commit) if version not in withdrawn]
        finals = [version for version in released if not version.version.is_prerelease]
        if not finals:
            raise ReleaseError(
                f"commit {commit[:12]} follows no release",
                remedy="name what to compare with: a tag, a branch, a wheel, index:X.Y",
            )
        return self._of_git(str(finals[-1]))

    def taken(self, side: InterfaceFiles) -> list[ReleaseVersion]:
        """The versions whose tags are on other commits than that of `side`; none where there is no git."""
        try:
            commit, tags = side.commit or self.git.commit(), self.git.tags()
        except ReleaseError:
            return []
        others = [tag for tag, tagged in tags.items() if tagged != commit]
        return [version for tag in others if (version := ReleaseVersion.of_tag(tag))]

    def _working_tree(self) -> InterfaceFiles:
        config = self.config()
        files = folder_bytes(self.project, config.components)
        return InterfaceFiles("working tree", files, distribution=canonicalize_name(config.distribution))

    def _archive(self, text: str) -> InterfaceFiles:
        path = self.project / text
        try:
            data = read_plain(path, most=_LARGEST)
        except OSError as error:
            raise ReleaseError(
                f"{path} cannot be read: {error.strerror}",
                remedy="name a wheel or an sdist that is there; no git revision is meant by such an ending",
            ) from error
        return archived_interfaces(path.name, data)

    def _of_index(self, version: ReleaseVersion) -> InterfaceFiles:
        from kfp_release.released_files import file_bytes, files_by_version  # noqa: PLC0415 - brings HTTP

        index, project = self.index(), self.config().distribution
        listed = files_by_version(index, project)
        files = sorted(listed.get(version, ()), key=lambda file: not file.filename.endswith(".whl"))
        if not files:
            last = ", ".join(map(str, sorted(listed)[-_SHOWN:])) or "none"
            raise ReleaseError(f"the index has no {project} {version}", remedy=f"its highest versions are: {last}")
        data = file_bytes(index, files[0])
        if isinstance(data, Finding):
            raise ReleaseError(data.text, remedy=data.remedy or f"see kfp-release verify {version}")
        return replace(archived_interfaces(files[0].filename, data), name=f"{INDEX}{version}")

    def _of_git(self, text: str) -> InterfaceFiles:
        version = _version(text)
        revision = text if version is None else version.tag
        commit = self.git.resolve(text if version is None else f"refs/tags/{revision}")
        if commit is None and version is not None:  # a branch, or a commit, that is called like a version
            commit, version, revision = self.git.resolve(text), None, text
        if commit is None:
            raise self._unknown(text)
        return committed_interfaces(self.git, commit, revision=revision, version=version, components=self._components())

    def _components(self) -> str:
        """Where component files are in a commit that does not say it; the working tree may be wrong or none at all."""
        try:
            return self.config().components
        except ReleaseError:
            return _USUAL

    def _unknown(self, text: str) -> ReleaseError:
        tags = self.git.tags()
        versions = {str(version): tag for tag in tags if (version := ReleaseVersion.of_tag(tag))}
        branches = [name.partition("/")[2].partition("/")[2] for name in self.git.branches()]
        near = difflib.get_close_matches(text, [*tags, *versions, *branches], 3)
        where = self.git.root.resolve()
        if near:
            return ReleaseError(f"git knows no {text[:80]!r} in {where}", remedy=f"did you mean {', '.join(near)}?")
        if self.git.is_shallow():
            remedy = "git fetch --unshallow --tags: this clone is a shallow one"
        elif (self.project / text).exists():
            remedy = f"a file is compared if it is a wheel or an sdist: {' or '.join(_ARCHIVES)}"
        else:
            remedy = "git fetch --tags brings the tags that this clone lacks; index:X.Y is a version on the index"
        return ReleaseError(f"git knows no {text[:80]!r} in {where}", remedy=remedy)


def require_one_project(before: InterfaceFiles, after: InterfaceFiles) -> None:
    """Raise `ReleaseError` where an archive is another project's than the other side."""
    names = before.distribution, after.distribution
    if all(names) and names[0] != names[1] and (before.is_archive or after.is_archive):
        raise ReleaseError(
            f"{before.name} is of {names[0]}, and {after.name} of {names[1]}: two projects have no interface in common",
            remedy="name two versions of one project; -C names another project's folder",
        )


def _version(text: str) -> ReleaseVersion | None:
    """The release that the text names, with or without the ``v`` of its tag."""
    try:
        version = ReleaseVersion.parse(text)
    except BadVersion:
        return None
    return None if version.is_snapshot or version.version.local or version.version.epoch else version
