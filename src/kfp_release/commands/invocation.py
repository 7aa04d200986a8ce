"""One call of the program: its project, its environment, and what it opens from them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kfp_release.errors import ReleaseError

if TYPE_CHECKING:
    from kfp_release.buildah import Builder
    from kfp_release.config import Config
    from kfp_release.ecr import EcrRepository
    from kfp_release.errors import Problem
    from kfp_release.git import Git
    from kfp_release.image_ref import Repository
    from kfp_release.index_settings import IndexSettings
    from kfp_release.progress import Progress
    from kfp_release.publish import UploadIndex
    from kfp_release.report import Report
    from kfp_release.retry import Retry
    from kfp_release.source import Source


@dataclass(slots=True)
class Invocation:
    """Handed to every command. What opens something imports it, so that ``--help`` imports nothing."""

    project: Path = field(default_factory=Path)
    debug: bool = False
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def config(self) -> Config:
        """The project's configuration. Raise `ReleaseError` where there is none, `Problems` where it is wrong."""
        from kfp_release.config import PYPROJECT, Config  # noqa: PLC0415 - see the class

        path = self.project / PYPROJECT
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ReleaseError(
                f"{path} cannot be read: {error.strerror}",
                remedy="run it in the project's folder, or name that with -C",
            ) from error
        return Config.parse(data, self.environ)

    def git(self) -> Git:
        """The project's checkout."""
        from kfp_release.git import Git  # noqa: PLC0415 - see the class

        return Git(self.project)

    def source(self, tag: str | None) -> Source:
        """What is released: the tag, or a snapshot where it is None."""
        from kfp_release.source import release_source, snapshot_source  # noqa: PLC0415 - see the class

        return snapshot_source(self.git()) if tag is None else release_source(self.git(), tag)

    def retry(self, progress: Progress) -> Retry:
        """How the other side is asked again: as the environment says. `progress` is told of each time.

        Raise `Problems` where the environment says it wrongly.
        """
        from kfp_release.patience import Patience  # noqa: PLC0415 - see the class
        from kfp_release.retry import Retry  # noqa: PLC0415 - likewise

        return Retry(Patience.from_environment(self.environ), progress.note)

    def stores(self, progress: Progress, profile: str | None = None) -> Callable[[Repository], EcrRepository]:
        """Opens ECR repositories, each once, with the environment's credentials or those of a `profile`.

        What `progress` is told of one of them begins with its name.
        """
        from kfp_release.ecr import open_ecr  # noqa: PLC0415 - brings boto3
        from kfp_release.progress import Named  # noqa: PLC0415 - see the class

        retry = self.retry(progress)

        @cache
        def store(repository: Repository) -> EcrRepository:
            told = Named(progress, repository.name)
            return open_ecr(repository, replace(retry, note=told.note), profile)

        return store

    def builder(self, images: int) -> Builder:
        """What builds runtimes, and remembers what it built: of so many images one each, and the last two at least."""
        from kfp_release.buildah import Buildah  # noqa: PLC0415 - see the class
        from kfp_release.cache import cache_folder  # noqa: PLC0415 - likewise
        from kfp_release.kept_builds import KeptBuilds  # noqa: PLC0415 - likewise

        return KeptBuilds(Buildah(), cache_folder(self.environ) / "runtimes", keep=max(images, 2))

    def fresh_builder(self) -> AbstractContextManager[Builder]:
        """What builds runtimes anew, with nothing from before; what it built is gone at the end."""
        from kfp_release.buildah import fresh_buildah  # noqa: PLC0415 - for commands that may build

        return fresh_buildah()

    def index(self, settings: IndexSettings, progress: Progress) -> UploadIndex:
        """The index, asked with the environment's credentials: those of the index, or AWS's."""
        from kfp_release.opened_index import open_index  # noqa: PLC0415 - brings twine

        return open_index(settings, self.environ, retry=self.retry(progress))

    def annotate(self, problems: Sequence[Problem]) -> None:
        """Show them on the run, in GitHub Actions."""
        from kfp_release.annotations import github_annotations, is_in_actions  # noqa: PLC0415 - see the class

        if is_in_actions(self.environ):
            for line in github_annotations(problems, self.project, self.environ):
                sys.stderr.write(line + "\n")

    def tell(self, report: Report, value: Any, *, as_json: bool) -> None:
        """Print the result on stdout, `value` for programs or the report for people, and write the summary in CI."""
        from kfp_release.console import write_summary  # noqa: PLC0415 - for commands that come to a result

        if as_json:
            sys.stdout.write(json.dumps(value, indent=2) + "\n")
        else:
            report.show(sys.stdout)
        write_summary(report.markdown(), self.environ)
