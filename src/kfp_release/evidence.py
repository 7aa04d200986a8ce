"""The evidence of a release: what each of its images is to have attached."""

from __future__ import annotations

from kfp_release.attached_sbom import sbom_attachment
from kfp_release.built import BuiltRelease
from kfp_release.record import PinnedImage
from kfp_release.referrers import Attachment


def evidence_of(built: BuiltRelease, pinned: PinnedImage) -> tuple[Attachment, ...]:
    """In the order in which it is attached."""
    return (sbom_attachment(built.sbom(pinned)),)
