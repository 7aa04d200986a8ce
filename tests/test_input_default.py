from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from kfp_release.input_default import fits


@pytest.mark.parametrize(
    ("type_", "default"),
    [
        ("Float", None),
        ("Float", "0.1"),
        ("Double", 1),
        ("Integer", " 1_0 "),
        ("Integer", 1.5),
        ("Boolean", "OFF"),
        ("Bool", 5),
        ("String", 5),
        ("Text", float("nan")),
        ("List", "no JSON"),
        ("Dict", "null"),
        ("JsonArray", '[{"a": true}]'),
        ("Dataset", 5),
        ("Float", dt.date(2026, 1, 1)),
        ("List", "[" * 100 + "]" * 100),
    ],
)
def test_what_kfp_can_hand_on_fits(type_: str, default: Any) -> None:
    assert fits(type_, default)


@pytest.mark.parametrize(
    ("type_", "default"),
    [
        ("Float", "a lot"),
        ("Float", ""),
        ("Double", float("inf")),
        ("Float", 10**400),
        ("Int", "1.5"),
        ("Integer", 10**400),
        ("Boolean", "maybe"),
        ("Boolean", 1.0),
        ("Bool", 1 << 63),
        ("List", "[NaN]"),
        ("JsonObject", '{"a": [null]}'),
        ("List", "[" * 101 + "]" * 101),
        ("List", "[" * 900 + "]" * 900),
        ("List", "[" * 100_000),
        ("List[str]", float("nan")),
        ("typing.Integer", "1"),
        ("typing.String", 1),
    ],
)
def test_what_it_cannot_does_not(type_: str, default: Any) -> None:
    assert not fits(type_, default)
