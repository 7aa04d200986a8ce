"""The fault matrix: every call that publishing makes, each fault that it can meet there, once or each time."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from chaos.matrix.aws_faults import (
    AWS,
    LISTS,
    MANIFEST_ANSWERED_WRONG,
    MANIFEST_STORED_WRONG,
    PART_STORED_WRONG,
    TOKEN_EXPIRED,
    forgotten,
    kept_wrong,
)
from chaos.matrix.exchange import Call
from chaos.matrix.kind import Kind
from chaos.matrix.network_faults import NETWORK, OUTAGES
from chaos.matrix.store_faults import (
    ANSWERED_WRONG,
    FILE_STORED_WRONG,
    FORBIDDEN,
    LISTED_WRONG,
    LOGIN_EXPIRED,
    NOT_THERE,
    STORED_WRONG,
    SWALLOWED,
    UNLISTED,
)

When = Literal["first", "last", "every", "from the middle on"]
Part = Literal["ecr", "registry", "index"]
_TURNS: tuple[When, ...] = ("first", "every", "last")


@dataclass(frozen=True, slots=True)
class Where:
    """One kind of call that a release makes of one part."""

    part: Part
    call: str
    meant: Callable[[Call], bool]
    kinds: tuple[Kind, ...]

    @property
    def name(self) -> str:
        """The part and the call."""
        return f"{self.part} {self.call}"


@dataclass(frozen=True, slots=True)
class Cell:
    """One fault at one call: the first such call of a run, the last, each of them, or the second half of them."""

    where: Where
    kind: Kind
    when: When

    @property
    def name(self) -> str:
        """Of no other cell."""
        return f"{self.where.name}: {self.kind.name} ({self.when})"


def calls(*, forget: Callable[[], None], spoil: Callable[[str], None]) -> tuple[Where, ...]:
    """Every call that publishing makes, with the faults that it can meet.

    `forget` has ECR lose its uploads, `spoil` has the registry keep other bytes of a digest.
    """
    lost = forgotten(forget)
    return (
        _aws("DescribeRepositories", *LISTS),
        _aws("DescribeImages", *LISTS),
        _aws("BatchGetImage", *LISTS, MANIFEST_ANSWERED_WRONG),
        _aws("BatchCheckLayerAvailability", *LISTS),
        _aws("InitiateLayerUpload"),
        _aws("UploadLayerPart", lost, PART_STORED_WRONG),
        _aws("CompleteLayerUpload", lost, kept_wrong(spoil)),
        _aws("PutImage", MANIFEST_STORED_WRONG),
        _aws("GetDownloadUrlForLayer"),
        _http("ecr", "GET of a blob", "GET", "/layers/", *NETWORK, NOT_THERE, FORBIDDEN, ANSWERED_WRONG),
        _without(_registry("HEAD of a blob", "HEAD", _BLOB, NOT_THERE), "answer cut short", "answer cut off"),
        _registry("GET of a blob", "GET", _BLOB, NOT_THERE, ANSWERED_WRONG),
        _without(_registry("POST of an upload", "POST", _UPLOAD), "answer cut short"),
        _without(_registry("PATCH of an upload", "PATCH", _UPLOAD, STORED_WRONG), "answer cut short"),
        _without(_registry("PUT of an upload", "PUT", _UPLOAD), "answer cut short"),
        _without(_registry("PUT of a manifest", "PUT", _MANIFEST, STORED_WRONG), "answer cut short"),
        _registry("GET of a manifest", "GET", _MANIFEST, NOT_THERE, ANSWERED_WRONG),
        _http("index", "page", "GET", "/simple/", *NETWORK, LOGIN_EXPIRED, NOT_THERE, UNLISTED, LISTED_WRONG),
        _without(
            _http("index", "upload", "POST", "/", *NETWORK, LOGIN_EXPIRED, FORBIDDEN, SWALLOWED, FILE_STORED_WRONG),
            "answer cut short",
        ),
        _http("index", "file", "GET", "/packages/", *NETWORK, LOGIN_EXPIRED, NOT_THERE, ANSWERED_WRONG),
        _aws("ListImageReferrers", *LISTS),
    )


def cells(*, forget: Callable[[], None], spoil: Callable[[str], None]) -> list[Cell]:
    """Each fault at each call: by turns at the first such call, at the last one, or at every one.

    A kind of fault has its turns at other calls in another order. And what lasts from the middle of a run on, for all
    calls to one part.
    """
    found = [
        Cell(where, kind, _TURNS[(number + turn) % len(_TURNS)])
        for number, where in enumerate(calls(forget=forget, spoil=spoil))
        for turn, kind in enumerate(where.kinds)
    ]
    return found + [Cell(where, kind, "from the middle on") for where in ANY_CALL for kind in where.kinds]


def names(*, short: bool, chance: Random) -> list[str]:
    """The names of all cells; or, for the `short` matrix, of one for each kind of fault, by `chance`."""
    everything = cells(forget=lambda: None, spoil=lambda _: None)
    if not short:
        return [cell.name for cell in everything]
    by_kind: dict[str, list[str]] = {}
    for cell in everything:
        if _SHORT.get(cell.kind.name, cell.where.name) == cell.where.name:
            by_kind.setdefault(cell.kind.name, []).append(cell.name)
    return [chance.choice(of_kind) for of_kind in by_kind.values()]


def _aws(name: str, *more: Kind) -> Where:
    return Where("ecr", name, lambda call: call.target == name, (*NETWORK, *AWS, *more))


def _registry(name: str, method: str, path: str, *more: Kind) -> Where:
    return _http("registry", name, method, path, *_OF_REGISTRY, LOGIN_EXPIRED, *more)


def _without(where: Where, *names: str) -> Where:
    """It without the kinds of fault of these names: its answers have no body that could lack something."""
    return replace(where, kinds=tuple(kind for kind in where.kinds if kind.name not in names))


def _http(part: Part, name: str, method: str, path: str, *kinds: Kind) -> Where:
    pattern = re.compile(path)
    return Where(part, name, lambda call: call.method == method and bool(pattern.match(call.path)), kinds)


_BLOB, _UPLOAD, _MANIFEST = "/v2/.*/blobs/sha256:", "/v2/.*/blobs/uploads/", "/v2/.*/manifests/"
_OF_REGISTRY = tuple(kind for kind in NETWORK if kind.name not in {"429", "empty answer", "reset before it arrived"})
"""Those that the stand-in for ECR, which asks it, does not turn into the same answer."""
_SHORT = {
    "reset after it arrived": "ecr UploadLayerPart",
    "part stored wrong": "ecr UploadLayerPart",
    "answered wrong": "index file",
    "file stored wrong": "index upload",
    "listed with another sha256": "index page",
}
"""The call at which the short matrix has a kind of fault that is asked for there: elsewhere it is another thing."""
ANY_CALL = (
    Where("ecr", "any call", lambda _: True, (*OUTAGES, TOKEN_EXPIRED)),
    Where("registry", "any call", lambda _: True, OUTAGES),
    Where("index", "any call", lambda _: True, (*OUTAGES, LOGIN_EXPIRED)),
)
