"""Whether ECR keeps a repository's tags where they were put."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Protocol

from kfp_release.errors import ReleaseError
from kfp_release.image_ref import Repository


class TagMutability(Protocol):
    """What is read of a repository's state. AWS: ECR API, ``imageTagMutability`` and its exclusion filters."""

    @property
    def mutability(self) -> str:
        """IMMUTABLE, MUTABLE, or one of them with ``_WITH_EXCLUSION``."""

    @property
    def exclusions(self) -> tuple[str, ...]:
        """Wildcard filters of the tags that are excluded."""


def require_immutable(repository: Repository, state: TagMutability, tag: str) -> None:
    """Raise `ReleaseError` where a version's tag could be moved later."""
    excluded = any(fnmatchcase(tag, pattern) for pattern in state.exclusions)
    kind = state.mutability
    if kind == "IMMUTABLE" or (kind == "IMMUTABLE_WITH_EXCLUSION" and not excluded):
        return
    if kind == "MUTABLE_WITH_EXCLUSION" and excluded:
        return
    raise ReleaseError(
        f"ECR repository {repository} is {kind}: tag {tag} could be moved to another image after the release",
        remedy=f"aws ecr put-image-tag-mutability --repository-name {repository.name} --image-tag-mutability IMMUTABLE",
    )
