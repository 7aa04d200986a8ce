"""The files of a site: what each is for a browser, and the list of those that were written to a bucket."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final, Self

from kfp_release.digest import Digest
from kfp_release.errors import ReleaseError
from kfp_release.json_text import read_json
from kfp_release.manifest import canonical_json

LIST: Final = "catalog-files.json"
"""The key of that list."""
MOST_LIST: Final = 64 * 1024 * 1024
"""Bytes."""
_WRITER: Final = "kfp-release catalog"
_UTF_8: Final = "; charset=utf-8"
_TYPES: Final[Mapping[str, str]] = {
    ".html": f"text/html{_UTF_8}",
    ".css": f"text/css{_UTF_8}",
    ".js": f"text/javascript{_UTF_8}",
    ".mjs": f"text/javascript{_UTF_8}",
    ".json": "application/json",
    ".svg": f"image/svg+xml{_UTF_8}",
    ".txt": f"text/plain{_UTF_8}",
    ".md": f"text/markdown{_UTF_8}",
    ".yaml": f"application/yaml{_UTF_8}",
    ".xml": f"application/xml{_UTF_8}",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
}
_FRESH: Final = "no-cache"
"""Whoever keeps it asks each time whether it is still so."""
_FOR_EVER: Final = "max-age=31536000, immutable"
_HASHED: Final = re.compile(r".*[.-][0-9a-f]{8,64}\.[a-z0-9]+", re.ASCII)
"""A name that changes with the content."""


class BadSiteList(ReleaseError):
    """An object in the place of the list that is none."""


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file as it was written: its bytes, how they were sent, and S3's etag, which is empty while that is to come."""

    sha256: str
    content: str
    cache: str
    etag: str = ""

    @classmethod
    def of(cls, path: str, data: bytes) -> Self:
        """Of the file at `path` of a site, which has these bytes."""
        return cls(Digest.of(data).hex, content_type(path), cache_control(path))

    def is_same(self, other: WrittenFile) -> bool:
        """Whether both are the same to whoever reads them."""
        return (self.sha256, self.content, self.cache) == (other.sha256, other.content, other.cache)


def content_type(path: str) -> str:
    """The Content-Type of a file of a site; bytes for a name that tells nothing."""
    return _TYPES.get(PurePosixPath(path).suffix.lower(), "application/octet-stream")


def cache_control(path: str) -> str:
    """How long others may keep it: for ever, if its name changes with its content."""
    return _FOR_EVER if not path.endswith(".html") and _HASHED.fullmatch(path.lower()) else _FRESH


def parse_list(data: bytes) -> dict[str, WrittenFile]:
    """The files by path, as a list tells them. Raise `BadSiteList` for what is none."""
    try:
        value = read_json(data, most=MOST_LIST)
    except ReleaseError as error:
        raise BadSiteList(str(error.args[0])) from error
    match value:
        case {"writer": str(writer), "files": dict(files)} if writer == _WRITER:
            return {path: _file(path, one) for path, one in files.items()}
    raise BadSiteList("it is not a list that kfp-release catalog wrote")


def list_json(files: Mapping[str, WrittenFile]) -> bytes:
    """What `parse_list` reads; the same bytes for the same files."""
    written = {path: [one.sha256, one.content, one.cache, one.etag] for path, one in sorted(files.items())}
    return canonical_json({"writer": _WRITER, "files": written})


def _file(path: str, value: Any) -> WrittenFile:
    match value:
        case [str(sha256), str(content), str(cache), str(etag)] if path:
            return WrittenFile(sha256, content, cache, etag)
    raise BadSiteList("it is not a list that kfp-release catalog wrote")
