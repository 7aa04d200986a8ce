"""Makes a built release public: blobs, images one by one, their evidence, sdists, wheels; then reads all of it back.

Looks at everything before it sends a byte: at the layers of an image that is there already, too, for a file may name it
only where it can be pulled. What is there unchanged is left alone, other content is refused. Images go in the order of
their repositories' names, which is the same for every commit, however it lists them: so the first one's `PutImage` is
the claim on the version, and who loses it stops there. What refers to the images is attached once they are all public,
and before any file names them. The last wheel's upload is the moment of release.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from kfp_release.archive import same_members
from kfp_release.attestation import UNSIGNED, Attestor
from kfp_release.beside import look_beside
from kfp_release.built import BuiltRelease
from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository
from kfp_release.envelope import Envelope
from kfp_release.errors import ReleaseError
from kfp_release.image_ref import Repository
from kfp_release.index_session import PackageIndexError
from kfp_release.pending_image import PendingImage, look_at, send_blobs
from kfp_release.progress import Progress
from kfp_release.record import Distribution
from kfp_release.referrers import Attachment, attach, find_attached
from kfp_release.released_files import PackageIndex
from kfp_release.retry import SILENT, Retry
from kfp_release.verify import require_whole, verify

THERE, SENT = "already there", "sent"


class UploadIndex(PackageIndex, Protocol):
    """What is asked besides of an index that is written to."""

    def require_credentials(self) -> None:
        """Raise `ReleaseError` where nobody in particular asks, from whom it takes nothing."""

    def upload(self, path: Path) -> None:
        """Upload one wheel or sdist."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one image or file."""

    what: str
    state: str
    """`THERE` or `SENT`."""
    content: str
    """Digest of an image, sha256 of the file that the index has."""


@dataclass(frozen=True, slots=True)
class Published:
    """A release that is public, as it was read back."""

    built: BuiltRelease
    outcomes: tuple[Outcome, ...]
    bytes_sent: int
    """Bytes of layers and configs that went to ECR."""
    provenance: Envelope
    """What is attached to its images, and lies beside release.json."""

    @property
    def changed(self) -> bool:
        """Whether anything had to be sent."""
        return any(outcome.state == SENT for outcome in self.outcomes)

    @property
    def packed_anew(self) -> tuple[str, ...]:
        """The files that the index has with other bytes than the provenance says, with the same content."""
        said = {subject.name: subject.digest.hex for subject in self.provenance.statement.subjects}
        return tuple(one.what for one in self.outcomes if said.get(one.what, one.content) != one.content)

    def to_json(self) -> dict[str, Any]:
        """For ``--json``."""
        record = self.built.record
        return {
            "version": str(record.pins.version),
            "commit": record.pins.commit,
            "changed": self.changed,
            "bytes_sent": self.bytes_sent,
            "images": {image.name: image.pin for image in record.pins.images},
            "packed_anew": list(self.packed_anew),
            "provenance_keys": [signature.keyid for signature in self.provenance.signatures],
            "outcomes": [{"what": o.what, "state": o.state, "content": o.content} for o in self.outcomes],
        }


def publish(
    built: BuiltRelease,
    *,
    stores: Callable[[Repository], EcrRepository],
    index: UploadIndex,
    progress: Progress,
    retry: Retry = SILENT,
    mutable: Collection[str] = (),
    attestor: Attestor = UNSIGNED,
) -> Published:
    """Make `built` public, images first. Raise `ReleaseError` with nothing sent where other content is there.

    `mutable` names the images whose repositories may let tags be moved. `attestor` says who releases, and signs.

    Nor is anything sent where the index lacks a file and there are no credentials for it: many are read without.
    `retry` says how an upload is sent again, and how long the index may take to list a file.
    """
    progress.step("look at ECR and the index")
    public = {item.filename: _sha256_there(item, built, index) for item in built.record.distributions}
    if None in public.values():
        index.require_credentials()
    ordered = sorted(built.record.pins.images, key=lambda pinned: str(pinned.repository))
    looks = {item.name: partial(look_at, item, built, stores, mutable=item.name in mutable) for item in ordered}
    images = list(look_beside(looks).values())
    if attestor.signer:
        progress.step("sign the provenance")
    provenance = attestor.attest(built, images, {name: there for name, there in public.items() if there})
    built.keep_provenance(Envelope.parse(provenance.data))  # a full disk is told before anything is sent
    sent = send_blobs([pending for pending in images if pending.missing], built.layout, progress)
    outcomes = [_commit(pending, progress) for pending in images]
    provenance, attached, bytes_sent = _attach_all(images, provenance, progress)
    envelope = Envelope.parse(provenance.data)
    built.keep_provenance(envelope)
    outcomes += attached
    for item in built.record.distributions:
        # Looked for again: others may have sent it while the layers went.
        there = _sha256_there(item, built, index)
        if there is None:
            progress.step(f"upload {item.filename}")
        sha256 = there or _upload(item, built, index, retry)
        outcomes.append(Outcome(item.filename, THERE if there else SENT, sha256))
    progress.step("verify what is public")
    pins = built.record.pins
    require_whole(verify(pins.version, distribution=pins.distribution, index=index, stores=stores))
    return Published(built, tuple(outcomes), sent + bytes_sent, envelope)


def _commit(pending: PendingImage, progress: Progress) -> Outcome:
    progress.step(f"commit {pending.pinned.ref.repository}:{pending.pinned.ref.tag}")
    pending.commit()
    state = THERE if pending.there and not pending.missing else SENT
    return Outcome(pending.pinned.pin, state, str(pending.pinned.ref.digest))


def _attach_all(
    images: Sequence[PendingImage], provenance: Attachment, progress: Progress
) -> tuple[Attachment, list[Outcome], int]:
    """Attach the evidence of all images: the provenance as it is attached then, what was done, and the bytes sent.

    The provenance comes last, for it names the SBOMs of all: where it is, they are.
    """
    outcomes, sent = list[Outcome](), 0
    evidence = [(pending, wanted) for pending in images for wanted in pending.evidence]
    for pending, other in (*evidence, *((pending, None) for pending in images)):
        wanted = other or provenance
        there = find_attached(pending.store, pending.image.manifest, wanted)
        state, what = (SENT if there is None else THERE), f"{wanted.what} of {pending.pinned.name}"
        if there is None:
            progress.step(f"attach the {what}")
            there, bytes_sent = attach(pending.store, pending.image.manifest, wanted, progress=progress)
            sent += bytes_sent
        outcomes.append(Outcome(what, state, str(there.digest)))
        if other is None:  # another run may have attached its own meanwhile: then that is the release's
            provenance = replace(provenance, data=there.data)
    return provenance, outcomes, sent


def _upload(item: Distribution, built: BuiltRelease, index: UploadIndex, retry: Retry) -> str:
    """The sha256 of what the index has afterwards."""
    if there := retry.ask(f"index: the upload of {item.filename}", partial(_send, item, built, index)):
        return there
    for wait in (0.0, *retry.patience.looks):
        retry.sleep(wait)
        if seen := _sha256_there(item, built, index):
            return seen
    raise ReleaseError(
        f"the index took {item.filename} and does not list it, {retry.patience.seconds} s later",
        remedy="run kfp-release publish again; what is public already is left alone",
    )


def _send(item: Distribution, built: BuiltRelease, index: UploadIndex) -> str | None:
    """The sha256 of what is there although the upload failed; None where the index took it."""
    try:
        index.upload(built.path(item))
    except ReleaseError as error:
        # Somebody else may have been faster with the same content, or the answer was lost and not the file.
        if there := _sha256_there(item, built, index):
            return there
        if isinstance(error, PackageIndexError):
            raise error.or_passing() from error.__cause__
        raise
    return None


def _sha256_there(item: Distribution, built: BuiltRelease, index: PackageIndex) -> str | None:
    """The sha256 of this file on the index, in hex; None where there is none. Raise `ReleaseError` for other content.

    Content is the same where the bytes are, or the archive's files: indexes and mirrors pack some archives anew.
    """
    file = index.files(item.project).get(item.filename)
    if file is None:
        return None
    if file.sha256 == item.sha256:
        return item.sha256
    data = index.download(file)
    seen = Digest.of(data).hex
    if seen != item.sha256 and not same_members(item.filename, built.unchanged(item), data):
        raise ReleaseError(
            f"the index has {item.filename} with sha256 {seen} and other content, this build has {item.sha256}",
            remedy="nothing is overwritten: release under the next version",
        )
    return seen
