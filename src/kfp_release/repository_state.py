"""How a repository of ECR is set up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class RepositoryState:
    """`uri` is ``host/name`` as ECR has it, which is what images are to be pulled from.

    `mutability` is one of MUTABLE, IMMUTABLE, IMMUTABLE_WITH_EXCLUSION and MUTABLE_WITH_EXCLUSION; `exclusions` are
    the wildcard patterns of tags that are treated the other way.
    """

    uri: str
    mutability: str
    exclusions: tuple[str, ...] = ()

    @classmethod
    def parse(cls, value: Mapping[str, Any]) -> Self:
        """From ECR's own description, ``Repository`` in its API Reference."""
        filters = value.get("imageTagMutabilityExclusionFilters") or ()
        return cls(
            uri=value["repositoryUri"],
            mutability=value.get("imageTagMutability", "MUTABLE"),
            exclusions=tuple(each["filter"] for each in filters),
        )
