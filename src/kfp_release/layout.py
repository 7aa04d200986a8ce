"""OCI image layouts on disk. OCI image-spec, image-layout.md."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Self

from kfp_release.digest import Digest
from kfp_release.errors import ReleaseError
from kfp_release.image import Image
from kfp_release.inflation import allowed
from kfp_release.json_text import read_json
from kfp_release.manifest import MAX_MANIFEST, Descriptor, ImageConfig, Manifest, canonical_json
from kfp_release.plain_file import read_plain
from kfp_release.whole_file import replace_file

_MARKER = "oci-layout"
_INDEX = "index.json"
_VERSION = canonical_json({"imageLayoutVersion": "1.0.0"})
_INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
_NAME_KEY = "org.opencontainers.image.ref.name"
_NAME = re.compile(r"[A-Za-z0-9]+(?:[-._:@/+][A-Za-z0-9]+)*", re.ASCII)
_ANEW = "make the layout anew"
_CHUNK: Final = 1024 * 1024


class BadLayout(ReleaseError):
    """A folder that is no OCI image layout, or lacks what was asked for."""


@dataclass(frozen=True, slots=True)
class LayoutBlob:
    """One blob of a layout, of the right length; `verify` makes sure of its digest."""

    descriptor: Descriptor
    path: Path

    def open(self) -> BinaryIO:
        """The blob from its beginning, for reading. Its bytes are those of the file, whatever they are."""
        return self.path.open("rb")

    def verify(self) -> None:
        """Read it all. Raise `BadLayout` where its bytes are not what it is called."""
        with self.open() as file:
            self._require(Digest.of_chunks(_chunks(file)))

    def read(self) -> bytes:
        """All of it, for what is small. Raise `BadLayout` as `verify`."""
        data = self.path.read_bytes()
        self._require(Digest.of(data))
        return data

    def _require(self, found: Digest) -> None:
        if found != self.descriptor.digest:
            raise BadLayout(f"{self.path} is damaged: its digest is {found}", remedy=_ANEW)


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout at `path`: blobs by digest, and images by name."""

    path: Path

    def __post_init__(self) -> None:
        marker = self.path / _MARKER
        try:
            version = _json(marker)["imageLayoutVersion"]
        except (OSError, KeyError, TypeError, ReleaseError) as error:
            raise BadLayout(f"{self.path} is not an OCI image layout: it has no {_MARKER}", remedy=_ANEW) from error
        if version != "1.0.0":
            raise BadLayout(f"{marker} says version {str(version)[:40]!r}, this is 1.0.0", remedy=_ANEW)

    @classmethod
    def create(cls, path: Path) -> Self:
        """An empty layout in a folder that is new or empty; a layout that is there already stays as it is."""
        if not (path / _MARKER).exists():
            if path.exists() and any(path.iterdir()):
                raise BadLayout(f"{path} has other files in it", remedy="name another folder, or remove it")
            (path / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)
            replace_file(path / _INDEX, canonical_json({"schemaVersion": 2, "mediaType": _INDEX_TYPE, "manifests": []}))
            replace_file(path / _MARKER, _VERSION)
        return cls(path)

    def write_blob(self, data: bytes) -> Digest:
        """Keep `data`, under its digest."""
        digest = Digest.of(data)
        path = self._blob_path(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, data)
        return digest

    def adopt_blob(self, file: Path, media_type: str) -> Descriptor:
        """Take `file`, which is on the same file system, as a blob, however large. It is moved."""
        with file.open("rb") as stream:
            digest = Digest.of_chunks(_chunks(stream))
        descriptor = Descriptor(media_type, digest, file.stat().st_size)
        path = self._blob_path(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        file.replace(path)
        return descriptor

    def add(self, image: Image, *, name: str) -> None:
        """Keep the manifest and the config of `image`, under `name`; its layers are blobs, here or elsewhere."""
        if not _NAME.fullmatch(name):
            raise BadLayout(
                f"{name[:120]!r} cannot name an image in a layout", remedy="letters, digits and - . _ : @ / +"
            )
        self.write_blob(image.manifest.data)
        self.write_blob(image.config.data)
        entry = {**image.manifest.descriptor.to_json(), "annotations": {_NAME_KEY: name}}
        others = [item for item in self._entries() if _name(item) != name]
        index = {"schemaVersion": 2, "mediaType": _INDEX_TYPE, "manifests": [*others, entry]}
        replace_file(self.path / _INDEX, canonical_json(index))

    def image(self, name: str) -> Image:
        """The image of this name. Raise `BadLayout` where there is none, or its bytes are damaged."""
        for item in self._entries():
            if _name(item) == name:
                return self._image(item)
        raise BadLayout(f"{self.path} has no image called {name[:120]!r}", remedy=_ANEW)

    def has(self, digest: Digest) -> bool:
        """Whether there is such a blob."""
        return self._blob_path(digest).is_file()

    def has_content(self, diff_id: Digest) -> bool:
        """Whether a layer is here whose tar has this digest, whatever gzip made of it."""
        blobs = (path for path in sorted((self.path / "blobs" / "sha256").glob("*")) if path.is_file())
        return any(_unpacked(path) == diff_id for path in blobs)

    def blob(self, descriptor: Descriptor) -> LayoutBlob:
        """The blob that `descriptor` names. Raise `BadLayout` where it is missing or has another length."""
        path = self._blob_path(descriptor.digest)
        if not path.is_file():
            raise BadLayout(f"{self.path} lacks the blob {descriptor.digest}", remedy=_ANEW)
        size = path.stat().st_size
        if size != descriptor.size:
            raise BadLayout(
                f"{path} has {size} bytes, and {descriptor.size} are right: it is damaged",
                remedy=_ANEW,
            )
        return LayoutBlob(descriptor, path)

    def _image(self, item: dict[str, Any]) -> Image:
        descriptor = Descriptor.parse(item)
        manifest = Manifest.parse(self._read(descriptor), descriptor.media_type)
        return Image(manifest, ImageConfig.parse(self._read(manifest.config)))

    def _read(self, descriptor: Descriptor) -> bytes:
        if descriptor.size > MAX_MANIFEST:
            raise BadLayout(
                f"{self.path} has {descriptor.digest} of {descriptor.size} bytes where a manifest or config should be",
                remedy=_ANEW,
            )
        return self.blob(descriptor).read()

    def _blob_path(self, digest: Digest) -> Path:
        return self.path / "blobs" / "sha256" / digest.hex

    def _entries(self) -> list[dict[str, Any]]:
        path = self.path / _INDEX
        try:
            manifests = _json(path)["manifests"]
        except (OSError, KeyError, TypeError, ReleaseError) as error:
            raise BadLayout(f"{path} is not the index of an image layout", remedy=_ANEW) from error
        if not isinstance(manifests, list) or not all(isinstance(item, dict) for item in manifests):
            raise BadLayout(f"{path} has no list of manifests", remedy=_ANEW)
        return manifests


def _json(path: Path) -> Any:
    return read_json(read_plain(path, most=MAX_MANIFEST), most=MAX_MANIFEST)


def _name(item: dict[str, Any]) -> str:
    annotations = item.get("annotations")
    return str(annotations.get(_NAME_KEY, "")) if isinstance(annotations, dict) else ""


def _unpacked(path: Path) -> Digest | None:
    """None for what is no gzip, or inflates to more than a package has."""
    try:
        with gzip.open(path) as file:
            return Digest.of_chunks(_bounded(_chunks(file), allowed(path.stat().st_size)))
    except (gzip.BadGzipFile, EOFError, zlib.error, OverflowError):
        return None


def _bounded(chunks: Iterable[bytes], most: int) -> Iterator[bytes]:
    """Raise `OverflowError` where the chunks are more than `most` bytes together."""
    for chunk in chunks:
        most -= len(chunk)
        if most < 0:
            raise OverflowError
        yield chunk


def _chunks(file: BinaryIO | gzip.GzipFile) -> Iterable[bytes]:
    return iter(lambda: file.read(_CHUNK), b"")
