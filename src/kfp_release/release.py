"""The whole way: check, runtime, plan, build, publish, verify."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from kfp_release.attestation import UNSIGNED, Attestor
from kfp_release.beside import look_beside
from kfp_release.build import build
from kfp_release.buildah import Builder
from kfp_release.check import check, check_release
from kfp_release.config import Config, ImageSettings
from kfp_release.distributions import project_name, version_of_file
from kfp_release.ecr import EcrRepository
from kfp_release.errors import Problems
from kfp_release.finished import earlier_build, is_public
from kfp_release.git import Git
from kfp_release.image_ref import Repository
from kfp_release.plan import make_plan
from kfp_release.progress import Progress
from kfp_release.publish import Published, UploadIndex, publish
from kfp_release.retry import SILENT, Retry
from kfp_release.runtime import RuntimeResult
from kfp_release.runtimes import BuildOptions, ensure_runtimes
from kfp_release.source import Source
from kfp_release.unpinned import building
from kfp_release.version_home import ensure_home

_BOTH = 2
"""Files of one project and version: the sdist and the wheel."""


@dataclass(frozen=True, slots=True)
class Access:
    """Where a release goes: ECR repositories by name, the index, the builder for a runtime that is new.

    `retry` says how an upload to the index is sent again, `attestor` who releases and signs.
    """

    stores: Callable[[Repository], EcrRepository]
    index: UploadIndex
    builder: Builder
    retry: Retry = SILENT
    attestor: Attestor = UNSIGNED


@dataclass(frozen=True, slots=True)
class Released:
    """One release, from tag to verified."""

    published: Published
    runtimes: tuple[RuntimeResult, ...]
    seconds: float

    @property
    def bytes_sent(self) -> int:
        """Bytes that went to ECR, runtimes included."""
        return self.published.bytes_sent + sum(runtime.bytes_sent for runtime in self.runtimes)

    def to_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            **self.published.to_json(),
            "bytes_sent": self.bytes_sent,
            "seconds": round(self.seconds, 2),
            "runtimes": [runtime.to_json() for runtime in self.runtimes],
            "distributions": [
                {"filename": item.filename, "sha256": item.sha256} for item in self.published.built.record.distributions
            ],
        }


def release(
    project: Path,
    config: Config,
    source: Source,
    target: Path,
    *,
    access: Access,
    options: BuildOptions,
    progress: Progress,
) -> Released:
    """Run every step; each looks first, so a release that was cut off goes on where it stopped.

    The Python build, which needs nothing of ECR and the index, goes on while those are looked at. What an earlier run
    has built in `target`, and is public as it lies there, is not built again.
    """
    began = time.monotonic()
    progress.step("check the sources")
    git = Git(project)
    problems = [*check(project, config), *check_release(project, config, git, source)]
    if any(problem.severity == "error" for problem in problems):
        raise Problems(problems)
    for warning in problems:
        progress.note(str(warning))
    earlier = earlier_build(target, source)
    with ExitStack() as stack:
        made = None if earlier else stack.enter_context(building(project, source, progress=progress))
        runtimes = _prepare(project, config, source, access=access, options=options, progress=progress)
        progress.step(f"plan {source.version}")
        plan = make_plan(project, config, source, stores=access.stores, index=access.index)
        for warning in plan.warnings:
            progress.note(str(warning))
        if earlier and is_public(earlier, plan):
            progress.note(f"{target.name} has what is public: nothing is built again")
            built = earlier
        else:
            built = build(project, plan, target, progress=progress, made=made)
    published = publish(
        built,
        stores=access.stores,
        index=access.index,
        progress=progress,
        retry=access.retry,
        mutable=config.mutable_images,
        attestor=access.attestor,
    )
    return Released(published, runtimes, time.monotonic() - began)


def _prepare(
    project: Path, config: Config, source: Source, *, access: Access, options: BuildOptions, progress: Progress
) -> tuple[RuntimeResult, ...]:
    """Before minutes go into a runtime: can the version go where it is to go, with these credentials? Then runtimes."""
    progress.step("look at ECR and the index")

    def require_home(image: ImageSettings) -> None:
        store = access.stores(image.repository)
        ensure_home(store, source.version.image_tag, create=options.create_repository, mutable=image.mutable_tags)

    homes = {image.name: partial(require_home, image) for image in config.images}
    index = {"the index": partial(_require_index, project, config, source, access.index)}
    look_beside(index if options.create_repository else {**index, **homes})
    if options.create_repository:  # nothing is made before all else has been looked at
        look_beside(homes)
    return ensure_runtimes(
        config.images,
        partial(Git(project).files, source.commit),
        stores=access.stores,
        builder=access.builder,
        progress=progress,
        options=options,
    )


def _require_index(project: Path, config: Config, source: Source, index: UploadIndex) -> None:
    """Raise `ReleaseError` where the index cannot be asked, or lacks a file of the version and takes none from us."""
    for name in (config.distribution, *(project_name(project / folder) for folder in config.extra_projects)):
        there = [file for file in index.files(name) if version_of_file(file) == source.version.version]
        if len(there) < _BOTH:
            index.require_credentials()
