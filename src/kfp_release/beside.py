"""Looks at several things beside each other, and tells at once of all that refuse."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from kfp_release.errors import Problem, Problems, ReleaseError
from kfp_release.workers import in_parallel

T = TypeVar("T")

_AT_ONCE: Final = 8


def look_beside(looks: Mapping[str, Callable[[], T]]) -> dict[str, T]:
    """What all of `looks` give, which are done some at a time; each goes by the name of what it looks at.

    Raise the error of one of them, or of several that agree, as it is; else what `all_of` makes of all.
    """

    def look(name: str) -> T | ReleaseError:
        try:
            return looks[name]()
        except ReleaseError as error:
            return error

    ended = dict(zip(looks, in_parallel(look, list(looks), workers=_AT_ONCE), strict=True))
    errors = {name: end for name, end in ended.items() if isinstance(end, ReleaseError)}
    if errors:
        first, *others = errors.values()
        raise first if all(str(other) == str(first) for other in others) else all_of(errors)
    return {name: end for name, end in ended.items() if not isinstance(end, ReleaseError)}


def all_of(errors: Mapping[str, ReleaseError]) -> Problems:
    """One error that tells of all of `errors`, each with the name that it goes by: of what refused."""
    return Problems(Problem(name, 0, str(error.args[0]), error.remedy) for name, error in errors.items())
