"""What a build reads: a copy of the checkout as git tracks it, so that setuptools never writes into the checkout."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from kfp_release.git import Git
from kfp_release.git_command import run_git

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SourceTree:
    """The sources of one build."""

    project: Path
    """The folder of pyproject.toml."""
    commit: str
    """40 hex digits; empty outside of git."""
    committed: int | None
    """The commit's time, in seconds since 1970; None outside of git."""


@contextmanager
def source_tree(project: Path) -> Iterator[SourceTree]:
    """The sources of `project`: in git, what it tracks, with uncommitted changes, in a temporary folder.

    So files that git does not track are in no wheel, as they are in no sdist; remains of earlier builds neither.
    Outside of git (an unpacked sdist) it is `project` itself.
    """
    checkout = _Checkout.find(project.resolve())
    if checkout is None:
        yield SourceTree(project, "", None)
        return
    with tempfile.TemporaryDirectory(prefix="kfp-release-") as folder:
        checkout.copy(Path(folder))
        yield SourceTree(Path(folder, checkout.prefix), checkout.commit, checkout.committed)


@dataclass(frozen=True, slots=True)
class _Checkout:
    """A git working tree with a commit, and a project in it that git tracks."""

    top: Path
    git_dir: Path
    common_dir: Path
    prefix: str
    commit: str
    committed: int

    @classmethod
    def find(cls, project: Path) -> Self | None:
        in_git = any(os.path.lexists(folder / ".git") for folder in (project, *project.parents))
        # An unpacked sdist, or what git does not track, lies in somebody's checkout by chance.
        if not in_git or (project / "PKG-INFO").is_file() or not _git(project, "ls-files", "--", "pyproject.toml"):
            return None
        git = Git(project)
        commit = git.commit()
        where = ("--show-toplevel", "--git-dir", "--git-common-dir", "--show-prefix")
        top, git_dir, common, prefix = _git(project, "rev-parse", "--path-format=absolute", *where).split("\n")[:4]
        return cls(Path(top), Path(git_dir), Path(common), prefix, commit, git.commit_time(commit))

    def copy(self, target: Path) -> None:
        for name in _git(self.top, "ls-files", "-z").split("\0")[:-1]:
            source, copy = self.top / name, target / name
            if not os.path.lexists(source):
                continue  # deleted, and not committed yet
            copy.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir() and not source.is_symlink():  # a submodule
                shutil.copytree(source, copy, symlinks=True, ignore=shutil.ignore_patterns(".git"))
            else:
                shutil.copy2(source, copy, follow_symlinks=False)
        self._link(target / ".git")
        untracked = _git(self.top / self.prefix, "ls-files", "-z", "--others", "--exclude-standard").split("\0")[:-1]
        if untracked:
            named = ", ".join(untracked[:5])
            _log.warning("not in this build, for git does not track it: %s (%d in all)", named, len(untracked))

    def _link(self, git_dir: Path) -> None:
        """Make the copy a linked working tree, for setuptools-scm to ask. Source: gitrepository-layout, commondir.

        Its HEAD and index are its own, so nothing is written into the checkout's repository either.
        """
        git_dir.mkdir()
        (git_dir / "HEAD").write_text(f"{self.commit}\n", encoding="ascii")
        (git_dir / "commondir").write_text(f"{self.common_dir}\n", encoding="utf-8")
        # Where core.splitIndex is set, most of the index is in a file of its own beside it.
        for file in (self.git_dir / "index", *self.git_dir.glob("sharedindex.*"), self.common_dir / "shallow"):
            if file.is_file():
                shutil.copy2(file, git_dir)


def _git(folder: Path, *arguments: str) -> str:
    return os.fsdecode(run_git(folder, arguments))
