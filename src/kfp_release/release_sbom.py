"""The SBOMs of a release: of each image, which is its runtime's with the package, and of the wheel."""

from __future__ import annotations

from kfp_release.errors import ReleaseError
from kfp_release.inventory import FoundDistribution
from kfp_release.layer import PACKAGE_LIB
from kfp_release.planned_image import PlannedImage
from kfp_release.python_distribution import PythonDistribution, python_distribution
from kfp_release.record import PinnedImage, Pins
from kfp_release.runtime_sbom import sbom_tools
from kfp_release.sbom import Sbom
from kfp_release.wheel import Wheel


def image_sbom(planned: PlannedImage, pinned: PinnedImage, wheel: Wheel, *, created: int, extra: str) -> Sbom:
    """That of a release's image. `created` is the commit's time, `extra` what declares what its programs import."""
    from kfp_release.cyclonedx_bom import BomImage, image_bom  # noqa: PLC0415 - brings the library

    if planned.runtime is None or planned.runtime_sbom is None:  # pragma: no cover - `build` has refused it
        raise ReleaseError(f"the plan has no SBOM of the runtime of {planned.name}")
    ref, tools = pinned.ref, sbom_tools()
    subject = BomImage(ref.repository, ref.digest, pinned.platform, created, tools, ref.tag, pinned.runtime_key)
    top = len(planned.runtime.manifest.layers) + 1
    package = FoundDistribution(_package(wheel), f"{PACKAGE_LIB}/{wheel.dist_info}/METADATA", top)
    return image_bom(subject, planned.runtime_sbom, package, interpreter=planned.interpreter, extra=extra)


def wheel_sbom(wheel: Wheel, pins: Pins, *, created: int) -> Sbom:
    """That of a release's wheel. `created` is the commit's time."""
    from kfp_release.cyclonedx_bom import wheel_bom  # noqa: PLC0415 - brings the library

    return wheel_bom(_package(wheel), pins.images, commit=pins.commit, created=created)


def _package(wheel: Wheel) -> PythonDistribution:
    return python_distribution(wheel.read(f"{wheel.dist_info}/METADATA"))
