"""The pins that a wheel or an sdist carries."""

from __future__ import annotations

from kfp_release.member import BadArchive
from kfp_release.pinned import SDIST_PINS
from kfp_release.record import Pins
from kfp_release.sdist import Sdist
from kfp_release.wheel import Wheel

_FILE = "pins.json"


def wheel_pins(wheel: Wheel) -> tuple[Pins, str]:
    """The pins of a wheel, and the path of its package, with a ``/`` at the end: ``kubeflow_demo_components/``.

    Raise `ReleaseError` where it has none, or more than one.
    """
    paths = [member.path for member in wheel.members]
    packages = [path.removesuffix(_FILE) for path in paths if path.endswith(f"/{_FILE}")]
    # Beside the pinned component files: a package may have a pins.json of another kind somewhere else.
    found = [package for package in packages if any(path.startswith(f"{package}yaml/") for path in paths)]
    if len(found) != 1:
        raise BadArchive(
            f"{wheel.filename} has {len(found)} {_FILE} beside component files, not one",
            remedy="build it with kfp-release",
        )
    return Pins.parse(wheel.read(f"{found[0]}{_FILE}")), found[0]


def sdist_pins(sdist: Sdist) -> Pins:
    """The pins of an sdist. Raise `ReleaseError` where it has none."""
    return Pins.parse(sdist.read(SDIST_PINS))
