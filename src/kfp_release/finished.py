"""A release that is finished already: what lies in ``dist/`` was built of this commit, and all of it is public."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from kfp_release.beside import look_beside
from kfp_release.built import BuiltRelease, this_tool
from kfp_release.config import Config
from kfp_release.distributions import project_name
from kfp_release.ecr import EcrRepository
from kfp_release.errors import ReleaseError
from kfp_release.image_ref import Repository
from kfp_release.record import PinnedImage
from kfp_release.released_files import PackageIndex
from kfp_release.runtime import RuntimeResult, runtime_tag
from kfp_release.source import Source


@dataclass(frozen=True, slots=True)
class Finished:
    """What need not be built again to say that it is there."""

    built: BuiltRelease
    runtimes: tuple[RuntimeResult, ...]


def find_finished(
    project: Path,
    config: Config,
    source: Source,
    target: Path,
    *,
    stores: Callable[[Repository], EcrRepository],
    index: PackageIndex,
) -> Finished | None:
    """What `target` holds, if this commit gave it with this tool and if it is public, byte by byte, runtimes included.

    None for all else, and where ECR or the index cannot be asked: who releases then looks again, and says so.
    """
    try:
        built = BuiltRelease.read(target)
        if not _is_of(built, project, config, source):
            return None
        images = {one.name: partial(_runtime, one, built, stores) for one in built.record.pins.images}
        runtimes = look_beside(images)
        files = look_beside({name: partial(_has, built, name, index) for name in _projects(project, config)})
    except ReleaseError:
        return None
    there = tuple(found for found in runtimes.values() if found is not None)
    return Finished(built, there) if len(there) == len(images) and all(files.values()) else None


def _is_of(built: BuiltRelease, project: Path, config: Config, source: Source) -> bool:
    record = built.record
    pins = record.pins
    there = (record.tag, record.created, pins.version, pins.commit, pins.distribution)
    return (
        there == (source.tag, source.created, source.version, source.commit, config.distribution)
        and this_tool().items() <= record.tools.items()
        and {item.name: item.repository for item in pins.images}
        == {item.name: item.repository for item in config.images}
        and {item.project for item in record.distributions} == _projects(project, config)
    )


def _projects(project: Path, config: Config) -> set[str]:
    return {config.distribution, *(project_name(project / folder) for folder in config.extra_projects)}


def _runtime(
    pinned: PinnedImage, built: BuiltRelease, stores: Callable[[Repository], EcrRepository]
) -> RuntimeResult | None:
    """The runtime of an image, where ECR has both, the image under its tag and with all its layers."""
    store = stores(pinned.repository)
    tagged, runtime = store.find(pinned.ref.tag), store.find(runtime_tag(pinned.runtime_key))
    if tagged is None or tagged.digest != pinned.ref.digest or runtime is None:
        return None
    manifest = built.image(pinned).manifest
    if store.missing({blob.digest for blob in (manifest.config, *manifest.layers)}):
        return None
    return RuntimeResult(pinned.name, pinned.runtime_key, runtime.digest, "found", 0, 0.0)


def _has(built: BuiltRelease, name: str, index: PackageIndex) -> bool:
    there = {file.filename: file.sha256 for file in index.files(name).values()}
    return all(there.get(item.filename) == item.sha256 for item in built.record.distributions if item.project == name)
