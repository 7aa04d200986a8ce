"""The wheels and sdists of a commit as Python builds make them, before anything is pinned.

They need neither ECR nor the index nor a plan, so that they can be made while those are looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self, TypeVar

from kfp_release.config import PYPROJECT, Config
from kfp_release.distributions import project_name
from kfp_release.git import Git
from kfp_release.progress import Progress
from kfp_release.projects import Kind, Project, open_projects
from kfp_release.sdist import Sdist
from kfp_release.source import Source
from kfp_release.stopping import Stop
from kfp_release.wheel import Wheel

T = TypeVar("T")
R = TypeVar("R")


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
            todo: list[tuple[Project, Kind]] = [(one, "sdist") for one in projects[:half]]
            todo += [(one, "wheel") for one in projects[half:]]
            # All is installed before the first build, which may read all of it.
            asked = _beside(pool, lambda one: one[0].asks_for(one[1]), todo)
            for each, requirements in zip(projects, asked, strict=True):
                each.install(requirements)
            files = _beside(pool, lambda one: one[0].build(one[1], out), todo)
            main, *extra = [
                Pair(project_name(one.folder), _sdist(sdist), _wheel(wheel))
                for one, sdist, wheel in zip(projects[:half], files[:half], files[half:], strict=True)
            ]
            return cls(tree, config, main, tuple(extra), projects[0].tools)


@contextmanager
def building(project: Path, source: Source, *, progress: Progress) -> Iterator[Callable[[], Unpinned]]:
    """Builds the commit of `source` beside the block, which gets what to call for the result, or the error.

    What is being built has ended when the block is left, and is ended where an error leaves it; an installation of
    build requirements comes to its own end first.
    """
    stop = Stop()

    def build(scratch: Path) -> Unpinned:
        with stop.covering():
            return Unpinned.build(project, source, scratch, progress=progress)

    with TemporaryDirectory(prefix="kfp-release-") as scratch, ThreadPoolExecutor(1) as pool:
        made = pool.submit(build, Path(scratch))
        try:
            yield made.result
        except BaseException:
            stop.set()
            raise


def _beside(pool: Executor, do: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """What `do` gives for each of `items`, done beside each other and ended with this thread."""
    futures = [pool.submit(copy_context().run, do, item) for item in items]
    return [future.result() for future in futures]


def _sdist(path: Path) -> Sdist:
    return Sdist.parse(path.name, path.read_bytes())


def _wheel(path: Path) -> Wheel:
    return Wheel.parse(path.name, path.read_bytes())
