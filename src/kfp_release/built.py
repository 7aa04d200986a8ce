"""A release that is built and not public yet: the folder ``dist/``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any, Final, Self

from kfp_release.carried_pins import (
    SDIST_SBOM,
    require_sbom_of,
    sdist_pins,
    wheel_pins,
    wheel_problems,
    wheel_sbom_path,
)
from kfp_release.config import Config
from kfp_release.digest import Digest
from kfp_release.envelope import Envelope
from kfp_release.errors import FULL, MAKE_ROOM, ReleaseError
from kfp_release.image import Image
from kfp_release.inflation import MOST
from kfp_release.layout import Layout
from kfp_release.materials import Materials
from kfp_release.plain_file import read_plain
from kfp_release.record import Distribution, PinnedImage, ReleaseRecord
from kfp_release.record_json import file_name_of
from kfp_release.sbom import SBOM_SUFFIX, BadSbom, Sbom
from kfp_release.sdist import Sdist
from kfp_release.wheel import Wheel

_AGAIN = "build again: kfp-release build"
PROVENANCE: Final = "provenance.intoto.jsonl"
"""DSSE envelopes, one a line."""
SUBJECTS: Final = "subjects.sha256"
"""As sha256sum writes it; images by their repository."""
_ONLY = "only what kfp-release build made from a plan can be published"


def this_tool() -> dict[str, str]:
    """Versions by name of what builds here, beside what a project's own build asks for."""
    ours = {name: metadata.version(name) for name in ("kfp-release", "cyclonedx-python-lib")}
    return {**ours, "python": sys.version.split()[0]}


def sbom_name(pinned: PinnedImage) -> str:
    """The name of the file in ``dist/`` that is an image's SBOM."""
    return file_name_of(f"{pinned.name}{SBOM_SUFFIX}")


class BadBuild(ReleaseError):
    """A folder that is no built release, or no longer what was built."""


@dataclass(frozen=True, slots=True)
class BuiltRelease:
    """``dist/``: release.json, wheels and sdists, SBOMs, and an OCI layout with all that a runtime does not bring.

    Only what `read` has checked is one, so nothing else can be published.
    """

    folder: Path
    record: ReleaseRecord

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Raise `BadBuild` where a file is missing, or anything is not what release.json says or pins exactly."""
        path = folder / "release.json"
        try:
            record = ReleaseRecord.parse(read_plain(path))
        except OSError as error:
            raise BadBuild(f"{path} cannot be read: {error.strerror}", remedy="kfp-release build") from error
        built = cls(folder, record)
        built._require_both()
        carried: dict[Path, Callable[[], bytes]] = {}
        for item in record.distributions:
            data = built.unchanged(item)
            if item.project == record.pins.distribution:
                carried[built.path(item)] = built._require_pins(item, data)
        for image in record.pins.images:
            built._require_image(image)
            built.sbom(image)
        built._require_carried(carried)
        return built

    def _require_both(self) -> None:
        """The sdist and the wheel; whose upload is the release comes last."""
        record = self.record
        names = [item.filename for item in record.distributions if item.project == record.pins.distribution]
        both = [name.endswith(".whl") for name in names] == [False, True]
        if not both or record.distributions[-1].filename != names[-1]:
            listed = ", ".join(item.filename for item in record.distributions) or "no file"
            raise BadBuild(
                f"{self.folder / 'release.json'} lists {listed}; it should list one sdist and then one wheel of "
                f"{record.pins.distribution}, the wheel last of all",
                remedy=_ONLY,
            )

    def _require_pins(self, item: Distribution, data: bytes) -> Callable[[], bytes]:
        """What gives the SBOM that it carries."""
        name, problems = item.filename, []
        if name.endswith(".whl"):
            wheel = Wheel.parse(name, data)
            pins, package = wheel_pins(wheel)
            problems = list(wheel_problems(wheel, pins, package))
            read = partial(wheel.read, wheel_sbom_path(wheel))
        else:
            sdist = Sdist.parse(name, data)
            pins, read = sdist_pins(sdist), partial(sdist.read, SDIST_SBOM)
        if pins != self.record.pins:
            raise BadBuild(f"{self.path(item)} carries other pins than release.json has", remedy=_ONLY)
        if problems:
            raise BadBuild(f"{self.path(item)} is not as its pins say:\n" + "\n".join(problems), remedy=_ONLY)
        return read

    def _require_carried(self, carried: Mapping[Path, Callable[[], bytes]]) -> None:
        """The wheel's own SBOM, in the wheel and in the sdist."""
        found = set()
        for path, read in carried.items():
            try:
                found.add(require_sbom_of(self.record.pins, read()).data)
            except ReleaseError as error:
                raise BadBuild(f"{path} carries no SBOM of the wheel: {error.args[0]}", remedy=_AGAIN) from error
        if len(found) > 1:
            raise BadBuild(f"the wheel and the sdist in {self.folder} carry different SBOMs", remedy=_AGAIN)

    def _require_image(self, pinned: PinnedImage) -> None:
        if not pinned.is_exact:
            raise BadBuild(f"image {pinned.name} is pinned to the tag alone: {pinned.pin}", remedy=_ONLY)
        try:
            image = self.image(pinned)
            whole = self._has_package(image)
        except (ReleaseError, OSError) as error:
            said = error.args[0] if isinstance(error, ReleaseError) else error
            raise BadBuild(f"image {pinned.name} cannot be read: {said}", remedy=_AGAIN) from error
        if image.manifest.digest != pinned.ref.digest:
            raise BadBuild(
                f"{self.layout.path} has {image.manifest.digest} for image {pinned.name}, release.json pins "
                f"{pinned.ref.digest}",
                remedy=_AGAIN,
            )
        if not whole:
            raise BadBuild(f"{self.layout.path} lacks the package layer of image {pinned.name}", remedy=_AGAIN)

    def _has_package(self, image: Image) -> bool:
        if not image.manifest.layers:
            return False
        layer = image.manifest.layers[-1]
        if not self.layout.has(layer.digest):
            # An image that was adopted may name other bytes of the same content; ECR has those.
            return self.layout.has_content(image.config.diff_ids[-1])
        self.layout.blob(layer).verify()
        return True

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

    def sbom(self, pinned: PinnedImage) -> Sbom:
        """The SBOM of the image that a pin names. Raise `BadBuild` where it is missing, or of another image."""
        path = self.folder / sbom_name(pinned)
        try:
            sbom = Sbom.parse(read_plain(path))
        except OSError as error:
            raise BadBuild(f"{path} cannot be read: {error.strerror}", remedy=_AGAIN) from error
        except BadSbom as error:
            raise BadBuild(f"{path} is not the SBOM of image {pinned.name}: {error.args[0]}", remedy=_AGAIN) from error
        if sbom.digest != pinned.ref.digest or sbom.runtime_key != pinned.runtime_key:
            raise BadBuild(
                f"{path} is the SBOM of {sbom.digest} on runtime-{sbom.runtime_key}, and release.json pins "
                f"{pinned.ref.digest} on runtime-{pinned.runtime_key}",
                remedy=_AGAIN,
            )
        return sbom

    def materials(self, pinned: PinnedImage) -> Materials:
        """What the runtime of an image is built from. Raise `BadBuild` where release.json does not say, or lies."""
        name, materials = pinned.name, self.record.materials.get(pinned.name)
        if materials is None:
            raise BadBuild(f"{self.folder / 'release.json'} does not say what image {name} is made of", remedy=_AGAIN)
        if materials.key != pinned.runtime_key:
            raise BadBuild(
                f"{self.folder / 'release.json'}: the materials of image {name} give the runtime key {materials.key}, "
                f"and it is pinned with {pinned.runtime_key}",
                remedy=_AGAIN,
            )
        return materials

    def keep_provenance(self, envelope: Envelope) -> None:
        """Write what `publish` says of the release: the envelope, and the sha256 of all that it names, for other tools.

        Raise `BadBuild` where that cannot be written.
        """
        lines = "".join(f"{one.digest.hex}  {one.name}\n" for one in envelope.statement.subjects)
        for name, data in ((PROVENANCE, envelope.to_bytes() + b"\n"), (SUBJECTS, lines.encode())):
            path = self.folder / name
            try:
                path.write_bytes(data)
            except OSError as error:
                remedy = MAKE_ROOM if error.errno in FULL else "see that it can be written to"
                raise BadBuild(f"{path} cannot be written: {error.strerror}", remedy=remedy) from error

    def path(self, item: Distribution) -> Path:
        """Where a distribution lies."""
        return self.folder / item.filename

    def unchanged(self, item: Distribution) -> bytes:
        """The bytes of a distribution. Raise `BadBuild` where they cannot be read, or are no longer what was built."""
        path = self.path(item)
        try:
            data = read_plain(path, most=MOST)
        except OSError as error:
            raise BadBuild(f"{path} cannot be read: {error.strerror}", remedy="kfp-release build") from error
        if (seen := Digest.of(data).hex) != item.sha256:
            raise BadBuild(f"{path} has sha256 {seen}, release.json says {item.sha256}", remedy=_AGAIN)
        if len(data) != item.size:
            raise BadBuild(f"{path} has {len(data)} bytes, release.json says {item.size}", remedy=_AGAIN)
        return data

    @property
    def bytes_to_push(self) -> int:
        """Bytes of layers and configs that `publish` sends to ECR at most: what of them ECR has is not sent."""
        manifests = [self.image(pinned).manifest for pinned in self.record.pins.images]
        blobs = {blob.digest: blob for manifest in manifests for blob in (manifest.config, *manifest.layers)}
        return sum(blob.size for blob in blobs.values() if self.layout.has(blob.digest))

    def to_json(self) -> dict[str, Any]:
        """release.json and `bytes_to_push`, for ``--json``."""
        return {**self.record.to_value(), "bytes_to_push": self.bytes_to_push}
