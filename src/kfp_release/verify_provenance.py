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
from kfp_release.referrers import Look, look_at_attached
from kfp_release.released_files import PackageIndex, file_bytes
from kfp_release.sbom import SBOM_TYPE
from kfp_release.terminal_text import one_line
from kfp_release.verify import Verified
from kfp_release.workers import in_parallel

_AT_ONCE: Final = 8
"""Images that are looked at."""
_MOST_OTHERS: Final = 200
"""Files of other projects that the index is asked for."""


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
    signed_by: str | None
    """The id of the key that signed it, of those that were given; None where none did, or none was given."""

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
            "signed_by": self.signed_by,
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
    checked_keys: tuple[str, ...] = ()
    """The ids of the keys that were given; none where no signature was checked."""

    def to_json(self) -> dict[str, Any]:
        """For ``--json``."""
        images = {name: list(map(str, digests)) for name, digests in (self.images or {}).items()}
        return {
            "attached": images,
            "checked_keys": list(self.checked_keys),
            "envelopes": [one.to_json() for one in self.seen],
            "notes": list(self.notes),
        }


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
    pins, asked = verified.pins, tuple(key.keyid for key in keys)
    if pins is None or not pins.images or not pins.is_exact:
        said = "no provenance can be looked for: no pins say which images are the version's, each by its digest"
        return VerifiedProvenance(problems=(said,) if keys else (), checked_keys=asked)
    try:
        look = partial(_attached_to, stores=stores, artifact_type=ARTIFACT_TYPE)
        looks = in_parallel(look, pins.images, workers=_AT_ONCE)
    except EcrError as error:
        if keys:
            raise
        return VerifiedProvenance(notes=(f"whether a provenance is attached cannot be told: {error.args[0]}",))
    found = {pinned.name: look.read for pinned, look in zip(pins.images, looks, strict=True)}
    data = sorted({one.data for there in found.values() for one in there})
    checker = _Checker(verified, pins, tuple(keys), index, _images(pins, stores) if data else {})
    seen = {one: checker.check(one) for one in data}
    images = {name: tuple(Digest.of(one.data) for one in there) for name, there in found.items()}
    told = _told(
        [
            (pinned, [seen[one.data] for one in look.read], look.unread)
            for pinned, look in zip(pins.images, looks, strict=True)
        ]
    )
    if keys:
        return VerifiedProvenance(tuple(seen.values()), images, told.problems, told.notes, asked)
    unchecked = "no signature was checked: --key names the key to check it with"
    claims = (f"its provenance {one.digest} {one.claims}" for one in seen.values())
    return VerifiedProvenance(tuple(seen.values()), images, (), (*claims, *told.problems, *told.notes, unchecked))


def _attached_to(pinned: PinnedImage, stores: Callable[[Repository], EcrRepository], artifact_type: str) -> Look:
    """What of this type is attached to an image. Raise `EcrError` where ECR cannot be asked."""
    try:
        return look_at_attached(stores(pinned.repository), pinned.ref.digest, artifact_type)
    except EcrError as error:
        if not error.is_absence:
            raise
        return Look((), ())  # `verify` has told it
    except ReleaseError as error:
        return Look((), (one_line(str(error.args[0])),))


def _images(pins: Pins, stores: Callable[[Repository], EcrRepository]) -> dict[str, ImageInEcr]:
    """Those that ECR hands out; what is wrong with the others `verify` has told."""
    found: dict[str, ImageInEcr] = {}
    for pinned in pins.images:
        store = stores(pinned.repository)
        try:
            manifest = store.find(pinned.ref.digest)
            if manifest is not None:
                image = Image(manifest, ImageConfig.parse(store.read_blob(manifest.config)))
                sboms = frozenset(Digest.of(one.data) for one in _attached_to(pinned, stores, SBOM_TYPE).read)
                found[pinned.name] = ImageInEcr(image.config.labels.get(LABEL_SOURCE, ""), runtime_of(image), sboms)
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


def _told(images: Sequence[tuple[PinnedImage, Sequence[SeenProvenance], Sequence[str]]]) -> _Told:
    """A line for each image that has no provenance, and for what is wrong with one: a note where another is right."""
    problems, notes = list[str](), list[str]()
    for pinned, there, unread in images:
        lines = [f"{pinned.ref}: what is attached to it cannot be read: {line}" for line in unread]
        lines += [f"{pinned.ref}: its provenance {one.digest}: {line}" for one in there for line in one.problems]
        if not there:
            lines.append(f"{pinned.ref}: no provenance is attached to it")
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
        envelope = provenance = signed_by = None
        problems = list[str]()
        try:
            envelope = Envelope.parse(data)
            signed_by = next((key.keyid for key in self.keys if envelope.is_signed_by(key)), None)
            if self.keys and signed_by is None:
                problems.append(self._unsigned(envelope))
            provenance = envelope.provenance
        except ReleaseError as error:
            problems.append(one_line(str(error.args[0])))
        if provenance is not None:
            problems += self._disagreements(provenance, others=None)
            if signed_by is not None and not problems:
                problems += self._with_others(provenance)
        return SeenProvenance(Digest.of(data), envelope, provenance, tuple(problems), signed_by)

    def _unsigned(self, envelope: Envelope) -> str:
        if not envelope.signatures:
            return "it is not signed"
        asked = " or ".join(f"{key.short}…" for key in self.keys)
        named = ", ".join(one_line(signature.keyid, 16) for signature in envelope.signatures)
        return f"it is not signed by {asked}, the key that was given; it says to be signed by {named}"

    def _disagreements(self, provenance: Provenance, others: Mapping[str, str | None] | None) -> Iterator[str]:
        files, images = self.verified.files, self.images
        return provenance_problems(provenance, self.pins, files=files, others=others, images=images)

    def _with_others(self, provenance: Provenance) -> Iterator[str]:
        """With the files of other projects: the index is asked for them only where a key vouches for their names."""
        names = other_files(provenance, self.pins, self.verified.files)
        if len(names) > _MOST_OTHERS:
            yield f"it names {len(names)} files of other projects, and {_MOST_OTHERS} are the most"
        elif names:
            yield from self._disagreements(provenance, {name: self._sha256(name) for name in names})

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
