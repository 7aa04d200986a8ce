"""What refers to an image is copied with it: SBOMs, provenance and signatures of any tool, by their digests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from kfp_release.ecr import EcrRepository
from kfp_release.ecr_errors import EcrError
from kfp_release.errors import Problem, ReleaseError
from kfp_release.manifest import Descriptor
from kfp_release.progress import Progress
from kfp_release.promotion import Deed, PromotedReferrer, Promotion
from kfp_release.referrer import Referrer
from kfp_release.referrers import referrers_of
from kfp_release.terminal_text import one_line
from kfp_release.upload import upload_blobs

_UNKNOWN = {"UnknownOperationException", "InvalidAction", "UnsupportedCommandException"}
"""What speaks as ECR does, and is another registry, may know of no referrers."""


@dataclass(frozen=True, slots=True)
class PendingReferrer:
    """One artifact, and what the target lacks of it."""

    referrer: Referrer
    missing: tuple[Descriptor, ...]
    is_there: bool

    def left(self, deed: Deed, sent: int = 0) -> PromotedReferrer:
        """What has come of it, if there was something to do."""
        return PromotedReferrer(
            self.referrer.artifact_type,
            self.referrer.manifest.digest,
            Deed.LEFT if self.is_there and not self.missing else deed,
            sum(blob.size for blob in self.missing),
            sent,
        )


@dataclass(frozen=True, slots=True)
class PendingReferrers:
    """Those of one image; `warnings` tell what is not copied."""

    source: EcrRepository | None
    """None where it cannot be asked; then there is nothing."""
    items: tuple[PendingReferrer, ...]
    warnings: tuple[Problem, ...] = field(default=())

    def planned(self) -> tuple[PromotedReferrer, ...]:
        """What would be done about them."""
        return tuple(one.left(Deed.PLANNED) for one in self.items)

    def copy(self, target: EcrRepository, name: str, progress: Progress) -> tuple[PromotedReferrer, ...]:
        """Send what is missing, one after the other: they are small. `name` is the image's."""
        source = self.source
        pending = [one for one in self.items if one.left(Deed.COPIED).deed is Deed.COPIED]
        if source is None or not pending:
            return tuple(one.left(Deed.LEFT) for one in self.items)
        count = len(pending)
        progress.step(f"copy {count} {'artifact that refers' if count == 1 else 'artifacts that refer'} to {name}")

        def copied(one: PendingReferrer) -> PromotedReferrer:
            if one not in pending:
                return one.left(Deed.LEFT)
            sent = upload_blobs(target, [source.blob(blob) for blob in one.missing], progress=progress)
            target.put(one.referrer.manifest, None)
            return one.left(Deed.COPIED, sent)

        return tuple(map(copied, self.items))


def look_at_referrers(
    open_source: Callable[[], EcrRepository], target: EcrRepository | None, promotion: Promotion, *, is_there: bool
) -> PendingReferrers:
    """What refers to the image at its source, and what of it `target` lacks: all, where there is none yet.

    An image that `is_there`, at the target, needs no source any more: then one that cannot be asked is a warning. Raise
    `ReleaseError` where it has to be asked, and does not answer.
    """
    subject = promotion.target.digest
    image = f"{promotion.source}@{subject}"
    try:
        source = open_source()
        found, others = referrers_of(source, subject)
    except ReleaseError as error:
        if not is_there and not (isinstance(error, EcrError) and error.code in _UNKNOWN):
            raise
        message = f"what refers to it cannot be looked up, and is not copied: {one_line(str(error.args[0]))}"
        return PendingReferrers(None, (), (Problem(image, 0, message, error.remedy, "warning"),))
    message = "refers to it and is not copied: it is archived, or no artifact of blobs"
    warnings = tuple(Problem(image, 0, f"{digest} {message}", "", "warning") for digest in others)
    return PendingReferrers(source, tuple(_missing(found, target)), warnings)


def _missing(found: Sequence[Referrer], target: EcrRepository | None) -> list[PendingReferrer]:
    blobs = {one.manifest.digest: _blobs(one) for one in found}
    every = {blob.digest for several in blobs.values() for blob in several}
    lacking = every if target is None or not every else target.missing(every)
    there = {} if target is None or not found else target.manifests(blobs)
    pending: list[PendingReferrer] = []
    for one in found:
        missing = {blob.digest: blob for blob in blobs[one.manifest.digest] if blob.digest in lacking}
        pending.append(PendingReferrer(one, tuple(missing.values()), one.manifest.digest in there))
        lacking -= missing.keys()  # most share the empty config, which the first one brings
    return pending


def _blobs(referrer: Referrer) -> tuple[Descriptor, ...]:
    return (referrer.manifest.config, *referrer.manifest.layers)
