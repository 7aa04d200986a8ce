"""One image of a repository, as ECR lists it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from kfp_release.digest import Digest

ACTIVE = "ACTIVE"


@dataclass(frozen=True, slots=True)
class ImageSummary:
    """Its digest, all its tags, sorted, and when it was pushed. `status` is ACTIVE for what can be pulled."""

    digest: Digest
    tags: tuple[str, ...]
    pushed_at: datetime
    status: str = ACTIVE

    @classmethod
    def parse(cls, value: Mapping[str, Any]) -> Self:
        """From ECR's own description, ``ImageDetail`` in its API Reference."""
        return cls(
            digest=Digest.parse(value["imageDigest"]),
            tags=tuple(sorted(value.get("imageTags", ()))),
            pushed_at=value["imagePushedAt"],
            status=value.get("imageStatus", ACTIVE),
        )

    @property
    def is_active(self) -> bool:
        """Whether it can be pulled: it is neither archived nor on its way there or back."""
        return self.status == ACTIVE
