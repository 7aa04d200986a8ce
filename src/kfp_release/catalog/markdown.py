"""A section of a CHANGELOG as HTML: Markdown without HTML, images, and links that lead anywhere but to the web."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from markupsafe import Markup

from kfp_release.catalog.shown_text import source_url, visible, web_url

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_IN_FRAGMENT = "-._~!$&'()*+,;=:@/?"
"""RFC 3986, 3.5, besides letters and digits."""
_MOST = 60_000
"""Bytes of HTML of one section, and letters of Markdown that are looked at."""


def changelog_html(text: str, *, source: str, commit: str, folder: str = "") -> tuple[Markup, int]:
    """The HTML of a section below a second heading, and how many lines of it are left out, for it is too long.

    What links to a file of the repository leads to it at `commit`; `folder` is where the CHANGELOG is in that.
    """
    target = partial(_target, source=source, commit=commit, folder=folder)
    lines = visible(text).strip("\n").split("\n")
    kept = lines
    while kept:
        begin = "\n".join(kept)
        html = _html(begin, target) if len(begin) <= _MOST else ""
        if html and len(html.encode()) <= _MOST:
            # Everything in it is written by markdown-it with HTML off, which escapes what is text.
            return Markup(html), len(lines) - len(kept)  # noqa: S704
        kept = kept[: len(kept) // 2]
    return Markup(), len(lines) if text.strip() else 0


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # noqa: PLC0415 - not for --help

    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")


def _html(text: str, target: Callable[[str], str]) -> str:
    parser = _parser()
    tokens = parser.parse(text)
    _level(tokens)
    for token in tokens:
        _lead(token.children or [], target)
        if token.attrs.pop("style", "") == "text-align:right":  # the page's policy allows no style of an element's own
            token.attrs["class"] = "number"
    rendered: str = parser.renderer.render(tokens, parser.options, {})
    return rendered.replace("<table>", '<div class="scroll" tabindex="0"><table>').replace("</table>", "</table></div>")


def _level(tokens: Sequence[Token]) -> None:
    """Headings from the third on, and none that skips one."""
    last = 2
    for token in tokens:
        if token.type == "heading_open":
            last = min(max(int(token.tag[1]), 3), last + 1, 6)
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{last}"


def _lead(tokens: Sequence[Token], target: Callable[[str], str]) -> None:
    """Links to where they may lead; the others are text."""
    last = "span"
    for token in tokens:
        if token.type == "link_open":
            url = target(str(token.attrs.get("href", "")))
            token.attrs = {"href": url, "rel": "noopener noreferrer"} if url else {}
            token.tag = last = "a" if url else "span"
        elif token.type == "link_close":
            token.tag = last


def _target(href: str, *, source: str, commit: str, folder: str) -> str:
    try:
        parts = urlsplit(href)
    except ValueError:
        return ""
    if parts.scheme or parts.netloc:
        return web_url(href)
    path = unquote(parts.path)
    if path and not path.startswith("/"):  # which begins at the repository's own folder, as on GitHub
        path = posixpath.normpath(folder + path)
    url = source_url(source, "blob", commit, path) if path else ""
    fragment = quote(unquote(parts.fragment), safe=_IN_FRAGMENT)
    return f"{url}#{fragment}" if url and fragment else url
