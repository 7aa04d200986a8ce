"""The runtimes of several images: looked for, built and pushed beside each other, each key by one of them at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from kfp_release.beside import all_of, look_beside
from kfp_release.buildah import Builder
from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository
from kfp_release.errors import ReleaseError
from kfp_release.git_files import CommittedFile
from kfp_release.image_ref import Repository
from kfp_release.progress import Named, Progress
from kfp_release.runtime import RuntimeResult, ensure_runtime, key_of, runtime_tag
from kfp_release.runtime_sbom import runtime_sbom
from kfp_release.runtime_sources import Files
from kfp_release.settings import ImageSettings
from kfp_release.upload import new_lanes
from kfp_release.workers import in_parallel

JOBS: Final = 4
"""Runtimes that are made at a time, if it is not said."""


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """What a runtime's build may use, as buildah spells it; no part of its key. And how many are made at a time."""

    ssh: Sequence[str] = ()
    secrets: Sequence[str] = ()
    create_repository: bool = False
    jobs: int = JOBS


@dataclass(frozen=True, slots=True)
class RuntimeState:
    """Whether one image's runtime is in ECR."""

    name: str
    """Of the image in the configuration."""
    key: str
    repository: Repository
    digest: Digest | None
    """None where it is not there."""
    has_sbom: bool
    """Whether it has its SBOM attached."""

    @property
    def is_whole(self) -> bool:
        """Whether a release can stand on it."""
        return self.digest is not None and self.has_sbom

    def to_json(self) -> dict[str, str | bool | None]:
        """For ``--json``."""
        return {
            "name": self.name,
            "key": self.key,
            "repository": str(self.repository),
            "digest": str(self.digest) if self.digest else None,
            "sbom": self.has_sbom,
        }


def ensure_runtimes(
    images: Sequence[ImageSettings],
    files: Files,
    *,
    stores: Callable[[Repository], EcrRepository],
    builder: Builder,
    progress: Progress,
    options: BuildOptions,
) -> tuple[RuntimeResult, ...]:
    """The runtimes of `images` as a commit has them, in ECR when this returns; `files` are the commit's.

    Images whose runtimes have one key go one after another, so that it is built once. An error ends the others.
    Raise `ReleaseError` with all of them that there were until then, each with its image where there are several.
    """
    files = _once(files)
    lanes = new_lanes()
    results: dict[str, RuntimeResult] = {}
    errors: dict[str, ReleaseError] = {}

    def ensure(image: ImageSettings, told: Progress) -> None:
        results[image.name] = ensure_runtime(
            image,
            files,
            store=stores(image.repository),
            builder=builder,
            progress=told,
            ssh=options.ssh,
            secrets=options.secrets,
            create_repository=options.create_repository,
            lanes=lanes,
        )

    def ensure_each(group: Sequence[ImageSettings]) -> None:
        for image in group:
            try:
                ensure(image, Named(progress, image.name))
            except ReleaseError as error:
                errors[image.name] = error
                raise

    if len(images) == 1:
        ensure(images[0], progress)
    else:
        progress.step(f"runtimes of {len(images)} images")
        groups = _by_key(images, files)
        try:
            in_parallel(ensure_each, groups, workers=options.jobs, orderly=True)
        except ReleaseError as error:
            raise all_of(dict(errors)) from error
    return tuple(results[image.name] for image in images)


def look_at_runtimes(
    images: Sequence[ImageSettings], files: Files, *, stores: Callable[[Repository], EcrRepository]
) -> tuple[RuntimeState, ...]:
    """Whether the runtimes of `images` are in ECR with their SBOMs, as a commit has them. Nothing is changed."""

    def look(image: ImageSettings) -> RuntimeState:
        key, store = key_of(image, files), stores(image.repository)
        found = None if store.describe() is None else store.find(runtime_tag(key))
        has_sbom = found is not None and runtime_sbom(store, found.digest) is not None
        return RuntimeState(image.name, key, image.repository, found.digest if found else None, has_sbom)

    return tuple(look_beside({image.name: partial(look, image) for image in images}).values())


def _by_key(images: Sequence[ImageSettings], files: Files) -> list[list[ImageSettings]]:
    keys = look_beside({image.name: partial(key_of, image, files) for image in images})
    groups: dict[str, list[ImageSettings]] = {}
    for image in images:
        groups.setdefault(keys[image.name], []).append(image)
    return list(groups.values())


def _once(files: Files) -> Files:
    """`files`, which are asked once for the same paths."""
    known: dict[tuple[str, ...], Mapping[str, CommittedFile]] = {}

    def ask(paths: Sequence[str]) -> Mapping[str, CommittedFile]:
        key = tuple(paths)
        if key not in known:
            known[key] = files(paths)
        return known[key]

    return ask
