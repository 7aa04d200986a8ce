"""The component files of a wheel or an sdist: those that its pipelines load, or that its wheel is made of."""

from __future__ import annotations

from packaging.utils import canonicalize_name

from kfp_release.carried_pins import wheel_pins
from kfp_release.component import SUFFIXES
from kfp_release.config import PYPROJECT, declared_components
from kfp_release.interface_diff import InterfaceFiles
from kfp_release.member import BadArchive
from kfp_release.sdist import Sdist
from kfp_release.version import ReleaseVersion
from kfp_release.wheel import Wheel


def archived_interfaces(filename: str, data: bytes) -> InterfaceFiles:
    """The component files of the archive `data`, which is called `filename`.

    Raise `ReleaseError` unless it is a wheel or an sdist that `kfp-release` pinned.
    """
    if filename.endswith(".whl"):
        wheel = Wheel.parse(filename, data)
        _, package = wheel_pins(wheel)
        return _of(wheel, {member.path: member.data for member in wheel.members}, f"{package}yaml/")
    sdist = Sdist.parse(filename, data)
    _, components = declared_components(f"{filename}:{PYPROJECT}", sdist.read(PYPROJECT))
    if not components:
        raise BadArchive(
            f"{filename} has a {PYPROJECT} that names no folder of component files",
            remedy="name a wheel, or an sdist of a project with [tool.kfp-release]",
        )
    files = {path: member.data for path, member in zip(sdist.paths, sdist.members, strict=True)}
    return _of(sdist, files, f"{components}/")


def _of(archive: Wheel | Sdist, files: dict[str, bytes], folder: str) -> InterfaceFiles:
    return InterfaceFiles(
        name=archive.filename,
        files={
            path: data
            for path, data in files.items()
            if path.startswith(folder) and "/" not in path.removeprefix(folder) and path.endswith(SUFFIXES)
        },
        version=ReleaseVersion.parse(archive.version),
        prefix=f"{archive.filename}:",
        distribution=canonicalize_name(archive.name),
        is_archive=True,
    )
