"""From a compiled pipeline back to the versions and commits of its images, as ECR, git and the component files have it.

The wheel is not needed: an image tells its version and commit by its labels, and the commit has the component files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from kfp_release.committed_interfaces import committed_interfaces
from kfp_release.component import operator_of
from kfp_release.component_folder import folder_bytes
from kfp_release.config import Config
from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository
from kfp_release.ecr_errors import EcrError
from kfp_release.errors import ReleaseError
from kfp_release.git import Git
from kfp_release.image_origin import Place, Shelf, image_origin
from kfp_release.image_ref import BadImageName, Repository
from kfp_release.package_files._operators.image_name import ImageName
from kfp_release.package_files._operators.known import Known, containers, programs
from kfp_release.package_files._operators.owned import Owned
from kfp_release.package_files._operators.pipeline import Pipeline, Task
from kfp_release.package_files._operators.tracing import FOREIGN, NO_IMAGE, PINNED, Origin, Trace, Traced, unpinned
from kfp_release.stored_images import stored_images
from kfp_release.workers import in_parallel

_AT_ONCE = 8


def owned_images(config: Config, digests: Mapping[str, str] | None = None) -> Owned:
    """The repositories of a configuration's images: as component files name them, and where they are pushed to.

    `digests` are those of which it is known already whose they are.
    """
    both = [str(one) for image in config.images for one in (image.declared, image.repository)]
    return Owned(tuple(dict.fromkeys(both)), digests or {})


def asked_repository(config: Config, home: str, repository: str) -> Repository | None:
    """Where ECR is asked for an image of `repository`, a copy of the owned one `home`; None where that is no ECR's.

    That of the configuration is asked where ``KFP_RELEASE_REGISTRY`` has it.
    """
    image = next(one for one in config.images if home in {str(one.declared), str(one.repository)})
    if repository in {str(image.declared), str(image.repository)}:
        return image.repository
    try:
        found = Repository.parse(repository)
    except BadImageName:
        return None
    if found.account:
        return found
    if found.host != image.repository.host:
        return None
    return Repository(found.host, found.name, image.repository.account, image.repository.region)


@dataclass(frozen=True)
class _Images:
    """The images of one pipeline that have a digest, and where ECR is asked for those that are owned."""

    config: Config
    owned: Owned
    names: Mapping[str, ImageName]
    """By their texts."""

    @cached_property
    def homes(self) -> Mapping[str, str]:
        """The owned repository of each that has one."""
        return {text: home for text, name in self.names.items() if (home := self.owned.home(name)) is not None}

    def home(self, text: str) -> Repository:
        """Where releases push to what this is a copy of."""
        found = asked_repository(self.config, self.homes[text], self.homes[text])
        assert found is not None  # noqa: S101 - it is the configuration's
        return found

    def asked(self, text: str) -> Repository | None:
        """Where ECR has it, if one does."""
        return asked_repository(self.config, self.homes[text], self.names[text].repository)

    def shelves(self, stores: Callable[[Repository], EcrRepository]) -> Mapping[Repository, Shelf]:
        """What ECR has of them, asked repository by repository, some at a time.

        Raise `ReleaseError` where a repository of the configuration cannot be asked.
        """
        wanted: dict[Repository, set[Digest]] = {}
        for text in self.homes:
            at = self.asked(text) or self.home(text)
            wanted.setdefault(at, set()).add(Digest.parse(self.names[text].digest))
        required = {image.repository for image in self.config.images}

        def look(at: Repository) -> Shelf:
            try:
                return _look(stores(at), wanted[at])
            except EcrError as error:
                if error.is_absence:
                    return Shelf(at)
                if at in required:
                    raise
                return Shelf(at, refusal=error)

        return {shelf.at: shelf for shelf in in_parallel(look, sorted(wanted), workers=_AT_ONCE)}

    def origins(self, shelves: Mapping[Repository, Shelf], tags: Mapping[str, str]) -> Mapping[str, Origin]:
        """What is known of each that is owned."""
        found = {}
        for text in self.homes:
            at, home = self.asked(text), self.home(text)
            place = Place(shelves[at or home], at == home, "" if at else self.names[text].host)
            found[text] = image_origin(self.names[text], place, tags)
        return found


def trace(
    pipeline: Pipeline,
    *,
    project: Path,
    config: Config,
    stores: Callable[[Repository], EcrRepository],
    digests: Mapping[str, str] | None = None,
) -> Trace:
    """What ECR, git and the component files say of each task; `digests` as `owned_images` has them.

    Raise `ReleaseError` where ECR cannot be asked.
    """
    texts = dict.fromkeys(task.image for task in pipeline.tasks if task.container is not None)
    names = {text: ImageName.parse(text) for text in texts if unpinned(text) is None}
    owned = owned_images(config, {**(digests or {}), **_copies(names.values(), config, stores)})
    images = _Images(config, owned, names)
    git = Git(project)
    origins = images.origins(images.shelves(stores), _tags(git))
    versions = {one.commit: one.version for one in origins.values() if one.commit}
    history = _History(git, project, config, owned, versions)
    tasks = [_traced(task, origins, history) for task in pipeline.tasks]
    return Trace(pipeline.name, tuple(tasks))


def _copies(
    images: Iterable[ImageName], config: Config, stores: Callable[[Repository], EcrRepository]
) -> Mapping[str, str]:
    """Digests of images that may be copies, by their name, and are, for the repository of that name has them."""
    owned = owned_images(config)
    doubtful = [(name, home) for name in images if owned.home(name) is None and (home := owned.namesake(name))]
    at = {home: asked_repository(config, home, home) for _, home in doubtful}
    there = {home: _digests(stores(found)) for home, found in at.items() if found}
    return {name.digest: home for name, home in doubtful if Digest.parse(name.digest) in there[home]}


def _digests(store: EcrRepository) -> set[Digest]:
    try:
        return {image.digest for image in store.images()}
    except EcrError as error:
        if error.is_absence:
            return set()
        raise


def _traced(task: Task, origins: Mapping[str, Origin], history: _History) -> Traced:
    if task.container is None:
        origin = Origin(NO_IMAGE)
    else:
        origin = unpinned(task.image) or origins.get(task.image) or history.foreign(ImageName.parse(task.image))
    return Traced(task.path, history.at(origin.commit).component(task), task.image, origin)


class _History:
    """The component files of the commits that images are of."""

    def __init__(self, git: Git, project: Path, config: Config, owned: Owned, versions: Mapping[str, str]) -> None:
        self._git, self._config, self._owned = git, config, owned
        self._versions = versions
        self._known = {commit: self._of_commit(commit) for commit in versions}
        self._here = self._of(_here(project, config))

    def at(self, commit: str) -> Known:
        """What the component files of `commit` name and run; those of the working tree where git has it not."""
        return self._known.get(commit) or self._here

    def foreign(self, image: ImageName) -> Origin:
        """That of an image of others: pinned where the component files of one of the commits name its digest."""
        for commit, known in self._known.items():
            if known and image.digest in {ImageName.parse(text).digest for text in known.named}:
                return Origin(PINNED, "", self._versions[commit], commit)
        return Origin(FOREIGN, "it is in no repository of [tool.kfp-release.images]")

    def _of_commit(self, commit: str) -> Known | None:
        try:
            if self._git.resolve(commit) is None:
                return None
            files = committed_interfaces(
                self._git, commit, revision=commit[:12], version=None, components=self._config.components
            )
        except ReleaseError:  # no repository, or not all of it
            return None
        return self._of(files.files)

    def _of(self, files: Mapping[str, bytes]) -> Known:
        found = {}
        for path, data in files.items():
            try:
                found[operator_of(path)] = containers(path, data.decode())
            except ValueError:  # whoever made this commit was told
                continue
        named = frozenset(str(one.image) for inner in found.values() for one in inner if one.image is not None)
        return Known(self._owned, {}, named, programs(found))


def _here(project: Path, config: Config) -> Mapping[str, bytes]:
    try:
        return folder_bytes(project, config.components)
    except ReleaseError:
        return {}


def _tags(git: Git) -> Mapping[str, str]:
    try:
        return git.tags()
    except ReleaseError:  # an export without its history
        return {}


def _look(store: EcrRepository, digests: Iterable[Digest]) -> Shelf:
    listed, wanted = store.images(), set(digests)
    found = stored_images(store, [image for image in listed if image.digest in wanted])
    tags = {tag: image.digest for image in listed for tag in image.tags}
    return Shelf(store.repository, {image.digest: image for image in found}, tags)
