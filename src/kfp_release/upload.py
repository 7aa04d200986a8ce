"""Layers to ECR: verified first, several at a time, the parts of one in sequence, never a whole layer in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import BinaryIO, Final, Protocol, TypeAlias

from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository
from kfp_release.ecr_errors import EcrError
from kfp_release.errors import ReleaseError
from kfp_release.manifest import Descriptor
from kfp_release.progress import Progress
from kfp_release.retry import again
from kfp_release.workers import in_parallel

LAYERS_AT_ONCE: Final = 4
"""More cause socket failures, an engineer of AWS reports: dotnet/sdk-container-builds#279."""
Lanes: TypeAlias = AbstractContextManager[object]
"""What bounds the layers that go to several repositories at a time; each goes inside of it."""
_CHUNK = 1024 * 1024
_LARGEST_PART = 20 * 1024 * 1024
"""Bytes of a part that ECR takes at most: ECR API Reference, UploadLayerPart."""


class Blob(Protocol):
    """A layer or config, and where its bytes are."""

    @property
    def descriptor(self) -> Descriptor:
        """What it is."""

    def open(self) -> BinaryIO:
        """A new stream of its bytes, from the first; it can be sought in."""


class _Stopped(Exception):
    """Another layer failed, or the user stopped it all."""


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

    `lanes` are shared with other uploads at the same time. Size and digest of each are checked before the first byte
    goes. Gives the bytes of the blobs that were sent.
    Raises `ReleaseError` for a blob that is not what its descriptor says, and where ECR takes one not.
    """
    digests = [blob.descriptor.digest for blob in blobs]
    missing = store.missing(digests)
    lacking = {blob.descriptor.digest: blob for blob in blobs if blob.descriptor.digest in missing}
    todo = sorted(lacking.values(), key=lambda blob: (-blob.descriptor.size, blob.descriptor.digest))
    for blob in todo:
        _verify(blob)
    if todo:
        _send_all(store, todo, progress, workers, lanes or nullcontext())
        if left := store.missing(digests):
            raise ReleaseError(
                f"{store.repository} still lacks {_listed(left)} after they were sent",
                remedy="run this again; if it stays so, look whether their images are archived in ECR",
            )
    return sum(blob.descriptor.size for blob in todo)


def _verify(blob: Blob) -> None:
    want = blob.descriptor
    if not want.size:
        raise ReleaseError(f"blob {want.digest} is empty, and ECR refuses empty blobs", remedy="leave the layer out")
    size = 0

    def counted(stream: BinaryIO) -> Iterator[bytes]:
        nonlocal size
        while chunk := stream.read(_CHUNK):
            size += len(chunk)
            yield chunk

    with blob.open() as stream:
        digest = Digest.of_chunks(counted(stream))
    if (size, digest) != (want.size, want.digest):
        raise ReleaseError(
            f"blob {want.digest} should have {want.size} bytes, and has {size} bytes of digest {digest}",
            remedy="build it again; nothing was sent",
        )


def _send_all(store: EcrRepository, todo: Sequence[Blob], progress: Progress, workers: int, lanes: Lanes) -> None:
    total = sum(blob.descriptor.size for blob in todo)
    what = f"{len(todo)} {'layer' if len(todo) == 1 else 'layers'} to {store.repository.name}"
    sent: dict[Digest, int] = {}
    lock = threading.Lock()
    stop = threading.Event()

    def send(blob: Blob) -> None:
        def moved(to: int) -> None:
            if stop.is_set():
                raise _Stopped
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
        while first < blob.descriptor.size:
            moved(first)
            part = stream.read(part_size)
            if not part:
                raise ReleaseError(f"blob {blob.descriptor.digest} ends at byte {first} while it is sent")
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
                stream.seek(first)
            if first > furthest:  # else it could go back and forth for ever
                furthest, corrections = first, 0
    store.call("complete_layer_upload", uploadId=upload, layerDigests=[str(blob.descriptor.digest)])


def _next_byte(error: EcrError, blob: Blob) -> int:
    last = error.details.get("lastValidByteReceived")
    if not isinstance(last, int) or not -1 <= last < blob.descriptor.size:
        raise error
    # No part ends at byte 0, so that it means that there is none yet.
    return last + 1 if last > 0 else 0


def _listed(digests: Iterable[Digest]) -> str:
    return ", ".join(str(digest) for digest in sorted(digests))
