"""What is released: a version and the commit that it is made from, if the checkout is fit for it."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from packaging.version import Version

from kfp_release.errors import ReleaseError
from kfp_release.git import Git
from kfp_release.scm_version import scm_version
from kfp_release.version import ReleaseVersion, delete_tag

_SHOWN = 10
"""Changed files that a message lists."""


@dataclass(frozen=True, slots=True)
class Source:
    """What is released: a version, and the commit that it is made from."""

    version: ReleaseVersion
    tag: str
    """The git tag; empty for a snapshot."""
    commit: str
    """In hex."""
    created: int
    """The commit's time, in seconds since 1970."""


def release_source(git: Git, tag: str) -> Source:
    """The release that `tag` asks for, if the checkout is exactly at it.

    setuptools-scm must agree, for its version is what builds outside of a release get. One disagreement is harmless,
    and then the tag that was asked for wins: another release tag on the same commit (v1.2 on what was v1.2rc2).
    Raise `ReleaseError` with the command that mends it.
    """
    version = ReleaseVersion.from_tag(tag)
    commit = git.commit()
    refuse_shallow(git)
    tags = git.tags()
    if tag not in tags:
        raise _no_such_tag(tag, tags)
    if tags[tag] != commit:
        raise ReleaseError(
            f"tag {tag} is at commit {tags[tag][:12]}, and the checkout is at {commit[:12]}",
            remedy=f"git checkout {tag}",
        )
    _refuse_equal_tags(version, tags)
    _refuse_changes(git)
    _refuse_another_version(git, version, tags)
    return Source(version, tag, commit, git.commit_time(commit))


def candidate_source(git: Git, tag: str) -> Source:
    """What `tag` would release if it were given to HEAD now; where the tag is there, what it does release.

    Raise `ReleaseError` with the command that mends it.
    """
    version = ReleaseVersion.from_tag(tag)
    commit = git.commit()
    refuse_shallow(git)
    tags = git.tags()
    if tag in tags:
        return release_source(git, tag)
    _refuse_equal_tags(version, tags)
    _refuse_changes(git)
    return Source(version, tag, commit, git.commit_time(commit))


def tagged_source(git: Git, version: ReleaseVersion) -> Source:
    """The release of `version` as its tag has it, whatever the checkout is at.

    Raise `ReleaseError` with the command that mends it.
    """
    tag = version.tag
    refuse_shallow(git)
    tags = git.tags()
    if tag not in tags:
        raise ReleaseError(
            f"{git.root.resolve()} has no tag {tag}",
            remedy="git fetch --tags brings the tags that this clone lacks; kfp-release status lists the versions",
        )
    _refuse_equal_tags(version, tags)
    return Source(version, tag, tags[tag], git.commit_time(tags[tag]))


def refuse_shallow(git: Git) -> None:
    """Raise `ReleaseError` for a clone whose history is cut off: it may lack tags and the commits that they lead to."""
    if git.is_shallow():
        raise ReleaseError(
            f"{git.root.resolve()} is a shallow clone: its versions cannot be told",
            remedy="git fetch --unshallow --tags (in GitHub Actions: fetch-depth: 0 for actions/checkout)",
        )


def committed_source(git: Git, paths: Sequence[str]) -> str:
    """HEAD's commit, if the files at and below `paths` are as it has them.

    Raise `ReleaseError` with the command that mends it.
    """
    commit = git.commit()
    _refuse_changes(git, paths)
    return commit


def snapshot_source(git: Git) -> Source:
    """The snapshot of a clean commit without a release tag; its version is setuptools-scm's, ``1.3.dev4+gabc1234``.

    Raise `ReleaseError` with the command that mends it.
    """
    commit = git.commit()
    refuse_shallow(git)
    released = [tag for tag in git.tags_at(commit) if ReleaseVersion.of_tag(tag)]
    if released:
        raise ReleaseError(
            f"commit {commit[:12]} has the release tag {released[-1]}, so it is no snapshot",
            remedy=f"release it with the tag: kfp-release release {released[-1]}",
        )
    _refuse_changes(git)
    version = scm_version(git.root)
    if not version.is_devrelease or not version.local or version.epoch:
        raise ReleaseError(
            f"setuptools-scm calls commit {commit[:12]} {version}, and a snapshot is like 1.3.dev4+gabc1234",
            remedy=f"its tags: {', '.join(git.tags_at(commit)) or 'none'}; see [tool.setuptools_scm] in pyproject.toml",
        )
    return Source(ReleaseVersion(version), "", commit, git.commit_time(commit))


def _no_such_tag(tag: str, tags: dict[str, str]) -> ReleaseError:
    near = difflib.get_close_matches(tag, sorted(tags), 3)
    seen = f"; there is {', '.join(near)}" if near else ""
    return ReleaseError(f"there is no tag {tag}{seen}", remedy=f"git tag {tag} && git push origin {tag}")


def _refuse_equal_tags(version: ReleaseVersion, tags: dict[str, str]) -> None:
    for other in sorted(tags):
        if other != version.tag and _version(other) == version.version:
            raise ReleaseError(
                f"tags {version.tag} and {other} are one version, {version}",
                remedy=delete_tag(other),
            )


def _refuse_changes(git: Git, paths: Sequence[str] = ()) -> None:
    changes = git.changes(paths)
    if changes:
        shown = [f"    {name}" for name in changes[:_SHOWN]]
        more = len(changes) - _SHOWN
        shown += [f"    and {more} more"] if more > 0 else []
        raise ReleaseError(
            "the checkout has changes or untracked files, which a release would leave out:\n" + "\n".join(shown),
            remedy="git status shows them; commit them, or put them aside with git stash -u",
        )


def _refuse_another_version(git: Git, version: ReleaseVersion, tags: dict[str, str]) -> None:
    computed = scm_version(git.root)
    here = [other for other in tags if tags[other] == tags[version.tag] and other != version.tag]
    if computed == version.version or any(
        release.version == computed for release in map(ReleaseVersion.of_tag, here) if release
    ):
        return
    also = f"; the commit also has {', '.join(sorted(here))}" if here else ""
    raise ReleaseError(
        f"setuptools-scm calls the commit of tag {version.tag} {computed}, not {version}{also}",
        remedy="delete the tag that is no release (git tag -d NAME), or see [tool.setuptools_scm] in pyproject.toml",
    )


def _version(tag: str) -> Version | None:
    try:
        return Version(tag)
    except ValueError:  # InvalidVersion; or a number with more digits than Python reads
        return None
