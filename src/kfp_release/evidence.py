"""The evidence of a release: what each of its images is to have attached."""

from __future__ import annotations

from kfp_release.built import BuiltRelease
from kfp_release.record import PinnedImage
from kfp_release.referrers import Attachment


def evidence_of(built: BuiltRelease, pinned: PinnedImage) -> tuple[Attachment, ...]:  # noqa: ARG001 - yet to be made
    """In the order in which it is attached."""
    return ()
