"""A static index in an S3 bucket: files that are put where there is none, and pages that list them.

``packages/PROJECT/FILE`` are the files, each beside its METADATA where it is a wheel; ``simple/`` is what pip reads.
S3 takes a file for a name that is free, and no other (If-None-Match), so nothing that is there is overwritten.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name

from kfp_release.archive import same_members
from kfp_release.archive_name import ArchiveName
from kfp_release.digest import Digest
from kfp_release.errors import ReleaseError
from kfp_release.index_page import MAX_FILE, IndexFile, parse_page
from kfp_release.index_session import PackageIndexError
from kfp_release.retry import SILENT, Retry
from kfp_release.s3_bucket import Bucket
from kfp_release.s3_pages import METADATA, S3Pages, metadata_of, project_page
from kfp_release.static_page import HTML, PACKAGES

_WAITS = (0.5, 1.0, 2.0, 4.0)
"""Seconds between attempts to put a file that others put too."""
_FOR_EVER = "max-age=31536000, immutable"
_BASE = "https://bucket.invalid/"
"""Before a page's key: links are relative to that, and none leads there."""


class S3Index:
    """One folder of a bucket, asked with AWS's credentials from the usual chain."""

    def __init__(self, bucket: Bucket, *, retry: Retry = SILENT) -> None:
        self._bucket = bucket
        self._retry = retry
        self._pages = S3Pages(self._bucket, retry)

    def files(self, project: str) -> dict[str, IndexFile]:
        """The files that the page lists which pip reads; none where there is no page.

        Raise `PackageIndexError` where S3 cannot be asked, another `ReleaseError` where something else stands there.
        """
        key = project_page(canonicalize_name(project))
        page = self._pages.read(key)
        if page is None or not page.data:
            return {}
        return parse_page(project, page.data, content_type=HTML, url=_BASE + key)

    def download(self, file: IndexFile) -> bytes:
        """The bytes of `file`. Raise `PackageIndexError` where they cannot be had.

        Raise another `ReleaseError` where they are not those that the page announces, or too many.
        """
        key = unquote(urlsplit(file.url).path).removeprefix("/")
        if not file.url.startswith(_BASE) or not key.startswith(f"{PACKAGES}/"):
            raise ReleaseError(
                f"the index's page leads elsewhere for {file.filename}", remedy="the page was changed on the index"
            )
        found = self._bucket.get(key, most=MAX_FILE)
        if found is None:
            raise PackageIndexError(
                f"the index lists {file.filename}, and {self._bucket.url(key)} is not there",
                remedy="release under the next version, or put the same file there again",
                status=404,
            )
        file.require_bytes(found.data)
        return found.data

    def require_credentials(self) -> None:
        """Raise `PackageIndexError` where AWS's credential chain has none."""
        self._bucket.open()

    def upload(self, path: Path) -> None:
        """Put one wheel or sdist, and then the pages; what a run before has put, and no page lists, is completed.

        Raise `ReleaseError` for other content under that name, and, with nothing put, for a page that is none.
        """
        name = path.name
        project = (ArchiveName.of_wheel if name.endswith(".whl") else ArchiveName.of_sdist)(name).name
        data = path.read_bytes()
        self._pages.require_own(project)
        tried = self._pages.require_conditions()
        key = f"{PACKAGES}/{project}/{name}"
        kind = "application/zip" if name.endswith((".whl", ".zip")) else "application/gzip"
        there = self._put(key, data, kind)
        if name.endswith(".whl") and (metadata := metadata_of(name, there)):
            self._put(key + METADATA, metadata, "text/plain; charset=utf-8")
        self._pages.write(project)
        if not tried:
            self._pages.require_conditions()

    def _put(self, key: str, data: bytes, content: str) -> bytes:
        """The bytes that are there then: those of `data`, or another archive of the same files."""
        for wait in (0.0, *_WAITS):
            self._retry.sleep(wait)
            if self._bucket.put(key, data, content=content, cache=_FOR_EVER):
                return data
            # There is none where others put one at this very moment, who may yet fail.
            if found := self._bucket.get(key, most=MAX_FILE):
                return self._same(key, data, found.data)
        raise PackageIndexError(
            f"{self._bucket.url(key)} is put by others at this moment, and is not there", remedy="run this again"
        )

    def _same(self, key: str, data: bytes, there: bytes) -> bytes:
        name = key.rpartition("/")[2]
        if there == data or (not name.endswith(METADATA) and same_members(name, data, there)):
            return there
        raise PackageIndexError(
            f"{self._bucket.url(key)} is there with sha256 {Digest.of(there).hex} and other content, "
            f"this one has {Digest.of(data).hex}",
            remedy="a file that is there is never replaced: release under the next version",
            status=409,
        )
