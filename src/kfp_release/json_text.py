"""JSON from outside: bounded in its length and depth, so that what is read can also be compared, shown and written."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from kfp_release.errors import ReleaseError

MAX_DEPTH = 64
"""Levels of lists and objects. No manifest, config, record or plan has ten."""


class BadJson(ReleaseError):
    """Bytes that are no JSON, or more of it than anything here has. The message goes on from the name of what it is."""


def read_json(data: bytes, *, most: int) -> Any:
    """The value that `data` is. Raise `BadJson` unless it is JSON in UTF-8 (RFC 8259) of `most` bytes and 64 levels."""
    if len(data) > most:
        raise BadJson(f"has {len(data):,} bytes, and {most:,} are the most")
    try:
        text = data.decode()
        value = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise BadJson(f"is not JSON: {str(error)[:120]}") from error
    _require_shallow(value)
    # Half of a surrogate pair can be written as an escape alone: UTF-8 has none.
    if "\\ud" in text.lower():
        _require_encodable(value)
    return value


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is no number that can be held")
    return number


def _require_shallow(value: Any) -> None:
    level = [value] if isinstance(value, (dict, list)) else []
    depth = 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise BadJson(f"nests more than {MAX_DEPTH} levels deep")
        parts = [item.values() if isinstance(item, dict) else item for item in level]
        level = [item for part in parts for item in part if isinstance(item, (dict, list))]


def _require_encodable(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        seen = error.object[max(0, error.start - 40) : error.end]
        raise BadJson(f"has a text that UTF-8 cannot hold: {seen!a}") from error
