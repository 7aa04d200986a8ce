"""URLs that a person configures: encrypted or local, and never with a secret in them."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from kfp_release.errors import ReleaseError
from kfp_release.terminal_text import one_line

# urlsplit drops tabs and line ends silently, so they are refused before it sees them.
_PLAIN = re.compile(r"[!-~]{1,2000}", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|[0-9a-fA-F:]*:[0-9a-fA-F:.]*", re.ASCII)
_LONGEST = 200
"""Letters of a URL that are shown."""
_EXAMPLE = "write https://host/path"


class BadUrl(ReleaseError):
    """A text that should have been a URL is none, or is one that must not be used.

    The message never shows what may be a secret: user, password, query and fragment.
    """


def parse_url(text: str) -> str:
    """`text` itself, if it is https, or http on a loopback address, without credentials, query and fragment.

    Raise `BadUrl` for anything else.
    """
    if "@" in text:
        raise BadUrl(
            "the URL carries credentials (an @)",
            remedy="write it without, and put them into TWINE_USERNAME and TWINE_PASSWORD of the environment",
        )
    if "?" in text or "#" in text:
        raise BadUrl("the URL has a query or a fragment", remedy="write it without, up to the path")
    if not _PLAIN.fullmatch(text):
        raise BadUrl("the URL is empty, too long, or has characters no URL may have", remedy=_EXAMPLE)
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise BadUrl(f"{text[:120]!r} is not a URL: {error}", remedy=_EXAMPLE) from error
    if not _HOST.fullmatch(host):
        raise BadUrl(f"{text[:120]!r} names no host", remedy=_EXAMPLE)
    _refuse_plain(text, parts)
    return text


def shown_url(url: str) -> str:
    """What a message may show of a URL from outside: scheme, host, port and path; the rest may be a secret."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "a URL that is none"
    host = parts.netloc.rpartition("@")[2]
    return one_line(f"{parts.scheme}://{host}{parts.path}", _LONGEST)


def _refuse_plain(text: str, parts: SplitResult) -> None:
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or "")):
        return
    raise BadUrl(
        f"{text[:120]!r} is not https",
        remedy="use https; plain http is for this machine alone (localhost, 127.0.0.1)",
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
