"""The pages of a static index on S3, made of what lies in the bucket.

Each round reads the pages, then lists the files, then writes each page in the place of the one that it read. So of two
rounds that meet one writes nothing and begins again, with what the other has uploaded; and a page that was not written,
for its writer was killed, is written by the next round.
"""

from __future__ import annotations

import email.parser
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import is_normalized_name

from kfp_release.archive_name import ArchiveName
from kfp_release.digest import Digest
from kfp_release.errors import ReleaseError
from kfp_release.index_page import MAX_FILE, MAX_PAGE
from kfp_release.member import BadArchive
from kfp_release.retry import Retry
from kfp_release.s3_bucket import CONDITIONS, Bucket, Listed, Stored
from kfp_release.sdist import Sdist
from kfp_release.static_page import (
    HTML,
    JSON,
    PACKAGES,
    BadPage,
    StaticFile,
    parse_files,
    project_html,
    project_json,
    require_own,
    root_html,
    root_json,
)
from kfp_release.wheel import Wheel

METADATA = ".metadata"
"""What the name of a wheel's METADATA beside it ends with. PEP 658."""
SIMPLE = "simple/"
_ROUNDS = 30
_WAIT = 0.05
"""Seconds, more after each round that somebody else was faster in."""
_FRESH = "no-cache"
"""Whoever keeps a page asks each time whether it is still so."""

Made = Callable[[], Mapping[str, bytes]]
"""The pages by key, as they should be now."""


@dataclass(frozen=True, slots=True)
class S3Pages:
    """All pages of one index."""

    bucket: Bucket
    retry: Retry

    def require_own(self, project: str) -> None:
        """Raise `ReleaseError` where something else stands in the place of a page."""
        for key in (*_keys(SIMPLE), *_keys(project_page(project))):
            self.read(key)

    def require_conditions(self) -> bool:
        """Raise `ReleaseError` where the store lets a page be overwritten; false where there is none to try it with."""
        page = self.read(SIMPLE)
        if page is None or not page.data:
            return False
        if not self.bucket.keeps(SIMPLE, page.data, content=HTML, cache=_FRESH):
            raise ReleaseError(
                f"{self.bucket.url(SIMPLE)} is taken by an object that is to be put only where there is none",
                remedy=CONDITIONS,
            )
        return True

    def read(self, key: str) -> Stored | None:
        """The page; None where there is none, or an object without a byte, as consoles make for folders."""
        page = self.bucket.get(key, most=MAX_PAGE)
        if page is not None and page.data:
            try:
                require_own(page.data, _content(key))
            except BadPage as error:
                raise ReleaseError(
                    f"{self.bucket.url(key)} {error.args[0]}, and a page of the index belongs there",
                    remedy="take it away, or give the index a prefix of its own: s3://BUCKET/PREFIX",
                ) from error
        return page

    def write(self, project: str) -> None:
        """Bring the pages of `project`, and that of all projects, to what lies in the bucket.

        The one that pip reads comes last: whoever sees a file there finds it on the others.
        """
        self._write(_keys(SIMPLE), self._root)
        self._write(_keys(project_page(project)), lambda: self._project(project))

    def _write(self, keys: Sequence[str], made: Made) -> None:
        for round_ in range(_ROUNDS):
            if round_:
                self.retry.sleep(_WAIT * round_)
            before = {key: self.read(key) for key in keys}
            pages = made()
            if all(self._put(key, before[key], pages[key]) for key in keys):
                return
        raise ReleaseError(
            f"{self.bucket.url(keys[-1])} was changed by others {_ROUNDS} times while it was written",
            remedy="run this again: what is uploaded is left alone, and comes on the pages",
        )

    def _put(self, key: str, before: Stored | None, data: bytes) -> bool:
        if before is not None and before.data == data:
            return True
        etag = before.etag if before else None
        return self.bucket.put(key, data, content=_content(key), cache=_FRESH, etag=etag)

    def _root(self) -> Mapping[str, bytes]:
        projects = sorted(filter(is_normalized_name, self.bucket.folders(f"{PACKAGES}/")))
        json, html, folder = _keys(SIMPLE)
        return {json: root_json(projects), html: root_html(projects), folder: root_html(projects)}

    def _project(self, project: str) -> Mapping[str, bytes]:
        json, html, folder = _keys(project_page(project))
        page = self.read(json)
        known = parse_files(page.data) if page is not None and page.data else {}
        files = list(self._files(project, known))
        return {
            json: project_json(project, files),
            html: project_html(project, files),
            folder: project_html(project, files),
        }

    def _files(self, project: str, known: Mapping[str, StaticFile]) -> Iterable[StaticFile]:
        folder = f"{PACKAGES}/{project}/"
        listed = {item.key.removeprefix(folder): item for item in self.bucket.list(folder)}
        for name, item in sorted(listed.items()):
            if not is_file_of(project, name):
                continue
            beside = name + METADATA in listed
            file = known.get(name)
            # Files never change, so what a page told of one is true; not whether its metadata has come.
            if file is None or file.size != item.size or bool(file.metadata) != beside:
                file = self._looked_at(item, name)
            if file is not None:
                yield file if beside else replace(file, metadata="")

    def _looked_at(self, item: Listed, name: str) -> StaticFile | None:
        """None where it is gone meanwhile."""
        found = self.bucket.get(item.key, most=MAX_FILE)
        if found is None:
            return None
        data = found.data
        uploaded = item.modified.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        metadata = metadata_of(name, data)
        hashed = Digest.of(metadata).hex if name.endswith(".whl") and metadata else ""
        return StaticFile(name, len(data), uploaded, Digest.of(data).hex, _requires_python(metadata), hashed)


def project_page(project: str) -> str:
    """The key that pip asks for."""
    return f"{SIMPLE}{project}/"


def is_file_of(project: str, name: str) -> bool:
    """Whether it is the name of a wheel or sdist of `project`."""
    try:
        return (ArchiveName.of_wheel if name.endswith(".whl") else ArchiveName.of_sdist)(name).name == project
    except BadArchive:
        return False


def metadata_of(name: str, data: bytes) -> bytes:
    """METADATA of a wheel, PKG-INFO of an sdist; nothing where it cannot be read."""
    try:
        if name.endswith(".whl"):
            wheel = Wheel.parse(name, data)
            return wheel.read(f"{wheel.dist_info}/METADATA")
        return Sdist.parse(name, data).read("PKG-INFO")
    except BadArchive:
        return b""


def _requires_python(metadata: bytes) -> str:
    text = email.parser.BytesHeaderParser().parsebytes(metadata).get("Requires-Python", "")
    try:
        return str(SpecifierSet(str(text)))
    except InvalidSpecifier:
        return ""


def _keys(folder: str) -> tuple[str, str, str]:
    """The JSON page, the one for servers that look for index.html, and the one at the folder's own URL."""
    return f"{folder}index.v1_json", f"{folder}index.html", folder


def _content(key: str) -> str:
    return JSON if key.endswith("json") else HTML
