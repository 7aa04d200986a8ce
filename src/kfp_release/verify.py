"""Looks at a published version from outside: what the index serves, what its pins say, what ECR has.

Nothing of the checkout takes part. Every disagreement is one line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import chain
from typing import Any, Final

from kfp_release.attached_sbom import attached_sbom
from kfp_release.ecr import EcrRepository
from kfp_release.ecr_errors import EcrError
from kfp_release.errors import Problem, ReleaseError
from kfp_release.image_ref import Repository
from kfp_release.manifest import ImageConfig, Manifest
from kfp_release.record import PinnedImage, Pins
from kfp_release.release_file import file_findings, pins_of
from kfp_release.release_image import ReleaseImage, pinned_findings
from kfp_release.released_files import PackageIndex, files_by_version, read_file
from kfp_release.scan import Scan
from kfp_release.terminal_text import one_line
from kfp_release.version import ReleaseVersion
from kfp_release.workers import in_parallel

_AT_ONCE: Final = 8
"""Images that are looked at."""


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
    components: Mapping[str, int] = field(default_factory=dict)
    """How many the SBOM of each image names; of an image without one there is none."""

    notes: tuple[str, ...] = ()
    """What could not be looked at, which is no disagreement."""
    scans: Mapping[str, Scan] = field(default_factory=dict)
    """What ECR tells of the images' scans, by image; nothing where that was not asked."""
    scan_problems: tuple[Problem, ...] = ()
    """What those are refused for, or warned of."""

    @property
    def is_refused(self) -> bool:
        """Whether a scan found what the configuration refuses."""
        return any(problem.severity == "error" for problem in self.scan_problems)

    @property
    def is_good(self) -> bool:
        """Whether there is nothing to say against it."""
        return not self.problems and not self.is_refused

    def to_json(self) -> dict[str, Any]:
        """For ``--json``."""
        images = self.pins.images if self.pins else ()
        return {
            "distribution": self.distribution,
            "version": str(self.version),
            "commit": self.pins.commit if self.pins else None,
            "images": {image.name: image.pin for image in images},
            "files": dict(self.files),
            "sboms": {image.name: self.components.get(image.name) for image in images},
            "problems": list(self.problems),
            "notes": list(self.notes),
            "scans": {name: scan.to_json() for name, scan in self.scans.items()},
            "refused": self.is_refused,
            "scan_problems": [asdict(problem) for problem in self.scan_problems],
        }


def verify(
    version: ReleaseVersion,
    *,
    distribution: str,
    index: PackageIndex,
    stores: Callable[[Repository], EcrRepository],
) -> Verified:
    """Raise `ReleaseError` where the index or ECR cannot be asked; what they say is in the result's problems."""
    listed = files_by_version(index, distribution).get(version, [])
    files = [read_file(index, file, project=distribution, version=version) for file in listed]
    problems = [finding.text for finding in file_findings(distribution, version, files)]
    if not files:
        problems = [f"the index has no file of {distribution} {version}"]
    pins = pins_of(files)
    notes, components = list[str](), dict[str, int]()
    if pins is not None:
        look = partial(_image_problems, pins=pins, stores=stores, components=components, notes=notes)
        problems += chain.from_iterable(in_parallel(look, pins.images, workers=_AT_ONCE))
    sha256s = {file.filename: file.sha256 for file in files}
    return Verified(distribution, version, pins, sha256s, tuple(problems), components, tuple(sorted(notes)))


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


def _image_problems(
    pinned: PinnedImage,
    pins: Pins,
    stores: Callable[[Repository], EcrRepository],
    components: dict[str, int],
    notes: list[str],
) -> list[str]:
    """What its SBOM names is counted into `components`; that it cannot be looked for is one of the `notes`.

    Raise `EcrError` where ECR cannot be asked for the image: no credentials, no permission, no network.
    """
    problems: list[str] = []
    if not pinned.is_exact:
        return problems
    try:
        problems.extend(_disagreements(pinned, pins, stores(pinned.repository)))
    except ReleaseError as error:
        if isinstance(error, EcrError) and not error.is_absence:
            raise
        problems.append(_line(str(pinned.ref), error))
    else:
        problems.extend(_sbom_problems(pinned, stores(pinned.repository), components, notes))
    return problems


def _sbom_problems(
    pinned: PinnedImage, store: EcrRepository, components: dict[str, int], notes: list[str]
) -> Iterator[str]:
    try:
        if (sbom := attached_sbom(store, pinned.ref.digest)) is not None:
            components[pinned.name] = sbom.components
    except EcrError as error:
        notes.append(_line(f"whether an SBOM is attached to {pinned.ref} cannot be told", error))
    except ReleaseError as error:
        yield _line(str(pinned.ref), error)


def _disagreements(pinned: PinnedImage, pins: Pins, store: EcrRepository) -> Iterator[str]:
    ref = pinned.ref
    tagged, manifest = store.find(ref.tag), store.find(ref.digest)
    of_tag = ReleaseImage(tagged.digest, (ref.tag,)) if tagged else None
    exact, platform = _exact(manifest, store) if manifest else (None, pinned.platform)
    for finding in pinned_findings(pinned, pins, tagged=of_tag, exact=exact):
        yield finding.text
    if platform != pinned.platform:
        yield f"{ref}: it is for {platform}, the published pins say {pinned.platform}"


def _exact(manifest: Manifest, store: EcrRepository) -> tuple[ReleaseImage, str]:
    """The image with its config's labels, which are what runs; and its platform."""
    lacking = store.missing({blob.digest for blob in (manifest.config, *manifest.layers)})
    config = ImageConfig.parse(store.read_blob(manifest.config))
    return ReleaseImage(manifest.digest, (), labels=config.labels, lacking=lacking), config.platform
