"""A release that is built and not public yet: the folder ``dist/``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from kfp_release.carried_pins import sdist_pins, wheel_pins
from kfp_release.config import Config
from kfp_release.digest import Digest
from kfp_release.errors import ReleaseError
from kfp_release.image import Image
from kfp_release.layout import Layout
from kfp_release.record import Distribution, PinnedImage, ReleaseRecord
from kfp_release.sdist import Sdist
from kfp_release.wheel import Wheel


class BadBuild(ReleaseError):
    """A folder that is no built release, or no longer what was built."""


@dataclass(frozen=True, slots=True)
class BuiltRelease:
    """``dist/``: release.json, wheels and sdists, and an OCI layout with all that a runtime does not bring.

    Only what `read` has checked is one, so nothing else can be published.
    """

    folder: Path
    record: ReleaseRecord

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Raise `BadBuild` where a file is missing, is not what release.json says, or a pin lacks its digest."""
        path = folder / "release.json"
        try:
            record = ReleaseRecord.parse(path.read_bytes())
        except OSError as error:
            raise BadBuild(f"{path} cannot be read: {error.strerror}", remedy="kfp-release build") from error
        built = cls(folder, record)
        for item in record.distributions:
            data = built._unchanged(item)
            if item.project == record.pins.distribution:
                built._require_pins(item, data)
        for image in record.pins.images:
            built._require_image(image)
        return built

    def _unchanged(self, item: Distribution) -> bytes:
        path = self.path(item)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise BadBuild(f"{path} cannot be read: {error.strerror}", remedy="kfp-release build") from error
        if (seen := Digest.of(data).hex) != item.sha256:
            raise BadBuild(
                f"{path} has sha256 {seen}, release.json says {item.sha256}", remedy="build again: kfp-release build"
            )
        return data

    def _require_pins(self, item: Distribution, data: bytes) -> None:
        name = item.filename
        pins = wheel_pins(Wheel.parse(name, data))[0] if name.endswith(".whl") else sdist_pins(Sdist.parse(name, data))
        if pins != self.record.pins:
            raise BadBuild(
                f"{self.path(item)} carries other pins than release.json has",
                remedy="only what kfp-release build made from a plan can be published",
            )

    def _require_image(self, pinned: PinnedImage) -> None:
        if not pinned.is_exact:
            raise BadBuild(
                f"image {pinned.name} is pinned to the tag alone: {pinned.pin}",
                remedy="only what kfp-release build made from a plan can be published",
            )
        seen = self.image(pinned).manifest.digest
        if seen != pinned.ref.digest:
            raise BadBuild(
                f"{self.folder / 'image'} has {seen} for image {pinned.name}, release.json pins {pinned.ref.digest}",
                remedy="build again: kfp-release build",
            )

    def require_registry(self, config: Config) -> None:
        """Raise `ReleaseError` where `config`, with the environment's registry, would have the images elsewhere."""
        for image in self.record.pins.images:
            wanted = config.image(image.name).repository
            if wanted != image.repository:
                raise ReleaseError(
                    f"{self.folder} was built for {image.repository}, and now image {image.name} belongs to {wanted}",
                    remedy="plan and build again, or set KFP_RELEASE_REGISTRY as it was",
                )

    @property
    def layout(self) -> Layout:
        """The images, without the layers of their runtimes."""
        return Layout(self.folder / "image")

    def image(self, pinned: PinnedImage) -> Image:
        """The image that a pin names."""
        return self.layout.image(pinned.name)

    def path(self, item: Distribution) -> Path:
        """Where a distribution lies."""
        return self.folder / item.filename

    def to_json(self) -> dict[str, Any]:
        """release.json, for ``--json``."""
        return self.record.to_value()
