"""A project's page on the index: the files that it lists. Sources: PEP 503, PEP 592, PEP 691.

pypi_simple reads it, whose parsers go through some texts again and again. So they are given no more of a page than its
links: found in one pass, whole, and neither too many nor too long.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from typing import TYPE_CHECKING, Any

from kfp_release.digest import BadDigest, Digest
from kfp_release.errors import ReleaseError
from kfp_release.json_text import BadJson, read_json
from kfp_release.terminal_text import one_line
from kfp_release.url import shown_url

if TYPE_CHECKING:
    from pypi_simple import DistributionPackage

ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html, text/html;q=0.01"
"""The header that asks for a page: JSON before HTML. PEP 691."""
MAX_PAGE = 16 * 1024 * 1024
"""Bytes."""
MAX_FILE = 256 * 1024 * 1024
"""Bytes of a file that it lists. A longer one is none of ours."""
_MAX_FILES = 20_000
_CHARSETS = {"utf-8", "ascii", "iso8859-1", "cp1252"}
_ATTRIBUTES = r"""(?:[^<>"']++|"[^"]*"|'[^']*')*+"""
_PART = re.compile(rf"<(?:base|meta)\s{_ATTRIBUTES}>|<a\s{_ATTRIBUTES}>[^<]*</a\s*>", re.IGNORECASE)
"""What a page says of its files. Nothing in it is tried in two ways, and ``<`` outside of quotes ends an attempt."""
_FORM = re.compile(r"<form[\s>]", re.IGNORECASE)
_LONGEST_PART = 4000
_LONGEST, _MAX_DASHES = 255, 30
"""Of a file's name."""

# What pypi_simple and its parsers raise for pages that are damaged, or none.
_UNREADABLE = (
    BadJson,
    AssertionError,
    AttributeError,
    LookupError,
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
    size: int | None = None
    """In bytes; None where the index does not tell. PEP 700."""

    def require_bytes(self, data: bytes) -> None:
        """Raise `ReleaseError` where `data` are other bytes than the index tells of."""
        seen = Digest.of(data).hex
        if self.sha256 is not None and self.sha256 != seen:
            raise ReleaseError(
                f"{self.filename} from the index has sha256 {seen}, its page says {self.sha256}",
                remedy="try again; if it stays so, the file or the page was changed on the index",
            )


def parse_page(project: str, data: bytes, *, content_type: str, url: str) -> dict[str, IndexFile]:
    """The files by name that the page `data` of `project` lists; `url` is where it came from.

    Raise `ReleaseError` for what is no such page.
    """
    kind, charset = _kind(content_type)
    try:
        packages = _packages(project, data, kind, charset, url)
    except _UNREADABLE as error:
        raise ReleaseError(
            f"the page of {project} at {shown_url(url)} cannot be read: {one_line(str(error), 200)}",
            remedy="is the index's URL right, and that of a simple API (PEP 503, PEP 691)?",
        ) from error
    if packages is None:
        raise ReleaseError(
            f"{shown_url(url)} is {one_line(kind, 80)!r}, not a page of a simple API (PEP 503, PEP 691)",
            remedy="is the index's URL right? That of a simple API often ends in /simple/",
        )
    files = (
        IndexFile(item.filename, item.url, _sha256(item.filename, item.digests), item.is_yanked, _size(item.size))
        for item in packages
    )
    return {file.filename: file for file in files}


def _packages(project: str, data: bytes, kind: str, charset: str | None, url: str) -> list[DistributionPackage] | None:
    """None for another kind of page."""
    from kfp_release import simple_api  # noqa: PLC0415 - a fifth of a second, while builds of a release go on

    if kind == "application/vnd.pypi.simple.v1+json":
        page = read_json(data, most=MAX_PAGE)
        files = [file for file in page["files"] if _is_file_name(file["filename"])]
        _require_few(files)
        return simple_api.packages_of_json({**page, "files": files}, url)
    if kind in {"application/vnd.pypi.simple.v1+html", "text/html"}:
        text = _shown(_text(data, charset))
        links = [link for link in simple_api.links_of_html(_links(text), url) if _is_file_name(link.text)]
        packages = [simple_api.package_of_link(link, project) for link in links]
        if not any(package.package_type for package in packages):
            _require_no_form(text, url)
        return packages
    return None


def _require_no_form(text: str, url: str) -> None:
    """What a proxy puts before an index, to log in, has links of no file: it would be a project without any.

    Pages of indexes can have forms too, beside their files: devpi's have a button that reads a mirror anew.
    """
    if _FORM.search(text):
        raise ReleaseError(
            f"{shown_url(url)} is a page with a form, for a log-in perhaps, and not one of a simple API (PEP 503)",
            remedy="is the URL right, and no proxy between that wants a log-in?",
        )


def _text(data: bytes, charset: str | None) -> str:
    codec = codecs.lookup(charset or "utf-8").name if (charset or "").isprintable() else ""
    if codec not in _CHARSETS:
        raise ValueError(f"its charset is {charset!r:.80}")
    return data.decode(codec, errors="replace")


def _shown(text: str) -> str:
    """A page without its comments."""
    first, *rest = text.split("<!--")
    return "".join([first, *(part.partition("-->")[2] for part in rest)])


def _links(text: str) -> str:
    """The links of a page, and what it says of them all."""
    parts = [part for part in _PART.findall(text) if len(part) <= _LONGEST_PART]
    _require_few(parts)
    return "\n".join(parts)


def _require_few(parts: Sequence[Any]) -> None:
    if len(parts) > _MAX_FILES:
        raise ValueError(f"it lists {len(parts):,} files, and {_MAX_FILES:,} are the most")


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


def _size(told: int | None) -> int | None:
    return told if told is not None and 0 <= told <= MAX_FILE else None


def _is_file_name(value: Any) -> bool:
    # The name comes from outside and becomes a path where the file is written.
    return (
        isinstance(value, str)
        and value.isprintable()
        and value not in {"", ".", ".."}
        and not any(letter in value for letter in "/\\")
        and len(value) <= _LONGEST
        and value.count("-") <= _MAX_DASHES
    )
