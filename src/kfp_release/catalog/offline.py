"""A built release, seen as what is public of a version is: nobody is asked."""

from __future__ import annotations

from kfp_release.built import BuiltRelease
from kfp_release.catalog.model import CatalogFile
from kfp_release.catalog.public import PublicImage, PublicVersion, pinned_images
from kfp_release.errors import ReleaseError
from kfp_release.record import PinnedImage


def of_built(built: BuiltRelease, distribution: str) -> PublicVersion:
    """The version that ``dist/`` holds. Raise `ReleaseError` where it is of another `distribution`."""
    record = built.record
    if record.pins.distribution != distribution:
        raise ReleaseError(
            f"{built.folder} holds {record.pins.distribution} {record.pins.version}, this project is {distribution}",
            remedy="name this project's own with --dist, or build it: kfp-release build",
        )
    return PublicVersion(
        version=record.pins.version,
        state=None,
        withdrawn_by="",
        images=tuple(_image(built, image) for image in record.pins.images),
        files=tuple(CatalogFile(item.project, item.filename, item.sha256, item.size) for item in record.distributions),
        pins=pinned_images(record.pins),
    )


def _image(built: BuiltRelease, image: PinnedImage) -> PublicImage:
    return PublicImage(
        name=image.name,
        repository=str(image.repository),
        tag=image.ref.tag or "",
        runtime_key=image.runtime_key,
        platform=image.platform,
        digest=image.ref.digest,
        manifest=built.image(image).manifest,
    )
