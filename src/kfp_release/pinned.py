"""The pins of one build: those of a release, those that an sdist carries, or tags."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.utils import canonicalize_name

from kfp_release.component import SUFFIXES, ComponentFile
from kfp_release.config import PYPROJECT, Config, ImageSettings
from kfp_release.digest import Digest
from kfp_release.errors import Problem, Problems, ReleaseError
from kfp_release.pinning import pin
from kfp_release.record import PinnedComponent, PinnedImage, Pins
from kfp_release.version import ReleaseVersion

PINS_SETTING = "kfp-release-pins"
"""The build setting (PEP 517, config_settings) that gives the path of a release's pins.json."""
SDIST_PINS = "kfp-release-pins.json"
"""Where an sdist carries its pins."""


class BadPins(ReleaseError):
    """Pins that are not of what is being built."""


@dataclass(frozen=True, slots=True)
class PinnedPackage:
    """The pins of one build, and the component files with them, by name."""

    config: Config
    pins: Pins
    components: Mapping[str, bytes]

    def package_files(self) -> dict[str, bytes]:
        """What they add to a wheel, by path."""
        folder = self.config.package.replace(".", "/")
        files = {f"{folder}/yaml/{name}": data for name, data in self.components.items()}
        return {**files, f"{folder}/pins.json": self.pins.to_json()}


def pinned_package(
    project: Path, *, version: str, commit: str, pins_file: Path | None, environ: Mapping[str, str]
) -> PinnedPackage:
    """Pin the component files of `project`, which is built as `version` from `commit` (empty where it is not known).

    `pins_file` is a release's pins.json; without one the pins are those of the sdist that `project` was, and else the
    version's tag on the repository that `environ` gives. Raise `BadPins` for pins of something else, `Problems` for
    component files or a configuration that are wrong.
    """
    config = Config.parse((project / PYPROJECT).read_bytes(), environ)
    carried = project / SDIST_PINS
    if pins_file is None and not commit and carried.is_file():
        pins_file = carried
    if pins_file is None:
        pins = _tag_pins(config, version, commit)
    else:
        pins = _read(pins_file)
        _require_same(pins, config, version, commit, pins_file)
    files = pinned_files(project / config.components, {str(image.declared): image.pin for image in pins.images})
    components = tuple(_component(name, data) for name, data in files.items())
    if pins.components and pins.components != components:
        raise BadPins(
            f"{pins_file} was made of other component files: {_first_difference(pins.components, components)}",
            remedy="build from the commit that it names, unchanged",
        )
    return PinnedPackage(config, replace(pins, components=components), files)


def pinned_files(folder: Path, pins: Mapping[str, str]) -> dict[str, bytes]:
    """The component files of `folder` by name, sorted, with the pin that `pins` gives for each declared repository.

    Raise `Problems` with all that is wrong in them, `ReleaseError` where there are none.
    """
    paths = sorted(path for path in folder.glob("*") if path.suffix in SUFFIXES)
    if not paths:
        raise ReleaseError(
            f"{folder.name}/ has no component files ({', '.join(SUFFIXES)})",
            remedy="add one, and to git; 'components' in [tool.kfp-release] names the folder",
        )
    files: dict[str, bytes] = {}
    problems: list[Problem] = []
    operators: dict[str, str] = {}
    for path in paths:
        try:
            file = ComponentFile.parse(f"{folder.name}/{path.name}", path.read_bytes())
            files[path.name] = pin(file, pins)
        except Problems as error:
            problems += error.problems
            continue
        if operators.setdefault(file.operator, file.name) != file.name:
            message = f"gives the operator {file.operator}, as {operators[file.operator]} does"
            problems.append(Problem(file.name, 0, message, "rename one of them"))
    if problems:
        raise Problems(problems)
    return files


def pinned_components(folder: Path, pins: Mapping[str, str]) -> tuple[PinnedComponent, ...]:
    """What a record says of the component files of `folder`, pinned as `pinned_files` does."""
    return tuple(_component(name, data) for name, data in pinned_files(folder, pins).items())


def _component(name: str, data: bytes) -> PinnedComponent:
    file = ComponentFile.parse(name, data)
    return PinnedComponent(file.operator, name, tuple(image.value for image in file.images), Digest.of(data).hex)


def _tag_pins(config: Config, version: str, commit: str) -> Pins:
    parsed = ReleaseVersion.parse(version)
    images = tuple(
        PinnedImage(image.name, image.declared, f"{image.repository}:{parsed.image_tag}", "", image.platform)
        for image in config.images
    )
    return Pins(config.distribution, parsed, commit, images, ())


def _read(path: Path) -> Pins:
    try:
        return Pins.parse(path.read_bytes())
    except OSError as error:
        raise BadPins(
            f"pins {path} cannot be read: {error.strerror}", remedy="kfp-release build writes them"
        ) from error


def _require_same(pins: Pins, config: Config, version: str, commit: str, path: Path) -> None:
    facts = (
        ("distribution", canonicalize_name(pins.distribution), canonicalize_name(config.distribution)),
        ("version", str(pins.version), version),
        ("commit", pins.commit, commit or pins.commit),
        ("images", _declared(pins.images), _declared(config.images)),
    )
    for fact, seen, expected in facts:
        if seen != expected:
            raise BadPins(
                f"{path} is of {fact} {seen or 'unknown'}, and {expected} is being built",
                remedy=f"give the pins of this build, or none (the setting {PINS_SETTING})",
            )


def _declared(images: Iterable[PinnedImage | ImageSettings]) -> str:
    return ", ".join(sorted(f"{image.name} = {image.declared}" for image in images))


def _first_difference(given: tuple[PinnedComponent, ...], built: tuple[PinnedComponent, ...]) -> str:
    one, other = ({component.file: component for component in side} for side in (given, built))
    return next((name for name in sorted({*one, *other}) if one.get(name) != other.get(name)), "their order")
