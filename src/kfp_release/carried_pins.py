"""The pins that a wheel or an sdist carries, and whether a wheel's component files are what they say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from packaging.utils import canonicalize_name

from kfp_release.component import ComponentFile, ImageText
from kfp_release.digest import Digest
from kfp_release.errors import Problems
from kfp_release.image_ref import repository_of
from kfp_release.member import BadArchive
from kfp_release.record import PinnedComponent, PinnedImage, Pins
from kfp_release.sbom import SBOM_SUFFIX, BadSbom, Sbom, distribution_serial
from kfp_release.sdist import Sdist
from kfp_release.wheel import Wheel

SDIST_PINS = "kfp-release-pins.json"
"""Where an sdist carries its pins."""
SDIST_SBOM = "kfp-release-sbom.cdx.json"
"""Where an sdist carries the SBOM of the wheel that is built from it."""
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


def wheel_sbom_path(wheel: Wheel) -> str:
    """Where a wheel has its SBOM. Source: PEP 770."""
    return f"{wheel.dist_info}/sboms/{wheel.name}{SBOM_SUFFIX}"


def require_sbom_of(pins: Pins, data: bytes) -> Sbom:
    """The SBOM of the wheel with these pins. Raise `BadSbom` where `data` is none, or of another."""
    sbom, name, version = Sbom.parse(data), canonicalize_name(pins.distribution), str(pins.version)
    if sbom.serial != distribution_serial(name, version, pins.commit):
        raise BadSbom(f"it is of {sbom.name[:80]} {sbom.version[:80]} or another commit, and not of {name} {version}")
    return sbom


def wheel_problems(wheel: Wheel, pins: Pins, package: str) -> Iterator[str]:
    """Where the wheel's component files are not what `pins` say, a line each. `package` is as `wheel_pins` gives it.

    Each file is the recorded one; each image of a pinned repository is that pin, and any other carries a digest.
    """
    folder = f"{package}yaml/"
    files = {m.path.removeprefix(folder): m.data for m in wheel.members if m.path.startswith(folder)}
    recorded = {component.file: component for component in pins.components}
    if files and not pins.images:
        yield f"{wheel.filename}: its pins.json pins no image"
    for name in sorted(files.keys() - recorded.keys()):
        yield f"{wheel.filename}: {name} is not in its pins.json"
    for name in sorted(recorded.keys() - files.keys()):
        yield f"{wheel.filename}: {name} is missing"
    for name in sorted(files.keys() & recorded.keys()):
        for problem in _file_problems(name, files[name], recorded[name], pins.images):
            yield f"{wheel.filename}: {problem}"


def _file_problems(name: str, data: bytes, recorded: PinnedComponent, pinned: Iterable[PinnedImage]) -> Iterator[str]:
    if Digest.of(data).hex != recorded.sha256:
        yield f"{name} has other bytes than its pins.json says"
    try:
        images = ComponentFile.parse(name, data).images
    except Problems as error:
        yield from (f"{problem.path}:{problem.line}: {problem.message}" for problem in error.problems)
        return
    named = tuple(image.value for image in images)
    if named != recorded.images:
        yield f"{name} names {', '.join(named)}, its pins.json says otherwise"
    for image in images:
        if problem := _image_problem(image, pinned):
            yield f"{name} {problem}"


def _image_problem(image: ImageText, pinned: Iterable[PinnedImage]) -> str:
    for owned in pinned:
        if image.repository in {str(owned.declared), repository_of(owned.pin)}:
            return "" if image.value == owned.pin else f"names {image.value}, and {owned.name} is pinned to {owned.pin}"
    return "" if image.has_digest else f"names {image.value}, which carries no digest"
