"""Looks at a published version from outside: what the index serves, what its pins say, what ECR has.

Nothing of the checkout takes part. Every disagreement is one line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from kfp_release.carried_pins import sdist_pins, wheel_pins, wheel_problems
from kfp_release.digest import Digest
from kfp_release.distributions import version_of_file
from kfp_release.ecr import EcrRepository
from kfp_release.ecr_errors import EcrError
from kfp_release.errors import ReleaseError
from kfp_release.image import LABEL_REVISION, LABEL_RUNTIME_KEY, LABEL_VERSION
from kfp_release.image_ref import Repository
from kfp_release.index import IndexFile
from kfp_release.index_session import PackageIndexError
from kfp_release.manifest import ImageConfig
from kfp_release.record import PinnedImage, Pins
from kfp_release.sdist import Sdist
from kfp_release.terminal_text import one_line
from kfp_release.version import ReleaseVersion
from kfp_release.wheel import Wheel

_ABSENT = {"RepositoryNotFoundException", "LayersNotFoundException", "LayerInaccessibleException"}
"""ECR's errors that tell of the release, and not of who asks."""
_GONE = {404, 410}
"""The index's answers that do so (RFC 9110)."""


class PackageIndex(Protocol):
    """What is asked of an index that is read."""

    def files(self, project: str) -> Mapping[str, IndexFile]:
        """The files of a project, by name."""

    def download(self, file: IndexFile) -> bytes:
        """The bytes of one file."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found of one version."""

    distribution: str
    version: ReleaseVersion
    pins: Pins | None
    files: Mapping[str, str] = field(default_factory=dict)
    """sha256 in hex, by file name."""
    problems: tuple[str, ...] = ()
    """Every disagreement, a line each; none where the release is whole."""

    def to_json(self) -> dict[str, Any]:
        """For ``--json``."""
        images = self.pins.images if self.pins else ()
        return {
            "distribution": self.distribution,
            "version": str(self.version),
            "commit": self.pins.commit if self.pins else None,
            "images": {image.name: image.pin for image in images},
            "files": dict(self.files),
            "problems": list(self.problems),
        }


def verify(
    version: ReleaseVersion,
    *,
    distribution: str,
    index: PackageIndex,
    stores: Callable[[Repository], EcrRepository],
) -> Verified:
    """Raise `ReleaseError` where the index or ECR cannot be asked; what they say is in the result's problems."""
    listed = {
        name: file for name, file in index.files(distribution).items() if version_of_file(name) == version.version
    }
    problems: list[str] = []
    contents: dict[str, bytes] = {}
    for name, file in sorted(listed.items()):
        try:
            contents[name] = index.download(file)
        except ReleaseError as error:
            if isinstance(error, PackageIndexError) and error.status not in _GONE:
                raise
            problems.append(_line(name, error))
    hashes = {name: Digest.of(data).hex for name, data in contents.items()}
    problems += _file_problems(distribution, version, listed)
    pins = None
    if wheel := next(filter(_is_wheel, contents), None):
        try:
            pins, found = _inspect_wheel(Wheel.parse(wheel, contents[wheel]), version)
            problems += found
        except ReleaseError as error:
            problems.append(_line(wheel, error))
    if pins is not None:
        for name in [name for name in contents if not _is_wheel(name)]:
            problems += _sdist_problems(name, contents[name], pins)
        for image in pins.images:
            problems += _image_problems(image, pins, stores)
    return Verified(distribution, version, pins, hashes, tuple(problems))


def require_whole(verified: Verified) -> None:
    """Raise `ReleaseError` with every disagreement, if there is one."""
    if verified.problems:
        raise ReleaseError(
            f"{verified.distribution} {verified.version} is not as its pins say:\n" + "\n".join(verified.problems),
            remedy=f"look again with kfp-release verify {verified.version}; if it stays so, withdraw the version",
        )


def _line(what: str, error: ReleaseError) -> str:
    """The disagreement that an error tells of, without its remedy."""
    return f"{what}: {one_line(str(error.args[0]))}"


def _is_wheel(name: str) -> bool:
    return name.endswith(".whl")


def _file_problems(distribution: str, version: ReleaseVersion, listed: Iterable[str]) -> Iterator[str]:
    names = list(listed)
    if not names:
        yield f"the index has no file of {distribution} {version}"
        return
    wheels = sum(_is_wheel(name) for name in names)
    for kind, count in (("wheels", wheels), ("sdists", len(names) - wheels)):
        if count != 1:
            yield f"the index has {count} {kind} of {distribution} {version}, not one"


def _inspect_wheel(wheel: Wheel, version: ReleaseVersion) -> tuple[Pins, list[str]]:
    pins, package = wheel_pins(wheel)
    problems = [] if pins.version == version else [f"{wheel.filename}: its pins.json is of version {pins.version}"]
    if not pins.is_exact:
        problems.append(f"{wheel.filename}: it pins tags alone, no digests")
    return pins, [*problems, *wheel_problems(wheel, pins, package)]


def _sdist_problems(name: str, data: bytes, pins: Pins) -> Iterator[str]:
    try:
        seen = sdist_pins(Sdist.parse(name, data))
    except ReleaseError as error:
        yield _line(name, error)
        return
    if seen != pins:
        yield f"{name}: its pins are not the wheel's"


def _image_problems(pinned: PinnedImage, pins: Pins, stores: Callable[[Repository], EcrRepository]) -> list[str]:
    """Raise `EcrError` where ECR cannot be asked: no credentials, no permission, no network."""
    problems: list[str] = []
    if not pinned.is_exact:
        return problems
    try:
        problems.extend(_disagreements(pinned, pins, stores(pinned.repository)))
    except ReleaseError as error:
        if isinstance(error, EcrError) and error.code not in _ABSENT:
            raise
        problems.append(_line(str(pinned.ref), error))
    return problems


def _disagreements(pinned: PinnedImage, pins: Pins, store: EcrRepository) -> Iterator[str]:
    ref = pinned.ref
    tagged, manifest = store.find(ref.tag), store.find(ref.digest)
    if tagged is None:
        yield f"{ref}: ECR has no tag {ref.tag}"
    elif tagged.digest != ref.digest:
        yield f"{ref}: in ECR the tag {ref.tag} is at {tagged.digest}"
    if manifest is None:
        yield f"{ref}: ECR has no image of this digest"
        return
    if missing := store.missing({blob.digest for blob in (manifest.config, *manifest.layers)}):
        yield f"{ref}: ECR lacks {len(missing)} of its layers, {min(missing)} for one"
    config = ImageConfig.parse(store.read_blob(manifest.config))
    expected = {
        LABEL_VERSION: str(pins.version),
        LABEL_REVISION: pins.commit,
        LABEL_RUNTIME_KEY: pinned.runtime_key,
    }
    for label, text in expected.items():
        if config.labels.get(label) != text:
            yield f"{ref}: its label {label} is {config.labels.get(label)!r}, the wheel's pins say {text!r}"
    if config.platform != pinned.platform:
        yield f"{ref}: it is for {config.platform}, the wheel's pins say {pinned.platform}"
