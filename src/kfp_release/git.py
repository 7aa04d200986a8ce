"""The git checkout: what it is at, and what may be released from it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.version import Version

from kfp_release.errors import ReleaseError
from kfp_release.git_command import GitFailed, run_git
from kfp_release.scm_version import scm_version
from kfp_release.version import BadVersion, ReleaseVersion

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?", re.ASCII)
_SHOWN = 10
"""Changed files that a message lists."""


@dataclass(frozen=True, slots=True)
class Git:
    """A checkout; `root` is the project's folder in it. Nothing here changes the checkout."""

    root: Path

    def commit(self) -> str:
        """What HEAD is at, in hex. Raise `ReleaseError` where there is no commit yet."""
        try:
            return self._line("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        except GitFailed as error:
            if error.remedy:
                raise
            raise ReleaseError(f"{self.root.resolve()} has no commit yet", remedy="git add . && git commit") from error

    def commit_time(self, commit: str) -> int:
        """When `commit` was committed, in seconds since 1970."""
        return int(self._line("log", "-1", "--no-show-signature", "--format=%ct", "--end-of-options", commit, "--"))

    def top(self) -> Path:
        """The folder of the whole checkout."""
        return Path(self._line("rev-parse", "--show-toplevel"))

    def is_shallow(self) -> bool:
        """Whether history is cut off, as in actions/checkout without fetch-depth 0."""
        return self._line("rev-parse", "--is-shallow-repository") == "true"

    def tags(self) -> dict[str, str]:
        """All tags, and the commits that they lead to."""
        try:
            lines = self._run("show-ref", "--tags", "--dereference").splitlines()
        except GitFailed as error:
            if error.status == 1:  # there are none
                return {}
            raise
        # An annotated tag has two lines, its own and that of what it leads to; the second wins.
        pairs = (line.partition(" refs/tags/") for line in lines)
        return {name.removesuffix("^{}"): commit for commit, _, name in pairs}

    def tag_commit(self, tag: str) -> str | None:
        """The commit that `tag` leads to; None where there is no such tag."""
        return self.tags().get(tag)

    def tags_at(self, commit: str) -> list[str]:
        """The tags that lead to `commit`, in order of their names."""
        return sorted(tag for tag, tagged in self.tags().items() if tagged == commit)

    def released(self, commit: str) -> list[ReleaseVersion]:
        """The versions of the release tags that are reachable from `commit`, its own too, lowest first."""
        names = self._run("tag", "--list", "--merged", _hex(commit)).splitlines()
        return sorted(version for name in names if (version := _release(name)) is not None)

    def changes(self) -> list[str]:
        """The changed and the untracked files of the whole checkout, by their paths from its top."""
        entries = self._run(
            "status", "--porcelain=v1", "-z", "--untracked-files=all", "--ignore-submodules=none", "--no-renames"
        )
        return sorted(entry[3:] for entry in entries.split("\0") if entry)

    def tracked(self, paths: Sequence[str]) -> list[str]:
        """The tracked files at and below `paths`, which are relative to `root`, as are the results."""
        if not paths:
            return []
        return sorted(name for name in self._run("ls-files", "-z", "--cached", "--", *paths).split("\0") if name)

    def clone_at(self, commit: str, target: Path) -> None:
        """Make `target` a clone of this repository, tags included, with the files of `commit` checked out.

        No hooks run, and line ends and modes are the commit's own, whoever makes the clone and how git is set up.
        """
        settings = ("core.autocrlf=false", "core.eol=lf", "core.symlinks=true", "advice.detachedHead=false")
        options = [part for setting in settings for part in ("-c", setting)]
        self._run(
            *("clone", "--quiet", "--local", "--no-checkout", "--template=", *options),
            *("--", str(self.top()), str(target.resolve())),
        )
        run_git(target, ["checkout", "--quiet", "--force", "--detach", _hex(commit), "--"])

    def _run(self, *arguments: str) -> str:
        return run_git(self.root, arguments).decode(errors="surrogateescape")

    def _line(self, *arguments: str) -> str:
        return self._run(*arguments).rstrip("\n")


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
    _refuse_shallow(git)
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
    _refuse_shallow(git)
    tags = git.tags()
    if tag in tags:
        return release_source(git, tag)
    _refuse_equal_tags(version, tags)
    _refuse_changes(git)
    return Source(version, tag, commit, git.commit_time(commit))


def snapshot_source(git: Git) -> Source:
    """The snapshot of a clean commit without a release tag; its version is setuptools-scm's, ``1.3.dev4+gabc1234``.

    Raise `ReleaseError` with the command that mends it.
    """
    commit = git.commit()
    _refuse_shallow(git)
    released = [tag for tag in git.tags_at(commit) if _release(tag)]
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


def _refuse_shallow(git: Git) -> None:
    if git.is_shallow():
        raise ReleaseError(
            f"{git.root.resolve()} is a shallow clone: its versions cannot be told",
            remedy="git fetch --unshallow --tags (in GitHub Actions: fetch-depth: 0 for actions/checkout)",
        )


def _no_such_tag(tag: str, tags: dict[str, str]) -> ReleaseError:
    near = difflib.get_close_matches(tag, sorted(tags), 3)
    seen = f"; there is {', '.join(near)}" if near else ""
    return ReleaseError(f"there is no tag {tag}{seen}", remedy=f"git tag {tag} && git push origin {tag}")


def _refuse_equal_tags(version: ReleaseVersion, tags: dict[str, str]) -> None:
    for other in sorted(tags):
        if other != version.tag and _version(other) == version.version:
            raise ReleaseError(
                f"tags {version.tag} and {other} are one version, {version}",
                remedy=f"git tag -d {other} && git push origin --delete refs/tags/{other}",
            )


def _refuse_changes(git: Git) -> None:
    changes = git.changes()
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
    if computed == version.version or any(release.version == computed for release in map(_release, here) if release):
        return
    also = f"; the commit also has {', '.join(sorted(here))}" if here else ""
    raise ReleaseError(
        f"setuptools-scm calls the commit of tag {version.tag} {computed}, not {version}{also}",
        remedy="delete the tag that is no release (git tag -d NAME), or see [tool.setuptools_scm] in pyproject.toml",
    )


def _release(tag: str) -> ReleaseVersion | None:
    try:
        return ReleaseVersion.from_tag(tag)
    except BadVersion:
        return None


def _version(tag: str) -> Version | None:
    try:
        return Version(tag)
    except ValueError:  # InvalidVersion; or a number with more digits than Python reads
        return None


def _hex(commit: str) -> str:
    if not _COMMIT.fullmatch(commit):
        raise ReleaseError(f"{commit[:80]!r} is not a commit in hex")
    return commit
