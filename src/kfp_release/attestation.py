"""Says how a release was made, signs it before anything is sent, and takes what an earlier run has signed and attached.

A release has one provenance, the same on each of its images. So where a run was cut off, what it attached is attached
to the other images too, if it is of the same key and says the same; and what is made here is thrown away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from kfp_release.built import BuiltRelease
from kfp_release.digest import Digest
from kfp_release.envelope import MEDIA_TYPE, Envelope
from kfp_release.errors import ReleaseError
from kfp_release.image import LABEL_SOURCE, Image, without_package
from kfp_release.manifest import BadImage
from kfp_release.pending_image import PendingImage
from kfp_release.provenance import PREDICATE_TYPE, MadeImage, Provenance
from kfp_release.public_key import PublicKey
from kfp_release.record import PinnedImage
from kfp_release.referrers import REMOVE, Attached, Attachment
from kfp_release.run import Run
from kfp_release.statement import PAYLOAD_TYPE, Subject
from kfp_release.terminal_text import one_line

WHAT: Final = "provenance"
ARTIFACT_TYPE: Final = PAYLOAD_TYPE
"""What it is found by among all that refers to an image."""
_ANNOTATIONS: Final = {"in-toto.io/predicate-type": PREDICATE_TYPE}


class Signer(Protocol):
    """A key that signs."""

    @property
    def public_key(self) -> PublicKey:
        """What its signatures are checked with."""

    def sign(self, envelope: Envelope) -> Envelope:
        """`envelope` with its signature."""


@dataclass(frozen=True, slots=True)
class Attestor:
    """Who releases, and what they sign with; None signs nothing, and the provenance is attached as it is."""

    run: Run = field(default_factory=Run)
    signer: Signer | None = None

    def attest(self, built: BuiltRelease, images: Sequence[PendingImage], public: Mapping[str, str]) -> Attachment:
        """What each of `images`, the release's, is to have attached. `public` has the sha256 of files on the index.

        Raise `ReleaseError` where nobody can sign it, or an image has another provenance already.
        """
        sboms = {pending.pinned.name: pending.sbom for pending in images}
        ours = _provenance(built, self.run, public, sboms)
        agreed = _Agreed(
            (ours, _provenance(built, self.run, {}, sboms)), self.signer.public_key if self.signer else None
        )
        envelope = _earlier(images, agreed)
        if envelope is None:
            unsigned = Envelope.around(ours.statement())
            envelope = (self.signer.sign(unsigned) if self.signer else unsigned).to_bytes()
        return Attachment(WHAT, ARTIFACT_TYPE, MEDIA_TYPE, envelope, agreed.takes, _ANNOTATIONS, why_not=agreed.refusal)


UNSIGNED: Final = Attestor()
"""A run of one's own, without a key."""


@dataclass(frozen=True, slots=True)
class _Agreed:
    """What an envelope must be that is taken for ours: one of these provenances, by this key or by nobody."""

    provenances: tuple[Provenance, ...]
    key: PublicKey | None

    def takes(self, data: bytes) -> bool:
        return self.refusal(data) == ""

    def refusal(self, data: bytes) -> str:
        """Why it will not do; empty where it will."""
        try:
            envelope = Envelope.parse(data)
            found = envelope.provenance
        except ReleaseError as error:
            return str(error.args[0])
        if self.key is None and envelope.signatures:
            return "it is signed, and no signing-key is set"
        if self.key is not None and not envelope.is_signed_by(self.key):
            return (
                f"it is not signed by {self.key.short}…, the key that is set"
                if envelope.signatures
                else "it is unsigned"
            )
        if not any(found.says_the_same(one) for one in self.provenances):
            return "it names other files, images or materials"
        if others := [
            name for name, made in self.provenances[0].images.items() if made.sbom != found.images[name].sbom
        ]:
            built_with = ", ".join(f"{name} {version}" for name, version in sorted(found.tools.items()))
            return one_line(f"it names another SBOM of image {others[0]}; it was built with {built_with}")
        return ""


def _earlier(images: Sequence[PendingImage], agreed: _Agreed) -> bytes | None:
    """What an earlier run has attached; None where none has. Raise `ReleaseError` where it will not do."""
    found: bytes | None = None
    for pending in images:
        there = pending.look(ARTIFACT_TYPE)
        taken = [one.data for one in there.read if agreed.takes(one.data)]
        if not taken and there.read:
            raise _refused(pending, there.read[0], agreed)
        if not taken and there.unread:
            raise ReleaseError(
                f"{pending.pinned.ref} has something attached as its {WHAT} that cannot be read: {there.unread[0]}",
                remedy=f"nothing was sent: {REMOVE}",
            )
        found = found or next(iter(taken), None)
    return found


def _refused(pending: PendingImage, other: Attached, agreed: _Agreed) -> ReleaseError:
    return ReleaseError(
        f"{pending.pinned.ref} has another {WHAT} attached, {other.digest}: {agreed.refusal(other.data)}",
        remedy="nothing is overwritten and nothing was sent: release with the key that it was released with "
        "(signing-key in [tool.kfp-release], KFP_RELEASE_SIGNING_KEY), or under the next version",
    )


def _provenance(
    built: BuiltRelease, run: Run, public: Mapping[str, str], sboms: Mapping[str, Digest | None]
) -> Provenance:
    record, images = built.record, built.record.pins.images
    files = [(item.filename, public.get(item.filename, item.sha256)) for item in record.distributions]
    sources = {built.image(pinned).config.labels.get(LABEL_SOURCE, "") for pinned in images}
    return Provenance(
        subjects=(
            *(Subject(str(pinned.repository), pinned.ref.digest) for pinned in images),
            *(Subject(name, Digest(sha256)) for name, sha256 in files),
        ),
        source=min(sources, default=""),
        tag=record.tag,
        commit=record.pins.commit,
        images={pinned.name: _made(built, pinned, sboms.get(pinned.name)) for pinned in images},
        tools=record.tools,
        run=run,
    )


def _made(built: BuiltRelease, pinned: PinnedImage, sbom: Digest | None) -> MadeImage:
    runtime = runtime_of(built.image(pinned))
    return MadeImage(str(pinned.repository), pinned.runtime_key, runtime, built.materials(pinned), sbom)


def runtime_of(image: Image) -> Digest | None:
    """The runtime that an image stands on; None where another tool has packed it anew, and it cannot be told."""
    try:
        return without_package(image).manifest.digest
    except BadImage:
        return None
