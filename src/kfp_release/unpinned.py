"""The wheels and sdists of a commit as Python builds make them, before anything is pinned.

They need neither ECR nor the index nor a plan, so that they can be made while those are looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from kfp_release.config import PYPROJECT, Config
from kfp_release.distributions import project_name
from kfp_release.git import Git
from kfp_release.progress import Progress
from kfp_release.projects import Project, open_projects
from kfp_release.sdist import Sdist
from kfp_release.source import Source
from kfp_release.wheel import Wheel


@dataclass(frozen=True, slots=True)
class Pair:
    """The sdist and the wheel of one project."""

    project: str
    sdist: Sdist
    wheel: Wheel


@dataclass(frozen=True, slots=True)
class Unpinned:
    """What was built of one commit."""

    tree: Path
    """A clone of it: what the builds have made there is in no file of the commit."""
    config: Config
    main: Pair
    extra: tuple[Pair, ...]
    tools: Mapping[str, str]
    """Versions by name of what the main project was built with."""

    @classmethod
    def build(cls, project: Path, source: Source, scratch: Path, *, progress: Progress) -> Self:
        """Build the commit of `source` in the folder `scratch`, which must stay. Raise `ReleaseError` where it fails.

        Wheels and sdists are built beside each other, each from a clone of its own: setuptools writes into its folder.
        """
        with ThreadPoolExecutor() as pool:
            clone = partial(Git(project).clone_at, source.commit)
            trees = list(pool.map(clone, (scratch / "sdist", scratch / "wheel")))
        tree = trees[0]
        config = Config.parse((tree / PYPROJECT).read_bytes(), {})
        folders = [each / folder for each in trees for folder in (".", *config.extra_projects)]
        with ExitStack() as stack:
            out = Path(stack.enter_context(TemporaryDirectory(prefix="kfp-release-")))
            projects = stack.enter_context(
                open_projects(folders, version=source.version, epoch=source.created, progress=progress)
            )
            # The last, so that its builds have ended before their folders go.
            pool = stack.enter_context(ThreadPoolExecutor())
            half = len(projects) // 2
            sdists = pool.map(lambda each: _sdist(each, out), projects[:half])
            wheels = pool.map(lambda each: _wheel(each, out), projects[half:])
            names = [project_name(each.folder) for each in projects[:half]]
            main, *extra = [Pair(*files) for files in zip(names, sdists, wheels, strict=True)]
            return cls(tree, config, main, tuple(extra), projects[0].tools)


@contextmanager
def building(project: Path, source: Source, *, progress: Progress) -> Iterator[Callable[[], Unpinned]]:
    """Builds the commit of `source` beside the block, which gets what to call for the result, or the error.

    What is being built has ended when the block is left.
    """
    with TemporaryDirectory(prefix="kfp-release-") as scratch, ThreadPoolExecutor(1) as pool:
        yield pool.submit(Unpinned.build, project, source, Path(scratch), progress=progress).result


def _sdist(project: Project, out: Path) -> Sdist:
    path = project.sdist(out)
    return Sdist.parse(path.name, path.read_bytes())


def _wheel(project: Project, out: Path) -> Wheel:
    path = project.wheel(out)
    return Wheel.parse(path.name, path.read_bytes())
