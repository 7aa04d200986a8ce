"""Where a provenance does not tell of a public version as it is: its subjects, its commit and tag, its materials."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kfp_release.digest import Digest
from kfp_release.provenance import MadeImage, Provenance
from kfp_release.record import PinnedImage, Pins
from kfp_release.terminal_text import one_line


@dataclass(frozen=True, slots=True)
class ImageInEcr:
    """What an image tells of itself."""

    source: str
    """Its label: the URL of the repository."""
    runtime: Digest | None
    """What it stands on; None where that cannot be told, as another tool has packed it anew."""
    sboms: frozenset[Digest] = frozenset()
    """What is attached to it as its SBOM."""


def provenance_problems(
    provenance: Provenance,
    pins: Pins,
    *,
    files: Mapping[str, str],
    others: Mapping[str, str | None] | None,
    images: Mapping[str, ImageInEcr],
) -> Iterator[str]:
    """A line for each disagreement. sha256 are in hex.

    `files` are those of the version on the index; `others` those of other projects that the provenance names, None
    where the index has them not, and no mapping where nobody asked it; `images` are those that ECR hands out, by name.
    """
    tag = "" if pins.version.is_snapshot else pins.version.tag
    if provenance.tag != tag:
        yield f"its tag is {_shown(provenance.tag)}, and the version's is {_shown(tag)}"
    if provenance.commit != pins.commit:
        yield f"its commit is {provenance.commit}, and the published pins say {pins.commit}"
    yield from _subjects(provenance, pins, files, others)
    pinned = {image.name: image for image in pins.images}
    for name in sorted(pinned.keys() - provenance.images.keys()):
        yield f"it does not say what image {name} is made of"
    for name, made in sorted(provenance.images.items()):
        if name not in pinned:
            yield f"it says what {_shown(name)} is made of, and the version has no such image"
        else:
            seen = images.get(name)
            if seen is not None and made.sbom is not None and made.sbom not in seen.sboms:
                attached = " and ".join(map(str, sorted(seen.sboms))) or "none"
                yield f"image {name}: its SBOM is {made.sbom}, and attached is {attached}"
            for line in _materials(made, pinned[name], seen.runtime if seen else None):
                yield f"image {name}: {line}"
            if seen is not None and seen.source != provenance.source:
                label = _shown(seen.source)
                yield f"image {name}: its source is {_shown(provenance.source)}, and its label says {label}"


_PACKED = ": changed, or packed anew by the index (docs/evidence.md)"


def other_files(provenance: Provenance, pins: Pins, files: Mapping[str, str]) -> list[str]:
    """What it names that is neither an image nor a file of the version: files of other projects, if it is right."""
    ours = {str(image.repository) for image in pins.images} | files.keys()
    return sorted({subject.name for subject in provenance.subjects} - ours)


def _subjects(
    provenance: Provenance, pins: Pins, files: Mapping[str, str], others: Mapping[str, str | None] | None
) -> Iterator[str]:
    images = {str(image.repository): image.ref.digest.hex for image in pins.images}
    public = {**(others or {}), **images, **files}
    said = {subject.name: subject.digest.hex for subject in provenance.subjects}
    for name, number in Counter(subject.name for subject in provenance.subjects).items():
        if number > 1:
            yield f"it names {_shown(name)} {number} times"
    for name in [*images, *files]:
        if name not in said:
            yield f"it does not name {name}, which is public"
    for name, sha256 in sorted(said.items()):
        seen = public.get(name)
        if seen is None and others is None:
            continue
        if seen is None:
            yield f"it names {_shown(name)}, which is not public with this version"
        elif seen != sha256:
            yield f"it names {name} with sha256:{sha256}, and public is sha256:{seen}{_PACKED if name in files else ''}"


def _materials(made: MadeImage, pinned: PinnedImage, runtime: Digest | None) -> Iterator[str]:
    if made.repository != str(pinned.repository):
        yield f"it is made for {_shown(made.repository)}, and pinned to {pinned.repository}"
    if made.runtime_key != pinned.runtime_key:
        yield f"its runtime key is {_shown(made.runtime_key)}, and the published pins say {pinned.runtime_key}"
    if made.materials.key != pinned.runtime_key:
        yield f"its materials give the runtime key {made.materials.key}, and the pins say {pinned.runtime_key}"
    if made.materials.inputs.platform != pinned.platform:
        yield f"it is for {_shown(made.materials.inputs.platform)}, and the published pins say {pinned.platform}"
    if made.runtime is not None and made.runtime != runtime:
        stands = f"stands on {runtime}" if runtime else "does not tell on which it stands"
        yield f"its runtime is {made.runtime}, and the image in ECR {stands}"


def _shown(text: str) -> str:
    return repr(one_line(text, 200))
