"""A project's page on the index: the files that it lists. Sources: PEP 503, PEP 592, PEP 691."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message

from bs4 import ParserRejectedMarkup
from pypi_simple import ProjectPage, UnsupportedRepoVersionError

from kfp_release.digest import BadDigest, Digest
from kfp_release.errors import ReleaseError
from kfp_release.terminal_text import one_line

# What pypi_simple and its parsers raise for pages that are damaged, or none.
_UNREADABLE = (
    UnsupportedRepoVersionError,
    ParserRejectedMarkup,
    AssertionError,
    AttributeError,
    KeyError,
    RecursionError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class IndexFile:
    """One file that the index lists."""

    filename: str
    url: str
    sha256: str | None
    """Hex; None where the index does not tell."""
    yanked: bool = False
    """PEP 592."""


def parse_page(project: str, data: bytes, *, content_type: str, url: str) -> dict[str, IndexFile]:
    """The files by name that the page `data` of `project` lists; `url` is where it came from.

    Raise `ReleaseError` for what is no such page.
    """
    kind, charset = _kind(content_type)
    try:
        page = _page(project, data, kind, charset, url)
    except _UNREADABLE as error:
        raise ReleaseError(
            f"the page of {project} at {url} cannot be read: {one_line(str(error), 200)}",
            remedy="is simple-url that of a simple API (PEP 503, PEP 691)?",
        ) from error
    if page is None:
        raise ReleaseError(
            f"{url} is {one_line(kind, 80)!r}, not a page of a simple API (PEP 503, PEP 691)",
            remedy="is simple-url right? It often ends in /simple/",
        )
    files = (
        IndexFile(item.filename, item.url, _sha256(item.filename, item.digests), item.is_yanked)
        for item in page.packages
        if _is_file_name(item.filename)
    )
    return {file.filename: file for file in files}


def _page(project: str, data: bytes, kind: str, charset: str | None, url: str) -> ProjectPage | None:
    """None for another kind of page."""
    if kind == "application/vnd.pypi.simple.v1+json":
        return ProjectPage.from_json_data(json.loads(data), url)
    if kind in {"application/vnd.pypi.simple.v1+html", "text/html"}:
        with warnings.catch_warnings(action="ignore"):  # of Beautiful Soup's, about pages that look like something else
            return ProjectPage.from_html(project, data, url, charset)
    return None


def _kind(content_type: str) -> tuple[str, str | None]:
    message = Message()
    message["Content-Type"] = content_type
    return message.get_content_type(), message.get_content_charset()


def _sha256(filename: str, digests: Mapping[str, str]) -> str | None:
    text = digests.get("sha256")
    try:
        return Digest(text.lower()).hex if text else None
    except BadDigest as error:
        raise ReleaseError(
            f"the index's page gives {one_line(filename, 160)} a sha256 that is none: {error}",
            remedy="the page is damaged, or not that of an index",
        ) from error


def _is_file_name(text: str) -> bool:
    # The name comes from outside and becomes a path where the file is written.
    return bool(text) and text not in {".", ".."} and not any(letter in text for letter in "/\\\0")
