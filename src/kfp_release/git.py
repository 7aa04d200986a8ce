"""The git checkout: commits, tags, changes, and the files of a commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kfp_release.commit import parse_commit
from kfp_release.errors import ReleaseError
from kfp_release.git_command import GitFailed, run_git
from kfp_release.git_files import CommittedFile, committed_files, file_at, folder_at
from kfp_release.version import ReleaseVersion


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

    def resolve(self, revision: str) -> str | None:
        """The commit, in hex, that a name of any kind leads to: a tag, a branch, ``HEAD~2``; None where it is none."""
        try:
            return self._line("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        except GitFailed as error:
            if error.remedy:
                raise
            return None

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
            lines = self._lines("show-ref", "--tags", "--dereference")
        except GitFailed as error:
            if error.status == 1:  # there are none
                return {}
            raise
        # An annotated tag has two lines, its own and that of what it leads to; the second wins.
        pairs = (line.partition(" refs/tags/") for line in lines)
        return {name.removesuffix("^{}"): commit for commit, _, name in pairs}

    def tags_at(self, commit: str) -> list[str]:
        """The tags that lead to `commit`, in order of their names."""
        return sorted(tag for tag, tagged in self.tags().items() if tagged == commit)

    def released(self, commit: str) -> list[ReleaseVersion]:
        """The versions of the release tags that are reachable from `commit`, its own too, lowest first."""
        merged = f"--merged={parse_commit(commit)}"
        names = self._lines("for-each-ref", "--format=%(refname:strip=2)", merged, "refs/tags")
        return sorted(version for name in names if (version := ReleaseVersion.of_tag(name)) is not None)

    def changes(self, paths: Sequence[str] = ()) -> list[str]:
        """The changed and the untracked files at and below `paths`, relative to `root`; else of the whole checkout.

        Each by its path from the checkout's top.
        """
        options = ("--untracked-files=all", "--ignore-submodules=none", "--no-renames")
        entries = self._run("status", "--porcelain=v1", "-z", *options, "--", *paths)
        return sorted(entry[3:] for entry in entries.split("\0") if entry)

    def files(self, commit: str, paths: Sequence[str]) -> Mapping[str, CommittedFile]:
        """The files of `commit` at and below `paths`, which are relative to `root`, as are the results."""
        return committed_files(self.root, parse_commit(commit), paths)

    def branches(self) -> list[str]:
        """The whole names of all branches, those of remotes too, as they were fetched last."""
        return self._branches()

    def newest_branches(self) -> list[str]:
        """As `branches`; the one with the newest commit first."""
        return self._branches("--sort=-committerdate")

    def _branches(self, *options: str) -> list[str]:
        names = self._lines("for-each-ref", *options, "--format=%(refname)", "refs/heads", "refs/remotes")
        return [name for name in names if not name.endswith("/HEAD")]

    def file_at(self, revisions: Sequence[str], path: str) -> Mapping[str, bytes]:
        """What the file `path`, relative to `root`, holds at each of `revisions` that has it."""
        return file_at(self.root, revisions, path)

    def folder_at(self, commit: str, folder: str, suffixes: tuple[str, ...]) -> Mapping[str, bytes]:
        """The files right in `folder` of `commit`, with one of these suffixes; paths are relative to `root`."""
        return folder_at(self.root, parse_commit(commit), folder, suffixes)

    def clone_at(self, commit: str, target: Path) -> Path:
        """Make `target` a clone of this repository, tags included, with the files of `commit` checked out.

        Gives the project's folder in it. No hooks run, and line ends and modes are the commit's own, whoever makes the
        clone and how git is set up.
        """
        settings = ("core.autocrlf=false", "core.eol=lf", "core.symlinks=true", "advice.detachedHead=false")
        options = [part for setting in settings for part in ("-c", setting)]
        self._run(
            *("clone", "--quiet", "--local", "--no-checkout", "--template=", *options),
            *("--", str(self.top()), str(target.resolve())),
        )
        run_git(target, ["checkout", "--quiet", "--force", "--detach", parse_commit(commit), "--"])
        return target / self.root.resolve().relative_to(self.top().resolve())

    def _run(self, *arguments: str) -> str:
        return run_git(self.root, arguments).decode(errors="surrogateescape")

    def _lines(self, *arguments: str) -> list[str]:
        # Not splitlines(): the name of a ref may hold what Unicode counts as a line's end, U+2028 or U+0085.
        return [line for line in self._run(*arguments).split("\n") if line]

    def _line(self, *arguments: str) -> str:
        return self._run(*arguments).rstrip("\n")


def ignore_all(folder: Path) -> None:
    """Have git ignore `folder` and what is in it: what is made there must not make the checkout dirty."""
    (folder / ".gitignore").write_text("*\n", encoding="ascii")
