"""Looks from outside at what is attached to a version's images as its provenance: who signed it, and is it right.

With keys, whatever is wrong is a problem. Without, nobody vouches for what is said, and it is only told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from kfp_release.archive_name import ArchiveName
from kfp_release.attestation import ARTIFACT_TYPE, runtime_of
from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository
from kfp_release.ecr_errors import EcrError
from kfp_release.envelope import Envelope
from kfp_release.errors import ReleaseError
from kfp_release.finding import Finding
from kfp_release.image import LABEL_SOURCE, Image
from kfp_release.image_ref import Repository
from kfp_release.manifest import ImageConfig
from kfp_release.member import BadArchive
from kfp_release.provenance import Provenance
from kfp_release.provenance_findings import ImageInEcr, other_files, provenance_problems
from kfp_release.public_key import PublicKey
from kfp_release.record import PinnedImage, Pins
from kfp_release.referrers import Attached, attached
from kfp_release.released_files import PackageIndex, file_bytes
from kfp_release.terminal_text import one_line
from kfp_release.verify import Verified
from kfp_release.workers import in_parallel

_AT_ONCE: Final = 8
"""Images that are looked at."""


@dataclass(frozen=True, slots=True)
class SeenProvenance:
    """One envelope that is attached to an image or more."""

    digest: Digest
    """Of the envelope."""
    envelope: Envelope | None
    """None where it cannot be read."""
    provenance: Provenance | None
    problems: tuple[str, ...]
    """What is wrong with it, with the signature first; none where it is right."""

    @property
    def claims(self) -> str:
        """Who says to have signed it, and who to have made it."""
        keys = ", ".join(one_line(one.keyid, 16) for one in self.envelope.signatures) if self.envelope else ""
        run = self.provenance.run if self.provenance else None
        made = f", made by {one_line(run.invocation or run.builder, 200)}" if run else ""
        return (f"says to be signed by {keys}" if keys else "is unsigned") + made

    def to_json(self) -> dict[str, Any]:
        """For ``--json``."""
        run = self.provenance.run if self.provenance else None
        return {
            "digest": str(self.digest),
            "claims_keys": [one.keyid for one in self.envelope.signatures] if self.envelope else [],
            "builder": run.builder if run else None,
            "invocation": run.invocation if run else None,
            "problems": list(self.problems),
        }


@dataclass(frozen=True, slots=True)
class VerifiedProvenance:
    """What was found of one version."""

    seen: tuple[SeenProvenance, ...] = ()
    images: Mapping[str, tuple[Digest, ...]] | None = None
    """What is attached to each image, by the image's name; None where that cannot be told."""
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """For ``--json``."""
        images = {name: list(map(str, digests)) for name, digests in (self.images or {}).items()}
        return {"attached": images, "envelopes": [one.to_json() for one in self.seen], "notes": list(self.notes)}


def verify_provenance(
    verified: Verified,
    *,
    keys: Sequence[PublicKey],
    index: PackageIndex,
    stores: Callable[[Repository], EcrRepository],
) -> VerifiedProvenance:
    """Hold what is attached against what is `verified`. One of `keys` must have signed it; none asks for no signature.

    Raise `ReleaseError` where the index or ECR cannot be asked; ECR's list of what refers to an image is needed with
    `keys` alone.
    """
    pins = verified.pins
    if pins is None or not pins.images or not pins.is_exact:
        said = "no provenance can be looked for: no pins say which images are the version's, each by its digest"
        return VerifiedProvenance(problems=(said,) if keys else ())
    try:
        look = partial(_attached_to, stores=stores)
        looks = in_parallel(look, pins.images, workers=_AT_ONCE)
    except EcrError as error:
        if keys:
            raise
        return VerifiedProvenance(notes=(f"whether a provenance is attached cannot be told: {error.args[0]}",))
    found = {pinned.name: there for pinned, (there, _) in zip(pins.images, looks, strict=True)}
    withheld = tuple(line for _, line in looks if line)
    data = sorted({one.data for there in found.values() for one in there})
    checker = _Checker(verified, pins, tuple(keys), index, _images(pins, stores) if data else {})
    seen = {one: checker.check(one) for one in data}
    images = {name: tuple(Digest.of(one.data) for one in there) for name, there in found.items()}
    told = _told([(pinned, [seen[one.data] for one in found[pinned.name]]) for pinned in pins.images])
    if keys:
        return VerifiedProvenance(tuple(seen.values()), images, (*withheld, *told.problems), told.notes)
    unchecked = "no signature was checked: --key names the key to check it with"
    claims = (f"its provenance {one.digest} {one.claims}" for one in seen.values())
    return VerifiedProvenance(
        tuple(seen.values()), images, (), (*claims, *withheld, *told.problems, *told.notes, unchecked)
    )


def _attached_to(
    pinned: PinnedImage, stores: Callable[[Repository], EcrRepository]
) -> tuple[list[Attached], str | None]:
    """What is attached to an image, and a line where that cannot be read: whoever may push can attach anything.

    Raise `EcrError` where ECR cannot be asked.
    """
    try:
        return attached(stores(pinned.repository), pinned.ref.digest, ARTIFACT_TYPE), None
    except EcrError as error:
        if not error.is_absence:
            raise
        return [], None  # `verify` has told it
    except ReleaseError as error:
        return [], f"{pinned.ref}: what is attached to it cannot be read: {one_line(str(error.args[0]))}"


def _images(pins: Pins, stores: Callable[[Repository], EcrRepository]) -> dict[str, ImageInEcr]:
    """Those that ECR hands out; what is wrong with the others `verify` has told."""
    found: dict[str, ImageInEcr] = {}
    for pinned in pins.images:
        store = stores(pinned.repository)
        try:
            manifest = store.find(pinned.ref.digest)
            if manifest is not None:
                image = Image(manifest, ImageConfig.parse(store.read_blob(manifest.config)))
                found[pinned.name] = ImageInEcr(image.config.labels.get(LABEL_SOURCE, ""), runtime_of(image))
        except EcrError as error:
            if not error.is_absence:
                raise
        except ReleaseError:
            continue
    return found


@dataclass(frozen=True, slots=True)
class _Told:
    problems: tuple[str, ...]
    notes: tuple[str, ...]


def _told(images: Sequence[tuple[PinnedImage, Sequence[SeenProvenance]]]) -> _Told:
    """A line for each image that has no provenance, and for what is wrong with one: a note where another is right."""
    problems, notes = list[str](), list[str]()
    for pinned, there in images:
        if not there:
            problems.append(f"{pinned.ref}: no provenance is attached to it")
        lines = [f"{pinned.ref}: its provenance {one.digest}: {line}" for one in there for line in one.problems]
        (notes if any(not one.problems for one in there) else problems).extend(lines)
    return _Told(tuple(problems), tuple(notes))


@dataclass(frozen=True, slots=True)
class _Checker:
    """Checks one envelope after the other against one version."""

    verified: Verified
    pins: Pins
    keys: tuple[PublicKey, ...]
    index: PackageIndex
    images: Mapping[str, ImageInEcr]

    def check(self, data: bytes) -> SeenProvenance:
        envelope = provenance = None
        problems = list[str]()
        try:
            envelope = Envelope.parse(data)
            problems.extend(self._signature(envelope))
            provenance = Provenance.parse(envelope.statement)
        except ReleaseError as error:
            problems.append(one_line(str(error.args[0])))
        if provenance is not None:
            problems += provenance_problems(
                provenance,
                self.pins,
                files=self.verified.files,
                others={name: self._sha256(name) for name in other_files(provenance, self.pins, self.verified.files)},
                images=self.images,
            )
        return SeenProvenance(Digest.of(data), envelope, provenance, tuple(problems))

    def _signature(self, envelope: Envelope) -> Iterator[str]:
        if not self.keys or any(envelope.is_signed_by(key) for key in self.keys):
            return
        if not envelope.signatures:
            yield "it is not signed"
            return
        asked = " or ".join(f"{key.short}…" for key in self.keys)
        named = ", ".join(one_line(signature.keyid, 16) for signature in envelope.signatures)
        yield f"it is not signed by {asked}, the key that was given; it says to be signed by {named}"

    def _sha256(self, name: str) -> str | None:
        """Of a file of another project on the index, in hex; None where that has none of this name and version."""
        try:
            of_file = (ArchiveName.of_wheel if name.endswith(".whl") else ArchiveName.of_sdist)(name)
        except BadArchive:
            return None
        if of_file.version != self.pins.version.version:
            return None
        file = self.index.files(of_file.name).get(name)
        if file is None or file.sha256:
            return file.sha256 if file else None
        data = file_bytes(self.index, file)
        return None if isinstance(data, Finding) else Digest.of(data).hex
