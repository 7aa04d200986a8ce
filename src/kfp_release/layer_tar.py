"""The tar of a layer as a stream that goes forward: nothing of it is held, whatever its headers say of its sizes.

Source: OCI image-spec, layer.md.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final, Protocol

from kfp_release.digest import Digest
from kfp_release.manifest import BadImage, Descriptor
from kfp_release.member import BadArchive
from kfp_release.tar_header import bounded_headers

_CHUNK: Final = 1 << 20
_MOST: Final = 64 * 1024**3
"""Bytes of a layer that is unpacked."""
_LONGEST_HEADER, _MOST_HEADERS = 1 << 20, 256 * 1024 * 1024
"""Bytes of one header that extends another (extended attributes are in them), and of all in a layer."""
_MOST_OF_MEMBER: Final = 8 * 1024 * 1024
"""Bytes that are read before a member is known: its headers, and the lists of a sparse file's pieces."""
_REMEDY: Final = "build the runtime anew, from another base image if it is of that one"
_UNREADABLE: Final = (
    *(tarfile.TarError, zlib.error, EOFError, OverflowError, ValueError, RecursionError, MemoryError),
    gzip.BadGzipFile,
)


class LayerBlob(Protocol):
    """A layer, and where its bytes are."""

    @property
    def descriptor(self) -> Descriptor:
        """What it is."""

    def open(self) -> BinaryIO:
        """A new stream of its bytes, from the first."""


class _Hashed(io.RawIOBase):
    """A stream that is hashed as it is read."""

    def __init__(self, source: BinaryIO) -> None:
        super().__init__()
        self._source = source
        self.sha256 = hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        data = self._source.read(size)
        self.sha256.update(data)
        return data


class _Unpacked(io.RawIOBase):
    """What ``tarfile`` reads from: its seeks go forward, but for the last byte, which it looks at again."""

    def __init__(self, packed: BinaryIO) -> None:
        super().__init__()
        self._gzip = gzip.GzipFile(fileobj=packed)
        self._at = self._wanted = 0
        self.last = b""
        """What was read last."""
        self.left = _MOST_OF_MEMBER
        """Bytes that may be read until it is set again. What is passed over counts nothing."""

    def tell(self) -> int:
        return self._wanted

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        self._wanted = offset + (self._wanted if whence == io.SEEK_CUR else 0)
        return self._wanted

    def read(self, size: int = -1, /) -> bytes:
        self.left -= size
        if self.left < 0:
            raise OverflowError(f"the headers of a file are more than {_MOST_OF_MEMBER:,} bytes")
        begun = b""
        if self._wanted == self._at - 1 and self.last:
            begun = self.last[-1:]
        elif self._wanted < self._at:
            raise EOFError("a header leads back")
        while self._at < self._wanted and self._take(min(_CHUNK, self._wanted - self._at)):
            pass
        if self._at == self._wanted or begun:
            parts = [begun]
            left = size - len(begun)
            while left > 0 and (data := self._take(min(_CHUNK, left))):
                parts.append(data)
                left -= len(data)
            self.last = b"".join(parts)
        else:
            self.last = b""
        self._wanted = self._at
        return self.last

    def rest(self) -> Iterator[bytes]:
        """All that follows."""
        return iter(lambda: self._take(_CHUNK), b"")

    def _take(self, size: int) -> bytes:
        data = self._gzip.read(size)
        self._at += len(data)
        if self._at > _MOST:
            raise OverflowError(f"it is more than {_MOST:,} bytes unpacked")
        return data


class LayerTar:
    """The members of a layer, one after the other."""

    def __init__(self, unpacked: _Unpacked, archive: tarfile.TarFile) -> None:
        self._unpacked = unpacked
        self._archive = archive

    def __iter__(self) -> Iterator[tarfile.TarInfo]:
        """Raise `BadImage` where it is cut off or damaged."""
        while (info := self._next()) is not None:
            self._archive.members = []  # type: ignore[attr-defined] # tarfile would keep all
            if info.size < 0:
                raise tarfile.ReadError("a size below zero")
            yield info
        # tarfile takes a damaged header for the end.
        if any(self._unpacked.last) or len(self._unpacked.last) not in {0, tarfile.BLOCKSIZE}:
            raise tarfile.ReadError("a header is damaged")

    def _next(self) -> tarfile.TarInfo | None:
        # tarfile follows the lists of a sparse file as long as they go on, and holds them.
        self._unpacked.left = _MOST_OF_MEMBER
        return self._archive.next()

    def read(self, info: tarfile.TarInfo) -> bytes:
        """The bytes of the plain file that came last."""
        self._unpacked.seek(info.offset_data)
        self._unpacked.left = info.size
        data = self._unpacked.read(info.size)
        if len(data) != info.size:
            raise EOFError("unexpected end of data")
        return data


@contextmanager
def layer_tar(layer: LayerBlob) -> Iterator[LayerTar]:
    """`layer`, to be read once. Raise `BadImage` where it is no tar in gzip, or has other bytes than its digest says.

    What the block has read is to be believed only once it has been left without an error.
    """
    digest = layer.descriptor.digest
    try:
        with layer.open() as source:
            hashed = _Hashed(source)
            unpacked = _Unpacked(hashed)  # type: ignore[arg-type] # it is read from, and nothing else
            headers = bounded_headers(f"layer {digest}", longest=_LONGEST_HEADER, most=_MOST_HEADERS)
            with tarfile.open(
                fileobj=unpacked, mode="r:", tarinfo=headers, encoding="utf-8", errors="surrogateescape"
            ) as archive:
                yield LayerTar(unpacked, archive)
                for _ in unpacked.rest():
                    pass
            while hashed.read(_CHUNK):
                pass
    except BadArchive as error:
        raise BadImage(error.args[0], remedy=_REMEDY) from error
    except _UNREADABLE as error:
        raise BadImage(f"layer {digest} cannot be read: {str(error)[:160]}", remedy=_REMEDY) from error
    if (seen := Digest(hashed.sha256.hexdigest())) != digest:
        raise BadImage(f"layer {digest} has other bytes: {seen}", remedy=_REMEDY)
