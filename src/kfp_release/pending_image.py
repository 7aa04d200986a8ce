"""One image that is to be made public: what is there of it already, and what `publish` sends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from kfp_release.built import BuiltRelease
from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository
from kfp_release.ecr_errors import EcrError
from kfp_release.errors import ReleaseError
from kfp_release.evidence import evidence_of
from kfp_release.image import Image
from kfp_release.image_ref import Repository
from kfp_release.layout import Layout
from kfp_release.manifest import Descriptor
from kfp_release.progress import Progress
from kfp_release.record import PinnedImage
from kfp_release.referrers import Attachment, Look, find_attached, look_at_attached
from kfp_release.sbom import SBOM_TYPE
from kfp_release.upload import LAYERS_AT_ONCE, new_lanes, upload_blobs
from kfp_release.version_home import ensure_home
from kfp_release.workers import in_parallel

_NO_IMAGE: Final = frozenset({"ImageNotFoundException", "InvalidParameterException", "ValidationException"})


@dataclass(frozen=True, slots=True)
class PendingImage:
    """One image of a built release."""

    pinned: PinnedImage
    image: Image
    store: EcrRepository
    there: bool
    missing: tuple[Descriptor, ...]
    """What ECR lacks of it, although it may have its manifest; all of that is in the build's layout."""
    evidence: tuple[Attachment, ...]
    """What it is to have attached, in this order."""

    @property
    def sbom(self) -> Digest | None:
        """Of the SBOM that it has attached, or is to have; None where it is to have none."""
        return next((Digest.of(one.data) for one in self.evidence if one.artifact_type == SBOM_TYPE), None)

    def look(self, artifact_type: str) -> Look:
        """What of this type is attached to it; to one that is not there yet, too, if ECR tells of that."""
        with _perhaps_absent(there=self.there):
            return look_at_attached(self.store, self.image.manifest.digest, artifact_type)
        return Look((), ())

    def commit(self) -> None:
        """Make it public. Raise `ReleaseError` unless ECR hands out what the build added to the runtime.

        ECR checks digests as it takes layers, and one proxy or disk behind that is enough to make the image unusable.
        So the config and the package layer are read back before any file names it.
        """
        self.store.put(self.image.manifest, self.pinned.ref.tag)
        for blob in (self.image.manifest.config, self.image.manifest.layers[-1]):
            self.store.require_blob(blob)


def look_at(
    pinned: PinnedImage, built: BuiltRelease, stores: Callable[[Repository], EcrRepository], *, mutable: bool
) -> PendingImage:
    """Raise `ReleaseError` where other content is there, or layers are lacking that the build has not."""
    ref = pinned.ref
    store = stores(pinned.repository)
    ensure_home(store, ref.tag, mutable=mutable)
    found = store.find(ref.tag)
    if found is not None and found.digest != ref.digest:
        raise ReleaseError(
            f"{ref.repository}:{ref.tag} is public already as {found.digest}, this build has {ref.digest}",
            remedy="nothing is overwritten and nothing was sent: release under the next version",
        )
    image = built.image(pinned)
    blobs = {blob.digest: blob for blob in (image.manifest.config, *image.manifest.layers)}
    missing = sorted(store.missing(blobs))
    if absent := [digest for digest in missing if not built.layout.has(digest)]:
        raise _absent(pinned, absent, there=found is not None, adopted=image.manifest.layers[-1].digest in absent)
    evidence = tuple(
        _as_attached(wanted, store, image, there=found is not None) for wanted in evidence_of(built, pinned)
    )
    return PendingImage(pinned, image, store, found is not None, tuple(blobs[digest] for digest in missing), evidence)


def _as_attached(wanted: Attachment, store: EcrRepository, image: Image, *, there: bool) -> Attachment:
    """`wanted`, with the bytes of what is attached already. Raise `ReleaseError` where that will not do."""
    with _perhaps_absent(there=there):
        attached = find_attached(store, image.manifest, wanted)
        return replace(wanted, data=attached.data) if attached else wanted
    return wanted


@contextmanager
def _perhaps_absent(*, there: bool) -> Iterator[None]:
    """What ECR may say of an image that is not there, asked what refers to it, is no reason to send nothing."""
    try:
        yield
    except EcrError as error:
        if there or error.code not in _NO_IMAGE:
            raise


def _absent(pinned: PinnedImage, absent: Sequence[Digest], *, there: bool, adopted: bool) -> ReleaseError:
    """What to say of layers that neither ECR has nor the build: the runtime's, or those of an adopted image."""
    ref, listed = pinned.ref, ", ".join(str(digest) for digest in absent[:3])
    if there:
        return ReleaseError(
            f"{ref} is in ECR and cannot be pulled: {len(absent)} of its layers are not there: {listed}",
            remedy="push this image from where it was pulled, then publish again; or release under the next version",
        )
    if adopted:
        return ReleaseError(
            f"{ref} was adopted by this build, which has not its package layer, and is gone from ECR",
            remedy="kfp-release plan and kfp-release build, then publish again",
        )
    return ReleaseError(
        f"ECR repository {ref.repository} lacks {len(absent)} layers of runtime-{pinned.runtime_key}: {listed}",
        remedy="kfp-release runtime, then publish again",
    )


def send_blobs(images: Sequence[PendingImage], layout: Layout, progress: Progress) -> int:
    """Bytes sent. Several images go beside each other, their layers as few at a time as those of one."""
    names = ", ".join(f"{pending.pinned.name} to {pending.pinned.ref.repository}" for pending in images)
    if names:
        progress.step(f"push {names}")
    lanes = new_lanes()

    def send(pending: PendingImage) -> int:
        blobs = [layout.blob(descriptor) for descriptor in pending.missing]
        return upload_blobs(pending.store, blobs, progress=progress, lanes=lanes)

    return sum(in_parallel(send, images, workers=LAYERS_AT_ONCE))
