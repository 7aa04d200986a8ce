"""The name of a git commit."""

from __future__ import annotations

import re

from kfp_release.errors import ReleaseError

_HEX = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?", re.ASCII)
"""SHA-1, or SHA-256. gitrepository-layout(5), extensions.objectFormat."""


class BadCommit(ReleaseError):
    """A text that should have been the name of a commit is none."""


def is_commit(text: str) -> bool:
    """Whether `text` names a commit in full, in hex."""
    return _HEX.fullmatch(text) is not None


def parse_commit(text: str) -> str:
    """`text`, if it names a commit in full, in hex. Raise `BadCommit`: a branch, say, is none."""
    if not is_commit(text):
        raise BadCommit(f"{text[:80]!r} is not a commit in hex", remedy="git rev-parse names it in full")
    return text
