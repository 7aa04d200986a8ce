"""The pins of one build: those of a release, those that an sdist carries, or tags."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from packaging.utils import canonicalize_name

from kfp_release.carried_pins import SDIST_PINS, SDIST_SBOM, require_sbom_of, wheel_sbom_path
from kfp_release.component_folder import component_files
from kfp_release.config import PYPROJECT, Config, ImageSettings
from kfp_release.digest import Digest
from kfp_release.errors import Problem, Problems, ReleaseError
from kfp_release.layer import is_made
from kfp_release.package_files import package_files
from kfp_release.pinning import pin
from kfp_release.plain_file import read_plain
from kfp_release.record import PinnedComponent, PinnedImage, Pins
from kfp_release.sbom import BadSbom, Sbom
from kfp_release.sdist import Sdist
from kfp_release.stub import Operator, mark_path, module_path, needs_stub, stub_path, stub_text
from kfp_release.version import ReleaseVersion
from kfp_release.wheel import Wheel
from kfp_release.written import is_replaceable, package_path, require_free

PINS_SETTING = "kfp-release-pins"
"""The build setting (PEP 517, config_settings) that gives the path of a release's pins.json."""


class BadPins(ReleaseError):
    """Pins that are not of what is being built."""


@dataclass(frozen=True, slots=True)
class PinnedFile:
    """A component file with its pins, what pins.json says of it, and what a stub does."""

    data: bytes
    component: PinnedComponent
    operator: Operator


@dataclass(frozen=True, slots=True)
class PinnedPackage:
    """The pins of one build, the component files with them, by name, and their operators."""

    config: Config
    pins: Pins
    components: Mapping[str, bytes]
    operators: tuple[Operator, ...]
    sbom: Sbom | None = None
    """The wheel's, of a release."""

    def in_wheel(self, wheel: Wheel) -> Wheel:
        """`wheel` with component files, pins, operators and their types in its package, whatever it had of them before.

        Where a person wrote the package's module of operators it stays as it is; and so does a stub.
        Raise `ReleaseError` where the wheel has no such package, or `NotFree` where operators would be half a person's.
        """
        package = self.config.package
        folder = package.replace(".", "/")
        if not any(member.path.startswith(f"{folder}/") for member in wheel.members):
            raise ReleaseError(
                f"the wheel has no package {package}",
                remedy="make 'package' in [tool.kfp-release] and setuptools' packages agree, and add its files to git",
            )
        wheel = wheel.without([member.path for member in wheel.members if is_made(member, package)])
        files = {f"{folder}/yaml/{name}": data for name, data in self.components.items()}
        files[f"{folder}/pins.json"] = self.pins.to_json()
        if self.sbom is not None:
            files[wheel_sbom_path(wheel)] = self.sbom.data
        return wheel.with_files({**files, **self._operators(wheel)})

    def _operators(self, wheel: Wheel) -> dict[str, bytes]:
        package = self.config.package
        there = {member.path: member.data for member in wheel.members}
        own = there.get(module_path(package))  # what is left of them is a person's
        if is_replaceable(own):
            require_free(package.replace(".", "/"), there)
        given = {package_path(package, name): data for name, data in package_files().items()}
        files = {path: data for path, data in given.items() if is_replaceable(own) and is_replaceable(there.get(path))}
        if (files or needs_stub(own or b"")) and is_replaceable(there.get(stub_path(package))):
            files[stub_path(package)] = stub_text(self.operators, has_load=is_replaceable(own)).encode()
            files[mark_path(package)] = there.get(mark_path(package), b"")
        return files

    def in_sdist(self, sdist: Sdist) -> Sdist:
        """`sdist` with the pins and the wheel's SBOM at its root, for the wheel that is built from it."""
        carried = {} if self.sbom is None else {SDIST_SBOM: self.sbom.data}
        return sdist.with_files({SDIST_PINS: self.pins.to_json(), **carried})


def pinned_package(project: Path, *, pins: Pins, version: str, commit: str) -> PinnedPackage:
    """The component files of `project`, which is built as `version` from `commit`, pinned as `pins` say.

    `commit` is empty where it is not known; what `pins` say of components may be missing, and is filled in.
    Raise `BadPins` for pins of something else, `Problems` for component files or a configuration that are wrong.
    """
    config = Config.parse(read_plain(project / PYPROJECT), {})
    _require_same(pins, config, version, commit)
    by_repository = {str(image.declared): image.pin for image in pins.images}
    files = pinned_files(project, config.components, by_repository)
    components = tuple(file.component for file in files)
    if pins.components and pins.components != components:
        raise BadPins(
            f"the pins were made of other component files: {_first_difference(pins.components, components)}",
            remedy="build from the commit that they name, unchanged",
        )
    return PinnedPackage(
        config,
        replace(pins, components=components),
        {file.component.file: file.data for file in files},
        tuple(file.operator for file in files),
    )


def pins_at_hand(
    project: Path, *, version: str, commit: str, pins_file: Path | None, environ: Mapping[str, str]
) -> Pins:
    """The pins of a build: those of `pins_file`, else those that the sdist carries which `project` was, else tags.

    Tags are of the repositories that the configuration and `environ` give. Raise `BadPins` where a file is none.
    """
    if (given := _given(project, commit, pins_file)) is not None:
        return _read(given)
    return _tag_pins(Config.parse(read_plain(project / PYPROJECT), environ), version, commit)


def sbom_at_hand(project: Path, pins: Pins, *, commit: str, pins_file: Path | None) -> Sbom | None:
    """The SBOM of the wheel: beside the file that `pins` are of, as in an sdist; None where none is there.

    Raise `BadPins` where it is of something else.
    """
    given = _given(project, commit, pins_file)
    path = given.with_name(SDIST_SBOM) if given else None
    if path is None or not path.is_file():
        return None
    try:
        return require_sbom_of(pins, read_plain(path))
    except (BadSbom, OSError) as error:
        raise BadPins(f"{path} is not the SBOM of this build: {error.args[0]}", remedy="remove it") from error


def pinned_files(project: Path, components: str, pins: Mapping[str, str]) -> tuple[PinnedFile, ...]:
    """The component files of the folder `components`, by name, with the pin that `pins` gives for each repository.

    Each is let go of before the next is read. Raise `Problems` with all that is wrong in them.
    """
    problems: list[Problem] = []
    pinned: list[PinnedFile] = []
    for file in component_files(project, components, problems):
        try:
            data = pin(file, pins)
        except Problems as error:
            problems += error.problems
            continue
        images = tuple(pins.get(image.repository, image.value) for image in file.images)
        name = PurePosixPath(file.name).name
        component = PinnedComponent(file.operator, name, images, Digest.of(data).hex)
        pinned.append(PinnedFile(data, component, Operator.of(file)))
    if problems:
        raise Problems(problems)
    return tuple(pinned)


def _given(project: Path, commit: str, pins_file: Path | None) -> Path | None:
    """The file of the pins: `pins_file`, else the one that an sdist carries; None for tags."""
    carried = project / SDIST_PINS
    return carried if pins_file is None and not commit and carried.is_file() else pins_file


def _tag_pins(config: Config, version: str, commit: str) -> Pins:
    parsed = ReleaseVersion.parse(version)
    images = tuple(
        PinnedImage(image.name, image.declared, f"{image.repository}:{parsed.image_tag}", "", image.platform)
        for image in config.images
    )
    return Pins(config.distribution, parsed, commit, images, ())


def _read(path: Path) -> Pins:
    try:
        return Pins.parse(read_plain(path))
    except OSError as error:
        raise BadPins(
            f"pins {path} cannot be read: {error.strerror}", remedy="kfp-release build writes them"
        ) from error


def _require_same(pins: Pins, config: Config, version: str, commit: str) -> None:
    facts = (
        ("distribution", canonicalize_name(pins.distribution), canonicalize_name(config.distribution)),
        ("version", str(pins.version), version),
        ("commit", pins.commit, commit or pins.commit),
        ("images", _declared(pins.images), _declared(config.images)),
    )
    for fact, seen, expected in facts:
        if seen != expected:
            raise BadPins(
                f"the pins are of {fact} {seen or 'unknown'}, and {expected} is being built",
                remedy=f"give the pins of this build, or none (the setting {PINS_SETTING})",
            )


def _declared(images: Iterable[PinnedImage | ImageSettings]) -> str:
    return ", ".join(sorted(f"{image.name} = {image.declared}" for image in images))


def _first_difference(given: tuple[PinnedComponent, ...], built: tuple[PinnedComponent, ...]) -> str:
    one, other = ({component.file: component for component in side} for side in (given, built))
    return next((name for name in sorted({*one, *other}) if one.get(name) != other.get(name)), "their order")
