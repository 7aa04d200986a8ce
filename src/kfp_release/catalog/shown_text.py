"""Text from outside as a page shows it: nothing in it that cannot be seen, turns a line around, or is no text."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # controls, but for tabs and line ends
    "\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff"  # of direction and of width
    "\ud800-\udfff\U000e0000-\U000e007f]"  # halves of a pair, which no file can hold, and tags
)
_UNITS = (("GB", 10**9), ("MB", 10**6), ("kB", 10**3))
_DIGEST = re.compile(r"(sha256:[0-9a-f]{12})[0-9a-f]{52}")


def visible(value: Any) -> Any:
    """What a template writes for `value`: texts without what is not seen; markup, made here, as it is."""
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", value) if type(value) is str else value


def amount(size: int) -> str:
    """Bytes for people: ``61.2 MB``."""
    for unit, factor in _UNITS:
        if size >= factor:
            return f"{size / factor:.1f} {unit}" if size < 100 * factor else f"{size / factor:,.0f} {unit}"
    return f"{size} B"


def day(seconds: int) -> str:
    """The day in UTC, ``2026-11-30``; empty for 0, and for what is no time."""
    moment = moment_of(seconds)
    return f"{moment:%Y-%m-%d}" if moment else ""


def moment_of(seconds: int) -> datetime | None:
    """That time in UTC; None for 0, and for what is no time."""
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds else None
    except (OverflowError, ValueError, OSError):
        return None


def counted(number: int, noun: str, plural: str = "") -> str:
    """``1 change``, ``2 changes``."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def clipped(text: str, most: int) -> str:
    """`text`, or that many letters of it and an ellipsis."""
    return text if len(text) <= most else f"{text[:most]}…"


def shortened(text: str) -> str:
    """`text` with the first twelve digits of each digest in it."""
    return _DIGEST.sub(r"\1…", text)


def web_url(url: str) -> str:
    """`url` if a browser may be led there: http and https alone; else empty."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in {"http", "https"} and parts.netloc and url.isprintable() else ""


def source_url(source: str, kind: str, commit: str, path: str = "") -> str:
    """The page of a commit (`kind` ``commit``), or of a file in it (``blob``), as GitHub and GitLab call them.

    Empty where the source is no web page, or the commit is not known.
    """
    base = web_url(source).rstrip("/").removesuffix(".git")
    if not base or not re.fullmatch(r"[0-9a-f]{40,64}", commit) or ".." in path.split("/"):
        return ""
    return "/".join([base, kind, commit, *([quote(visible(path).lstrip("/"))] if path else [])])
