"""The pages of an index that is files alone, as HTML and as JSON, of one project and of them all.

Sources: PEP 503, PEP 629 (the API's version), PEP 691 (JSON), PEP 700 (sizes, times, versions), PEP 714 (metadata).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, Self
from urllib.parse import quote

from kfp_release.archive_name import ArchiveName
from kfp_release.digest import Digest
from kfp_release.errors import ReleaseError
from kfp_release.index_page import MAX_PAGE
from kfp_release.json_text import read_json

PACKAGES = "packages"
"""The folder of the files, beside that of the pages."""
HTML = "text/html; charset=utf-8"
JSON = "application/vnd.pypi.simple.v1+json"
_GENERATOR = "kfp-release"
_MARK = f'<meta name="generator" content="{_GENERATOR}">'
_META = {"api-version": "1.1", "_generator": _GENERATOR}
_PAGE = f"""\
<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<meta name="pypi:repository-version" content="1.1">
{_MARK}
<title>{{title}}</title>
</head>
<body>
{{body}}</body>
</html>
"""


class BadPage(ReleaseError):
    """What stands in the place of a page is none that was written here. The message goes on from its name."""


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A wheel or sdist, as the pages tell of it."""

    filename: str
    size: int
    uploaded: str
    """``2026-11-30T01:02:03.000000Z``."""
    sha256: str
    """Hex."""
    requires_python: str = ""
    metadata: str = ""
    """The sha256 of a wheel's METADATA, which lies beside it; empty where it does not."""

    @classmethod
    def parse(cls, value: Any) -> Self:
        """From its part of a JSON page. Raise `BadPage` unless it is one."""
        try:
            metadata = value["core-metadata"]
            sha256, beside = value["hashes"]["sha256"], metadata["sha256"] if metadata else ""
            texts = (value["filename"], value["upload-time"], value["requires-python"] or "")
            if not all(isinstance(text, str) for text in texts) or type(value["size"]) is not int:
                raise BadPage("has a file that is told of otherwise")
            filename, uploaded, requires = texts
            return cls(
                filename, value["size"], uploaded, Digest(sha256).hex, requires, Digest(beside).hex if beside else ""
            )
        except (KeyError, TypeError, AttributeError, ReleaseError) as error:
            raise BadPage("has a file that is told of otherwise") from error

    def to_json(self, project: str) -> dict[str, Any]:
        """What `parse` reads; for a page of `project`."""
        metadata = {"sha256": self.metadata} if self.metadata else False
        return {
            "filename": self.filename,
            "url": _url(project, self.filename),
            "hashes": {"sha256": self.sha256},
            "requires-python": self.requires_python or None,
            "size": self.size,
            "upload-time": self.uploaded,
            "yanked": False,
            "core-metadata": metadata,
        }

    def to_html(self, project: str) -> str:
        """Its link on a page of `project`."""
        told = f' data-requires-python="{escape(self.requires_python)}"' if self.requires_python else ""
        if self.metadata:
            # The second is what pip 22.3 to 23.2 looks for. PEP 714.
            told += "".join(
                f' data-{name}="sha256={self.metadata}"' for name in ("core-metadata", "dist-info-metadata")
            )
        return f'<a href="{_url(project, self.filename)}#sha256={self.sha256}"{told}>{escape(self.filename)}</a><br>\n'


def project_html(project: str, files: Iterable[StaticFile]) -> bytes:
    """The page of one project."""
    links = "".join(file.to_html(project) for file in files)
    return _PAGE.format(title=f"Links for {project}", body=f"<h1>Links for {project}</h1>\n{links}").encode()


def project_json(project: str, files: Collection[StaticFile]) -> bytes:
    """The page of one project, which `parse_files` reads."""
    versions = {_version(file.filename) for file in files}
    value = {
        "meta": _META,
        "name": project,
        "versions": [str(version) for version in sorted(versions)],
        "files": [file.to_json(project) for file in files],
    }
    return _json(value)


def root_html(projects: Iterable[str]) -> bytes:
    """The page of all projects."""
    links = "".join(f'<a href="{name}/">{name}</a><br>\n' for name in projects)
    return _PAGE.format(title="Simple index", body=links).encode()


def root_json(projects: Iterable[str]) -> bytes:
    """The page of all projects."""
    return _json({"meta": _META, "projects": [{"name": name} for name in projects]})


def parse_files(data: bytes) -> dict[str, StaticFile]:
    """The files by name of a page that `project_json` wrote. Raise `BadPage` for another."""
    return _files_of(_own_json(data))


def require_own(data: bytes, content: str) -> None:
    """Raise `BadPage` unless `data`, `HTML` or `JSON` by its `content`, was written here."""
    if content == JSON:
        value = _own_json(data)
        if "projects" not in value:
            _files_of(value)
    elif _MARK.encode() not in data[: len(_PAGE)]:
        raise BadPage("is no page that kfp-release has written")


def _own_json(data: bytes) -> Mapping[str, Any]:
    try:
        value = read_json(data, most=MAX_PAGE)
    except ReleaseError as error:
        raise BadPage(str(error.args[0])) from error
    meta = value.get("meta") if isinstance(value, dict) else None
    if not isinstance(meta, dict) or meta.get("_generator") != _GENERATOR:
        raise BadPage("is no page that kfp-release has written")
    found: Mapping[str, Any] = value
    return found


def _files_of(page: Mapping[str, Any]) -> dict[str, StaticFile]:
    files = page.get("files")
    if not isinstance(files, list):
        raise BadPage("lists no files")
    return {file.filename: file for file in map(StaticFile.parse, files)}


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1) + "\n").encode()


def _url(project: str, filename: str) -> str:
    # With + as %2B: S3 takes the plain one for a space.
    return f"../../{PACKAGES}/{project}/{quote(filename, safe='')}"


def _version(filename: str) -> Any:
    return (ArchiveName.of_wheel if filename.endswith(".whl") else ArchiveName.of_sdist)(filename).version
