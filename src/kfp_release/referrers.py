"""What refers to the images of a repository: listed, read and attached, never written over.

Source: Amazon ECR API Reference, ListImageReferrers and PutImage; OCI distribution-spec 1.1, "Listing Referrers".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository
from kfp_release.ecr_errors import EcrError
from kfp_release.errors import ReleaseError
from kfp_release.manifest import BadImage, Descriptor, Manifest
from kfp_release.progress import Progress
from kfp_release.referrer import EMPTY, EMPTY_CONFIG, Referrer
from kfp_release.terminal_text import one_line
from kfp_release.upload import MemoryBlob, upload_blobs

MOST: Final = 100
"""What is read of one type and image: more is nobody's evidence."""
MOST_OF_ALL: Final = 1_000
"""What is listed of an image in all: signers and scanners attach one each time they look."""
REMOVE: Final = "see who attached it, remove it if it is wrong, and run this again"


@dataclass(frozen=True, slots=True)
class Attached:
    """An artifact that is attached to an image, and the bytes of its blob."""

    referrer: Referrer
    data: bytes

    @property
    def digest(self) -> Digest:
        """What it is found by."""
        return self.referrer.manifest.digest


@dataclass(frozen=True, slots=True)
class Look:
    """What is attached to an image, of one type."""

    read: tuple[Attached, ...]
    unread: tuple[str, ...]
    """A line for each that cannot be read."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """What an image is to have attached: `data`, of `media_type`, as an artifact of `artifact_type`.

    `what` names it for people. `agrees` tells of what is attached already, other bytes of the same type, whether it
    will do; where it raises or refuses, nothing is attached beside it, unless it is no rival: what other tools attach
    under the same type is left alone.
    """

    what: str
    artifact_type: str
    media_type: str
    data: bytes
    agrees: Callable[[bytes], bool]
    annotations: Mapping[str, str] = field(default_factory=dict)
    is_rival: Callable[[bytes], bool] = lambda _: True
    why_not: Callable[[bytes], str] = lambda _: ""

    def referrer(self, subject: Manifest) -> Referrer:
        """The artifact that it becomes."""
        blob = Descriptor(self.media_type, Digest.of(self.data), len(self.data))
        return Referrer.of(self.artifact_type, subject.descriptor, blob, self.annotations)


def attached(store: EcrRepository, subject: Digest, artifact_type: str) -> list[Attached]:
    """What of this type is attached to the image, by digest. Raise `ReleaseError` where ECR does not hand it out.

    What claims the type and is none of one blob is left out, and so is what refers to another image.
    """
    found = look_at_attached(store, subject, artifact_type)
    if found.unread:
        raise ReleaseError(
            f"{store.repository}@{subject}: what is attached to it cannot be read: {found.unread[0]}", remedy=REMOVE
        )
    return list(found.read)


def look_at_attached(store: EcrRepository, subject: Digest, artifact_type: str) -> Look:
    """The same, with a line for each artifact that cannot be read, so that the others can.

    Whoever may push can attach one whose blob is gone, or other than it says. Raise `ReleaseError` where ECR cannot be
    asked, or has too many.
    """
    read, unread = list[Attached](), list[str]()
    for digest in _listed(store, subject, artifact_type):
        try:
            one = _read(store, digest, subject, artifact_type)
        except ReleaseError as error:
            if isinstance(error, EcrError) and not error.is_absence:
                raise
            unread.append(f"{digest}: {one_line(str(error.args[0]))}")
        else:
            read.extend([] if one is None else [one])
    return Look(tuple(read), tuple(unread))


def referrers_of(store: EcrRepository, subject: Digest) -> tuple[list[Referrer], list[Digest]]:
    """All artifacts that refer to the image, of any type and any tool; and what else does, or cannot be read.

    Raise `ReleaseError` where ECR does not list them.
    """
    listed = list(dict.fromkeys(_listed(store, subject)))
    manifests = store.manifests(listed)
    found: list[Referrer] = []
    for digest in listed:
        with suppress(KeyError, BadImage):
            referrer = Referrer.of_manifest(manifests[digest])
            if referrer.subject.digest == subject:
                found.append(referrer)
    known = {referrer.manifest.digest for referrer in found}
    return found, [digest for digest in listed if digest not in known]


def find_attached(store: EcrRepository, subject: Manifest, wanted: Attachment) -> Attached | None:
    """What will do for `wanted`; None where nothing of its type is attached that is a rival.

    Raise `ReleaseError` where something else is: nothing is attached beside it.
    """
    look = look_at_attached(store, subject.digest, wanted.artifact_type)
    there = [one for one in look.read if wanted.is_rival(one.data)]
    for one in there:
        if one.data == wanted.data or wanted.agrees(one.data):
            return one
    image = f"{store.repository}@{subject.digest}"
    if there:
        one = there[0]
        why = wanted.why_not(one.data)
        raise ReleaseError(
            f"{image} has another {wanted.what} attached: {one.digest}{why and f': {why}'}",
            remedy=f"nothing is overwritten: {REMOVE}",
        )
    if look.unread:
        raise ReleaseError(
            f"{image} has something attached as its {wanted.what} that cannot be read: {look.unread[0]}",
            remedy=f"nothing is overwritten: {REMOVE}",
        )
    return None


def attach(store: EcrRepository, subject: Manifest, wanted: Attachment, *, progress: Progress) -> tuple[Attached, int]:
    """Attach it unless something that will do is there; what is there then, and the bytes sent.

    Raise `ReleaseError` as `find_attached`.
    """
    if (there := find_attached(store, subject, wanted)) is not None:
        return there, 0
    referrer = wanted.referrer(subject)
    blobs = [MemoryBlob(referrer.blob, wanted.data), MemoryBlob(EMPTY_CONFIG, EMPTY)]
    sent = upload_blobs(store, blobs, progress=progress)
    store.put(referrer.manifest, None)
    return Attached(referrer, wanted.data), sent


def _listed(store: EcrRepository, subject: Digest, artifact_type: str = "") -> Iterator[Digest]:
    """Those of one type, or of all."""
    of_type = {"artifactTypes": [artifact_type]} if artifact_type else {}
    token: dict[str, str] = {}
    count = 0
    while True:
        answer: Mapping[str, Any] = store.call(
            "list_image_referrers",
            subjectId={"imageDigest": str(subject)},
            filter={**of_type, "artifactStatus": "ACTIVE"},
            maxResults=50,
            **token,
        )
        for item in answer.get("referrers", ()):
            # The filter is ECR's, and other registries behind its API may not know it.
            if not artifact_type or item.get("artifactType") in {artifact_type, None}:
                yield Digest.parse(item["digest"])
                count += 1
        if not (following := answer.get("nextToken")):
            return
        if count >= (MOST if artifact_type else MOST_OF_ALL) or {"nextToken": following} == token:
            kind = f" of the type {artifact_type}" if artifact_type else ""
            raise ReleaseError(
                f"{store.repository}@{subject} has more than {count} artifacts{kind}",
                remedy="see who attached them, and remove what is none of this project's",
            )
        token = {"nextToken": following}


def _read(store: EcrRepository, digest: Digest, subject: Digest, artifact_type: str) -> Attached | None:
    try:
        manifest = store.find(digest)
        if manifest is None:
            return None
        referrer = Referrer.parse(manifest.data)
    except BadImage:
        return None
    if (referrer.artifact_type, referrer.subject.digest) != (artifact_type, subject):
        return None  # what lists it may not have read it
    return Attached(referrer, store.read_blob(referrer.blob))
