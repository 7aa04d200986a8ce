"""What ECR and the index have of a project's versions: asked many things a call.

A release may be made meanwhile, images first and the main project's wheel last. So the index lists that project first,
then the others, and ECR lists its images last: whatever was seen to be public has by then all that comes before it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

from kfp_release.comparison import Seen
from kfp_release.desired import Desired
from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository
from kfp_release.ecr_errors import EcrError
from kfp_release.errors import Problem
from kfp_release.image_ref import Repository
from kfp_release.image_summary import ImageSummary
from kfp_release.index import IndexFile
from kfp_release.release_file import ReleaseFile
from kfp_release.release_image import ReleaseImage
from kfp_release.released_files import FileReader, PackageIndex, files_by_version, read_file
from kfp_release.retention import retention_warnings
from kfp_release.runtime import runtime_tag
from kfp_release.stored_images import stored_images
from kfp_release.version import ReleaseVersion
from kfp_release.workers import in_parallel

_DOWNLOADS = 8
"""Files that are downloaded at once."""

Wanted = Callable[[ReleaseVersion], bool]
_Listed = tuple[str, ReleaseVersion, IndexFile]
"""A project, and a file of one of its versions."""


@dataclass(frozen=True, slots=True)
class Actual:
    """What is there, and what of it may go: warnings of lifecycle rules."""

    seen: Seen
    warnings: tuple[Problem, ...]


@dataclass(slots=True)
class _Shelf:
    """One repository: all that it lists, and what was looked at of that."""

    store: EcrRepository
    listed: Sequence[ImageSummary]
    images: list[ReleaseImage]
    warnings: Sequence[Problem]


@dataclass(frozen=True, slots=True)
class _Ecr:
    """All repositories, those that cannot be asked too. `required` are those without which nothing can be told."""

    required: Collection[Repository]
    shelves: dict[Repository, _Shelf] = field(default_factory=dict)
    unasked: dict[Repository, EcrError] = field(default_factory=dict)

    @contextmanager
    def asking(self, at: Repository) -> Iterator[None]:
        """An old tag may name a repository that this role, or nobody, may ask: that tells nothing of other versions."""
        try:
            yield
        except EcrError as error:
            if at in self.required:
                raise
            self.unasked[at] = error

    def seen(self) -> dict[tuple[Repository, str | Digest], ReleaseImage]:
        """What was looked at, by tags and by digest."""
        images: dict[tuple[Repository, str | Digest], ReleaseImage] = {}
        for at, shelf in self.shelves.items():
            for image in shelf.images:
                images[at, image.digest] = image
                images |= {(at, tag): image for tag in image.tags}
        return images

    def warnings(self) -> tuple[Problem, ...]:
        """Of all repositories, in their order."""
        return tuple(warning for at in sorted(self.shelves) for warning in self.shelves[at].warnings)


def actual_releases(
    desired: Desired,
    *,
    stores: Callable[[Repository], EcrRepository],
    index: PackageIndex,
    versions: Collection[ReleaseVersion] | None = None,
    read: FileReader = read_file,
) -> Actual:
    """Look at `versions` alone, at all where it is None. Wheels and sdists that carry pins are downloaded and `read`.

    Raise `ReleaseError` where the index, or ECR for a repository of the checkout's configuration, cannot be asked.
    """
    releases = (*desired.releases, desired.checkout)
    ecr = _Ecr({at for _, at in desired.checkout.images})
    opened: dict[Repository, EcrRepository] = {}
    for at in sorted({at for release in releases for _, at in release.images}):
        with ecr.asking(at):
            opened[at] = stores(at)
    files: dict[ReleaseVersion, list[ReleaseFile]] = {}

    def wanted(version: ReleaseVersion) -> bool:
        return version not in desired.foreign if versions is None else version in versions

    def ask_ecr(at: Repository) -> None:
        with ecr.asking(at):
            ecr.shelves[at] = _look(opened[at], wanted)

    def ask_index() -> None:
        for version, file in _read(index, listed, pinning, read):
            files.setdefault(version, []).append(file)

    pinning = {release.distribution for release in releases}
    listed = _listed(index, pinning, wanted)
    listed += _listed(index, {name for one in releases for name in one.projects} - pinning, wanted)
    asks: list[Callable[[], None]] = [ask_index, *(partial(ask_ecr, at) for at in opened)]
    in_parallel(lambda ask: ask(), asks, workers=len(asks))
    for at, digest in _pinned(files.values()):
        if at in ecr.shelves:
            with ecr.asking(at):
                _look_at(ecr.shelves[at], digest)
    return Actual(Seen(ecr.seen(), files, ecr.unasked), ecr.warnings())


def _look(store: EcrRepository, wanted: Wanted) -> _Shelf:
    try:
        listed = store.images()
    except EcrError as error:
        if error.code == "RepositoryNotFoundException":
            return _Shelf(store, (), [], ())
        raise
    chosen = [image for image in listed if any(map(wanted, _versions(image)))]
    return _Shelf(store, listed, stored_images(store, chosen), retention_warnings(store, _kept(listed)))


def _look_at(shelf: _Shelf, digest: Digest) -> None:
    """At an image that is pinned and has lost its tag."""
    if all(image.digest != digest for image in shelf.images):
        shelf.images += stored_images(shelf.store, [image for image in shelf.listed if image.digest == digest])


def _versions(image: ImageSummary) -> list[ReleaseVersion]:
    return [version for tag in image.tags if (version := ReleaseVersion.of_image_tag(tag)) is not None]


def _kept(listed: Iterable[ImageSummary]) -> list[tuple[str, ...]]:
    """The tags of the images that are meant to stay: releases and runtimes; snapshots may go."""
    return [
        image.tags
        for image in listed
        if any(tag.startswith(runtime_tag("")) for tag in image.tags)
        or any(not version.is_snapshot for version in _versions(image))
    ]


def _listed(index: PackageIndex, projects: Collection[str], wanted: Wanted) -> list[_Listed]:
    names = sorted(projects)
    pages = zip(names, in_parallel(partial(files_by_version, index), names, workers=_DOWNLOADS), strict=True)
    return [
        (name, version, file)
        for name, found in pages
        for version in found
        if wanted(version)
        for file in found[version]
    ]


def _read(
    index: PackageIndex, files: Sequence[_Listed], pinning: Collection[str], read: FileReader
) -> list[tuple[ReleaseVersion, ReleaseFile]]:
    """The `files`; those of the projects that are `pinning` with what they carry."""

    def look(item: _Listed) -> tuple[ReleaseVersion, ReleaseFile]:
        project, version, file = item
        if project in pinning:
            found = read(index, file, project=project, version=version)
            return version, replace(found, is_yanked=file.yanked)
        return version, ReleaseFile(project, file.filename, file.sha256 or "", is_yanked=file.yanked, size=file.size)

    return in_parallel(look, files, workers=_DOWNLOADS)


def _pinned(files: Iterable[Sequence[ReleaseFile]]) -> set[tuple[Repository, Digest]]:
    pins = [file.pins for found in files for file in found if file.pins is not None]
    return {(image.repository, image.ref.digest) for one in pins for image in one.images if image.is_exact}
