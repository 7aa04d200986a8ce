"""The files of a catalog's pages: safe names, whatever a component or a version is called."""

from __future__ import annotations

import hashlib
import re

from kfp_release.version import ReleaseVersion

_SAFE = re.compile(r"[a-z0-9][a-z0-9_.]{0,99}", re.ASCII)
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.ASCII)
"""What no file of Windows may be called, whatever follows the dot."""


def component_page(operator: str) -> str:
    """``components/multiply_op.html``."""
    return f"components/{_name(operator)}.html"


def version_page(version: ReleaseVersion) -> str:
    """``versions/1.2.html``."""
    return f"versions/{_name(str(version))}.html"


def _name(text: str) -> str:
    """`text` itself if every file system and URL takes it, and tells it from all others; else what is left, and a hash.

    A hyphen is in no name that stands for itself, so the two kinds are never the same.
    """
    if _SAFE.fullmatch(text) and not _RESERVED.fullmatch(text):
        return text
    rest = re.sub(r"[^a-z0-9_]+", "_", text.lower()[:200]).strip("_")[:60] or "page"
    return f"{rest}-{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()[:12]}"
