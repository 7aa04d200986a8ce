"""A blob of an image in ECR, as a stream that is read as it is sent on: nothing of it is held, in memory or on disk."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from kfp_release.manifest import Descriptor
from kfp_release.presigned import Tail
from kfp_release.retry import Retry

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


@dataclass(frozen=True, slots=True)
class RemoteBlob:
    """A `kfp_release.upload.Blob` at a URL that expires: `url` gives a new one. `where` names its repository."""

    descriptor: Descriptor
    url: Callable[[], str]
    where: str
    retry: Retry

    def open(self) -> BinaryIO:
        """Its bytes from the first on. Nothing is asked before they are read."""
        return io.BufferedReader(_Stream(self))


class _Stream(io.RawIOBase):
    """Reads forwards over one connection. After a seek, or where that is lost, a new one begins at the byte wanted."""

    def __init__(self, blob: RemoteBlob) -> None:
        super().__init__()
        self._blob = blob
        self._wanted = 0
        self._at = 0
        self._tail: Tail | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """The length is what the descriptor says: whether it is so, is seen as it is read."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._wanted, os.SEEK_END: self._blob.descriptor.size}[whence]
        self._wanted = start + offset
        return self._wanted

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Lost connections are made anew within the user's patience, which begins again as bytes have come."""
        what = f"the download of {self._blob.descriptor.digest}"
        return self._blob.retry.ask(what, partial(self._read, memoryview(buffer).cast("B")))

    def close(self) -> None:
        self._let_go()
        super().close()

    def _read(self, buffer: memoryview) -> int:
        if self._at != self._wanted:
            self._let_go()
        blob = self._blob
        if self._wanted >= blob.descriptor.size:
            return 0
        try:
            if self._tail is None:
                self._at = self._wanted
                self._tail = Tail(blob.url(), blob.descriptor, self._at, where=blob.where, patience=blob.retry.patience)
            size = self._tail.readinto(buffer)
        except BaseException:
            self._let_go()
            raise
        self._at += size
        self._wanted = self._at
        return size

    def _let_go(self) -> None:
        tail, self._tail = self._tail, None
        if tail is not None:
            tail.close()
