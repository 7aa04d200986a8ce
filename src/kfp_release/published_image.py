"""An image of a public version, as ECR hands it out, or why it does not."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from kfp_release.ecr import EcrRepository
from kfp_release.ecr_errors import EcrError
from kfp_release.ecr_images import ArchivedImage
from kfp_release.errors import ReleaseError
from kfp_release.image import Image
from kfp_release.manifest import ImageConfig, Manifest
from kfp_release.record import PinnedImage
from kfp_release.withheld import BAD_CONFIG, BAD_IMAGE, NO_IMAGE, Withheld

_Thing = TypeVar("_Thing")


def published_image(store: EcrRepository, pinned: PinnedImage) -> Image | Withheld:
    """The image that is pinned, and can be read. Raise `EcrError` where ECR cannot be asked."""
    manifest = handed_out(partial(store.find, pinned.ref.digest), absent=NO_IMAGE, damaged=BAD_IMAGE)
    if isinstance(manifest, Withheld):
        return manifest
    return handed_out(partial(_read, store, manifest), absent=NO_IMAGE, damaged=BAD_CONFIG)


def handed_out(ask: Callable[[], _Thing | None], *, absent: Withheld, damaged: Withheld) -> _Thing | Withheld:
    """What ECR answers, or why there is nothing. Raise `EcrError` where it cannot be asked."""
    try:
        found = ask()
    except ArchivedImage as error:
        return Withheld.of(error)
    except EcrError as error:
        if not error.is_absence:
            raise
        return absent if error.code == "RepositoryNotFoundException" else damaged.because(error)
    except ReleaseError as error:
        return damaged.because(error)
    return absent if found is None else found


def _read(store: EcrRepository, manifest: Manifest) -> Image:
    """Raise `ReleaseError` where its config is gone, or none: its labels are read by all that follows."""
    image = Image(manifest, ImageConfig.parse(store.read_blob(manifest.config)))
    _ = image.config.labels
    return image
