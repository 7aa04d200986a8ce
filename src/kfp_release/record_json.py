"""The JSON of pins.json and release.json: read part by part, each what it should be, and written in one form."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from kfp_release.errors import ReleaseError
from kfp_release.json_text import BadJson, read_json
from kfp_release.project_name import BadProjectName, parse_project_name

SCHEMA = 1

_LAST_SECOND = 253_402_300_799
"""Of the year 9999, in seconds since 1970: no later time can be written down."""
_REMEDY = "write it anew with kfp-release build"
_MOST = 4 * 1024 * 1024
"""Bytes of a record."""
_TOO_MANY = 1 << 63
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class BadRecord(ReleaseError):
    """A pins.json or release.json that this version of the tool cannot read."""


def file_name_of(value: Any) -> str:
    """A file's name without a folder, so that it cannot lead out of one."""
    text = text_of(value)
    is_drive = text[1:2] == ":"
    if not text.isprintable() or is_drive or "/" in text or "\\" in text or text in {"", ".", ".."}:
        raise BadRecord(f"{text[:120]!r} is not a file's name")
    return text


def text_of(value: Any) -> str:
    """A text that UTF-8 can hold."""
    if not isinstance(value, str):
        raise BadRecord(f"{str(value)[:120]} is not a text")
    if _SURROGATE.search(value):
        raise BadRecord(f"{value[:120]!a} is not a text that UTF-8 can hold")
    return value


def project_of(value: Any) -> str:
    """The name of a project, which becomes part of a URL."""
    try:
        return parse_project_name(text_of(value))
    except BadProjectName as error:
        raise BadRecord(str(error.args[0])) from error


def seconds_of(value: Any) -> int:
    """A time, in whole seconds since 1970."""
    seconds = count_of(value)
    if seconds > _LAST_SECOND:
        raise BadRecord(f"{str(seconds)[:40]} is not a time in seconds since 1970")
    return seconds


def count_of(value: Any) -> int:
    """A whole number from 0 on, of 63 bits at most."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < _TOO_MANY:
        raise BadRecord(f"{str(value)[:120]} is not a whole number from 0 on")
    return value


def list_of(value: Any) -> list[Any]:
    """A list."""
    if not isinstance(value, list):
        raise BadRecord(f"{str(value)[:120]} is not a list")
    return value


def texts_of(value: Any) -> dict[str, str]:
    """Texts by name."""
    if not isinstance(value, dict):
        raise BadRecord(f"{str(value)[:120]} are not texts by name")
    return {text_of(name): text_of(text) for name, text in value.items()}


def malformed(what: str, error: Exception) -> BadRecord:
    """The error of a record whose parts are missing, or are not what they should be."""
    match error:
        case KeyError():
            seen = f"it has no {error.args[0]!r}"
        case ReleaseError():
            seen = str(error.args[0])
        case _:
            seen = f"a part has another type than it should have ({error})"
    return BadRecord(f"{what} is malformed: {seen[:300]}", remedy=_REMEDY)


def load(data: bytes, what: str) -> dict[str, Any]:
    """The object that `data` is, if this tool knows its schema. `what` is the file's name."""
    try:
        value = read_json(data, most=_MOST)
    except BadJson as error:
        raise BadRecord(f"{what} {error.args[0]}", remedy=_REMEDY) from error
    if not isinstance(value, dict):
        raise BadRecord(f"{what} is not a JSON object", remedy=_REMEDY)
    if value.get("schema") != SCHEMA:
        raise BadRecord(
            f"{what} has schema {str(value.get('schema'))[:40]}, and this kfp-release reads {SCHEMA}",
            remedy="use the kfp-release that wrote it, or a newer one",
        )
    return value


def dump(value: Mapping[str, Any]) -> bytes:
    """Indented JSON with a line end."""
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
