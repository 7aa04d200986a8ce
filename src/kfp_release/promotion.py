"""The images of a release, and where in another registry each is to go: by its digest, under the version's tag."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

from kfp_release.digest import Digest
from kfp_release.errors import Problem, ReleaseError
from kfp_release.image_ref import ImageRef, Registry, Repository
from kfp_release.record import PinnedImage, Pins


@dataclass(frozen=True, slots=True)
class Promotion:
    """One image: where it is, and where it is to be."""

    name: str
    source: Repository
    target: ImageRef
    """Its tag and its digest are the source's too."""

    @classmethod
    def of(cls, pinned: PinnedImage, to: Registry, source: Registry | None = None) -> Self:
        """That of a pinned image, which is copied from where it is pinned, or from another `source`.

        Raise `BadImageName` where the pin has no digest, or the name becomes too long.
        """
        ref = pinned.ref
        there = pinned.declared.at_registry(source) if source else pinned.repository
        return cls(pinned.name, there, ImageRef(pinned.declared.at_registry(to), ref.tag, ref.digest))

    @property
    def is_there(self) -> bool:
        """Whether source and target are one repository."""
        return self.source.is_same(self.target.repository)


def promotions(pins: Pins, to: Registry, source: Registry | None = None) -> tuple[Promotion, ...]:
    """One for each image, in their order.

    Raise `ReleaseError` where all are there, for they are copied from there, or two would be one.
    """
    found = tuple(Promotion.of(pinned, to, source) for pinned in pins.images)
    owners: dict[str, Promotion] = {}
    for one in found:
        other = owners.setdefault(str(one.target.repository), one)
        if other is not one:
            raise ReleaseError(
                f"images {other.name} and {one.name} would both be {one.target.repository}",
                remedy="give them repositories of different names in [tool.kfp-release.images], and release again",
            )
    if all(one.is_there for one in found):
        raise ReleaseError(
            f"there is nothing to copy: the images of {pins.distribution} {pins.version} are in {to} already, "
            "for that is where they would be copied from",
            remedy="name another registry with --to; or with --from, or KFP_RELEASE_REGISTRY, another one to copy from",
        )
    return found


class Deed(StrEnum):
    """What was done about an image. The words are for people and for programs."""

    COPIED = "copied"
    PLANNED = "would be copied"
    LEFT = "already there"


@dataclass(frozen=True, slots=True)
class PromotedReferrer:
    """One artifact that refers to an image, an SBOM say, and what was done about it."""

    artifact_type: str
    digest: Digest
    deed: Deed
    bytes_missing: int
    bytes_copied: int

    def to_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "artifact_type": self.artifact_type,
            "digest": str(self.digest),
            "state": self.deed.value,
            "bytes_missing": self.bytes_missing,
            "bytes_copied": self.bytes_copied,
        }


@dataclass(frozen=True, slots=True)
class PromotedImage:
    """One image, what the target had of it, and what was done."""

    promotion: Promotion
    deed: Deed
    blobs: int
    """Its layers and its config."""
    blobs_missing: int
    """Those that the target lacked."""
    bytes_missing: int
    bytes_copied: int
    is_new_repository: bool
    referrers: tuple[PromotedReferrer, ...] = ()
    """What refers to it at its source."""

    @property
    def changed(self) -> bool:
        """Whether anything was copied, or would be."""
        return any(deed is not Deed.LEFT for deed in (self.deed, *(one.deed for one in self.referrers)))

    def to_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "state": self.deed.value,
            "source": f"{self.promotion.source}@{self.promotion.target.digest}",
            "target": str(self.promotion.target),
            "blobs": self.blobs,
            "blobs_missing": self.blobs_missing,
            "bytes_missing": self.bytes_missing,
            "bytes_copied": self.bytes_copied,
            "new_repository": self.is_new_repository,
            "referrers": [one.to_json() for one in self.referrers],
        }


@dataclass(frozen=True, slots=True)
class Promoted:
    """All images of a release, and what may take them away where they are now."""

    images: Sequence[PromotedImage]
    warnings: Sequence[Problem]

    @property
    def changed(self) -> bool:
        """Whether anything was copied, or would be."""
        return any(image.changed for image in self.images)

    @property
    def bytes_missing(self) -> int:
        """Those of all images, and of what refers to them."""
        referrers = (one.bytes_missing for image in self.images for one in image.referrers)
        return sum(image.bytes_missing for image in self.images) + sum(referrers)

    @property
    def bytes_copied(self) -> int:
        """Likewise."""
        referrers = (one.bytes_copied for image in self.images for one in image.referrers)
        return sum(image.bytes_copied for image in self.images) + sum(referrers)

    def to_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "changed": self.changed,
            "bytes_missing": self.bytes_missing,
            "bytes_copied": self.bytes_copied,
            "images": {image.promotion.name: image.to_json() for image in self.images},
            "warnings": [asdict(warning) for warning in self.warnings],
        }
