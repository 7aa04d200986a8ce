"""The name of a project on an index, which its distributions have too. Source: PyPA, names and normalization."""

from __future__ import annotations

from packaging.utils import InvalidName, canonicalize_name

from kfp_release.errors import ReleaseError

_LONGEST = 200
"""Letters. It becomes part of file names, which have 255 at most."""


class BadProjectName(ReleaseError):
    """A text that no project can be called."""


def parse_project_name(text: str) -> str:
    """`text`, if a project can be called so. Raise `BadProjectName`: a path, say, is none."""
    try:
        canonicalize_name(text, validate=True)
    except InvalidName as error:
        raise BadProjectName(
            f"{text[:120]!r} is not the name of a distribution", remedy="letters, digits, - _ ."
        ) from error
    if len(text) > _LONGEST:
        raise BadProjectName(f"{text[:40]}… is {len(text)} letters long", remedy=f"take {_LONGEST} at most")
    return text
