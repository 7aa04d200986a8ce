"""The images that a repository stores, read by the hundred: their labels, and whether they are whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from kfp_release.digest import Digest
from kfp_release.ecr_errors import EcrError
from kfp_release.errors import ReleaseError
from kfp_release.image import LABEL_REVISION
from kfp_release.image_summary import ImageSummary
from kfp_release.manifest import Descriptor, ImageConfig, Manifest
from kfp_release.release_image import ReleaseImage
from kfp_release.workers import in_parallel

_AT_ONCE = 4
"""Configs that are asked for together."""


class ManifestStore(Protocol):
    """What is asked of one repository, many images a call."""

    def manifests(self, digests: Iterable[Digest]) -> Mapping[Digest, Manifest]:
        """The manifests of those that are images for one platform, and can be pulled."""

    def missing(self, digests: Iterable[Digest]) -> set[Digest]:
        """Those that the repository has no layer or config of."""

    def read_blob(self, descriptor: Descriptor) -> bytes:
        """A small blob, verified: one image a call."""


def stored_images(store: ManifestStore, summaries: Sequence[ImageSummary]) -> list[ReleaseImage]:
    """What there is to know of the images that `summaries` list, in their order.

    Raise `EcrError` where ECR cannot be asked: no credentials, no permission, no network.
    """
    manifests = store.manifests([image.digest for image in summaries if image.is_active])
    lacking = store.missing({digest for manifest in manifests.values() for digest in _blobs(manifest)})
    # A release writes its labels into the manifest's annotations too; what another tool pushed anew may have lost them.
    bare = [one for one in manifests.values() if LABEL_REVISION not in one.annotations]
    labels: dict[Digest, Mapping[str, str]] = {digest: one.annotations for digest, one in manifests.items()}
    labels |= dict(in_parallel(lambda one: (one.digest, _labels(store, one)), bare, workers=_AT_ONCE))
    return [
        ReleaseImage(
            image.digest,
            image.tags,
            image.status,
            labels.get(image.digest),
            sorted(lacking.intersection(_blobs(manifests[image.digest]))) if image.digest in manifests else (),
        )
        for image in summaries
    ]


def _blobs(manifest: Manifest) -> set[Digest]:
    return {blob.digest for blob in (manifest.config, *manifest.layers)}


def _labels(store: ManifestStore, manifest: Manifest) -> Mapping[str, str]:
    """The config's; the manifest's where it is gone, which is told as such, or is none: other tools have others."""
    try:
        return ImageConfig.parse(store.read_blob(manifest.config)).labels
    except ReleaseError as error:
        if isinstance(error, EcrError) and not error.is_absence:
            raise
        return manifest.annotations
