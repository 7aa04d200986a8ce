"""A section of a CHANGELOG as HTML: Markdown without HTML, images, and links that lead anywhere but to the web."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from markupsafe import Markup

from kfp_release.catalog.shown_text import source_url, visible, web_url

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_MOST = 60_000
"""Bytes of HTML of one section, and letters of Markdown that are looked at."""


def changelog_html(text: str, *, source: str, commit: str) -> tuple[Markup, int]:
    """The HTML of a section below a second heading, and how many lines of it are left out, for it is too long.

    What links to a file of the repository leads to it at `commit`.
    """
    lines = visible(text).strip("\n").split("\n")
    kept = lines
    while kept:
        begin = "\n".join(kept)
        html = _html(begin, source, commit) if len(begin) <= _MOST else ""
        if html and len(html.encode()) <= _MOST:
            # Everything in it is written by markdown-it with HTML off, which escapes what is text.
            return Markup(html), len(lines) - len(kept)  # noqa: S704
        kept = kept[: len(kept) // 2]
    return Markup(), len(lines) if text.strip() else 0


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # noqa: PLC0415 - not for --help

    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")


def _html(text: str, source: str, commit: str) -> str:
    parser = _parser()
    tokens = parser.parse(text)
    _level(tokens)
    for token in tokens:
        _lead(token.children or [], source, commit)
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


def _lead(tokens: Sequence[Token], source: str, commit: str) -> None:
    """Links to where they may lead; the others are text."""
    last = "span"
    for token in tokens:
        if token.type == "link_open":
            url = _target(str(token.attrs.get("href", "")), source, commit)
            token.attrs = {"href": url, "rel": "noopener noreferrer"} if url else {}
            token.tag = last = "a" if url else "span"
        elif token.type == "link_close":
            token.tag = last


def _target(href: str, source: str, commit: str) -> str:
    try:
        parts = urlsplit(href)
    except ValueError:
        return ""
    if parts.scheme or parts.netloc:
        return web_url(href)
    return source_url(source, "blob", commit, unquote(parts.path)) if parts.path else ""
