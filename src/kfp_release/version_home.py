"""Whether a repository of ECR can be the home of a version: it is the one that is pinned, and its tags stay."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Final, Protocol

from kfp_release.errors import ReleaseError
from kfp_release.image_ref import Repository
from kfp_release.repository_state import RepositoryState

_ELSEWHERE: Final = "set KFP_RELEASE_REGISTRY and AWS_ENDPOINT_URL_ECR together, or neither"
_MEANT: Final = "; or say that it is meant: mutable-tags = true in [tool.kfp-release.images]"


class Home(Protocol):
    """What is asked of one repository."""

    @property
    def repository(self) -> Repository:
        """Which one it is."""

    def describe(self) -> RepositoryState | None:
        """Its state, None where it does not exist."""

    def create(self) -> RepositoryState:
        """Make it, with immutable tags."""


def ensure_home(store: Home, tag: str, *, create: bool = False, mutable: bool = False) -> None:
    """Make sure that `tag` can go into `store`, which is made, immutable, only if `create` says so.

    Raise `ReleaseError` where it does not exist, and as `require_home` does.
    """
    state = store.describe()
    if state is None and not create:
        raise ReleaseError(
            f"ECR has no repository {store.repository}",
            remedy="have it created, immutable: kfp-release runtime --create-repository",
        )
    require_home(store.repository, state or store.create(), tag, mutable=mutable)


def require_home(
    repository: Repository,
    state: RepositoryState,
    tag: str,
    *,
    mutable: bool | None = False,
    elsewhere: str = _ELSEWHERE,
) -> None:
    """Raise `ReleaseError` where pulls would go elsewhere than ECR's `state` says, or `tag` could be moved later.

    `elsewhere` is the remedy for the former. The latter may be meant, and then is `mutable`: pins hold a digest, so
    that they stay; but two releases at once can then both have the tag, one after the other. None is for a project
    whose configuration is not read, and cannot say that it is meant.
    """
    seen = Repository.parse(state.uri)
    if not seen.is_same(repository):
        raise ReleaseError(
            f"images would be pinned to {repository}, and ECR's answer says that they are pulled from {seen}",
            remedy=elsewhere,
        )
    if not mutable and not _stays(state, tag):
        raise ReleaseError(
            f"ECR repository {repository} is {state.mutability}: tag {tag} could be moved after the release",
            remedy=_immutable(repository) + ("" if mutable is None else _MEANT),
        )


def _immutable(repository: Repository) -> str:
    """The command names account and region: the caller's own may have a repository of the same name."""
    known = (("--registry-id", repository.account), ("--region", repository.region))
    home = "".join(f" {option} {value}" for option, value in known if value)
    return (
        f"make its tags immutable: aws ecr put-image-tag-mutability --repository-name {repository.name} "
        f"--image-tag-mutability IMMUTABLE{home}"
    )


def _stays(state: RepositoryState, tag: str) -> bool:
    """AWS: ECR API Reference, ImageTagMutabilityExclusionFilter; a pattern turns the rule around."""
    excluded = any(fnmatchcase(tag, pattern) for pattern in state.exclusions)
    match state.mutability:
        case "IMMUTABLE":
            return True
        case "IMMUTABLE_WITH_EXCLUSION":
            return not excluded
        case "MUTABLE_WITH_EXCLUSION":
            return excluded
        case _:
            return False
