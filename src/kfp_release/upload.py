"""Layers to ECR: verified as they go, several at a time, the parts of one in sequence, never a whole one in memory."""

from __future__ import annotations

import hashlib
import io
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import BinaryIO, Final, Protocol, TypeAlias

from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository
from kfp_release.ecr_errors import EcrError
from kfp_release.errors import ReleaseError
from kfp_release.manifest import Descriptor
from kfp_release.progress import Progress
from kfp_release.retry import again
from kfp_release.stopping import Stopped
from kfp_release.workers import in_parallel

LAYERS_AT_ONCE: Final = 4
"""More cause socket failures, an engineer of AWS reports: dotnet/sdk-container-builds#279."""
Lanes: TypeAlias = AbstractContextManager[object]
"""What bounds the layers that go to several repositories at a time; each goes inside of it."""
_LARGEST_PART: Final = 10 * 1024 * 1024
"""Bytes of a part that ECR takes at most: its quotas. Each worker has as many in memory."""
_AGAIN: Final = "build it again; nothing was made public"


class DamagedBlob(ReleaseError):
    """A blob whose bytes are not what its descriptor says."""


class Blob(Protocol):
    """A layer or config, and where its bytes are."""

    @property
    def descriptor(self) -> Descriptor:
        """What it is."""

    def open(self) -> BinaryIO:
        """A new stream of its bytes, from the first; it can be sought in."""


@dataclass(frozen=True, slots=True)
class MemoryBlob:
    """A `Blob` that is at hand."""

    descriptor: Descriptor
    data: bytes

    def open(self) -> BinaryIO:
        """A stream of its bytes."""
        return io.BytesIO(self.data)


def new_lanes() -> Lanes:
    """As many as layers may go at a time, for all uploads that share them."""
    return threading.BoundedSemaphore(LAYERS_AT_ONCE)


def upload_blobs(
    store: EcrRepository,
    blobs: Sequence[Blob],
    *,
    progress: Progress,
    workers: int = LAYERS_AT_ONCE,
    lanes: Lanes | None = None,
) -> int:
    """Send those of `blobs` that the repository lacks, the largest first, and make sure that all are there.

    `lanes` are shared with other uploads at the same time. The size of each is checked before the first byte goes, and
    its digest over the bytes that go, before the last part does: ECR is never told that a blob is complete which is not
    what its descriptor says. Gives the bytes of the blobs that were sent.
    Raises `DamagedBlob` for a blob that is not what its descriptor says, else `ReleaseError` where ECR takes one not.
    """
    digests = [blob.descriptor.digest for blob in blobs]
    missing = store.missing(digests)
    lacking = {blob.descriptor.digest: blob for blob in blobs if blob.descriptor.digest in missing}
    todo = sorted(lacking.values(), key=lambda blob: (-blob.descriptor.size, blob.descriptor.digest))
    for blob in todo:
        _require_size(blob)
    if todo:
        _send_all(store, todo, progress, workers, lanes or nullcontext())
        if left := store.missing(digests):
            raise ReleaseError(
                f"{store.repository} still lacks {_listed(left)} after they were sent",
                remedy="run this again; if it stays so, look whether their images are archived in ECR",
            )
    return sum(blob.descriptor.size for blob in todo)


def _require_size(blob: Blob) -> None:
    want = blob.descriptor
    if not want.size:
        raise ReleaseError(f"blob {want.digest} is empty, and ECR refuses empty blobs", remedy="leave the layer out")
    with blob.open() as stream:
        size = stream.seek(0, os.SEEK_END)
    if size != want.size:
        raise DamagedBlob(f"blob {want.digest} should have {want.size} bytes, and has {size}", remedy=_AGAIN)


class _Parts:
    """The parts of a blob. Each byte is hashed once, also where ECR asks for it again or skips it."""

    def __init__(self, descriptor: Descriptor, stream: BinaryIO) -> None:
        self._descriptor = descriptor
        self._stream = stream
        self._state = hashlib.sha256()
        self._hashed = 0

    def read(self, first: int, size: int) -> bytes:
        """The part from byte `first` on, of at most `size` bytes. The last one is verified to be that of the blob."""
        self._hash_until(first, size)
        part = self._at(first, min(size, self._descriptor.size - first))
        if first + len(part) == self._descriptor.size:
            self.verify()
        return part

    def verify(self) -> None:
        """Raise `ReleaseError` where the bytes are not what the descriptor says. What was not hashed yet is read."""
        self._hash_until(self._descriptor.size, _LARGEST_PART)
        found = Digest(self._state.hexdigest())
        if found != self._descriptor.digest:
            raise DamagedBlob(f"blob {self._descriptor.digest} is damaged: its digest is {found}", remedy=_AGAIN)

    def _hash_until(self, end: int, size: int) -> None:
        while self._hashed < end:
            self._at(self._hashed, min(size, end - self._hashed))

    def _at(self, first: int, size: int) -> bytes:
        self._stream.seek(first)
        part = self._stream.read(size)
        if len(part) < size:
            raise DamagedBlob(
                f"blob {self._descriptor.digest} ends at byte {first + len(part)} while it is sent", remedy=_AGAIN
            )
        if first <= self._hashed < first + size:
            self._state.update(memoryview(part)[self._hashed - first :])
            self._hashed = first + size
        return part


def _send_all(store: EcrRepository, todo: Sequence[Blob], progress: Progress, workers: int, lanes: Lanes) -> None:
    total = sum(blob.descriptor.size for blob in todo)
    what = f"{len(todo)} {'layer' if len(todo) == 1 else 'layers'} to {store.repository.name}"
    sent: dict[Digest, int] = {}
    lock = threading.Lock()
    stop = threading.Event()

    def send(blob: Blob) -> None:
        def moved(to: int) -> None:
            if stop.is_set():
                raise Stopped
            with lock:
                sent[blob.descriptor.digest] = to
                progress.sent(what, sum(sent.values()), total)

        with lanes:
            if not stop.is_set():
                _send(store, blob, moved)

    in_parallel(send, todo, workers=workers, stop=stop)


def _send(store: EcrRepository, blob: Blob, moved: Callable[[int], None]) -> None:
    digest, attempts = blob.descriptor.digest, store.retry.patience.attempts
    for attempt in range(1, attempts + 1):
        try:
            _send_once(store, blob, moved)
        except EcrError as error:
            if error.code not in {"LayerAlreadyExistsException", "UploadNotFoundException"}:
                raise
            # What was lost may be the answer alone: then the layer is there.
            if error.code == "LayerAlreadyExistsException" or not store.missing([digest]):
                break
            if attempt == attempts:
                lost = f"{store.repository}: ECR lost the upload of {digest} {attempts} times"
                raise ReleaseError(lost, remedy="run this again") from error
            store.retry.note(again(f"ECR: the upload of {digest}", "is lost", 0, attempt + 1, attempts))
        else:
            break
    moved(blob.descriptor.size)


def _send_once(store: EcrRepository, blob: Blob, moved: Callable[[int], None]) -> None:
    begun = store.call("initiate_layer_upload")
    upload, part_size = begun["uploadId"], min(begun["partSize"], _LARGEST_PART)
    if part_size < 1:
        raise EcrError(f"ECR takes parts of {part_size} bytes for {store.repository}", remedy="run this again")
    first = furthest = corrections = 0
    with blob.open() as stream:
        parts = _Parts(blob.descriptor, stream)
        while first < blob.descriptor.size:
            moved(first)
            part = parts.read(first, part_size)
            try:
                store.call(
                    "upload_layer_part",
                    uploadId=upload,
                    partFirstByte=first,
                    partLastByte=first + len(part) - 1,
                    layerPartBlob=part,
                )
                first += len(part)
            except EcrError as error:
                # A part that was sent again after it had landed is refused: go on where ECR says that it is.
                corrections += 1
                if error.code != "InvalidLayerPartException" or corrections > store.retry.patience.attempts:
                    raise
                first = _next_byte(error, blob)
            if first > furthest:  # else it could go back and forth for ever
                furthest, corrections = first, 0
        parts.verify()
    store.call("complete_layer_upload", uploadId=upload, layerDigests=[str(blob.descriptor.digest)])


def _next_byte(error: EcrError, blob: Blob) -> int:
    last = error.details.get("lastValidByteReceived")
    if not isinstance(last, int) or not -1 <= last < blob.descriptor.size:
        raise error
    # No part ends at byte 0, so that it means that there is none yet.
    return last + 1 if last > 0 else 0


def _listed(digests: Iterable[Digest]) -> str:
    return ", ".join(str(digest) for digest in sorted(digests))
