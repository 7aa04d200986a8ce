from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from kfp_release.input_default import fits, fits_compiled
from kfp_release.yaml_nodes import Node, written_out
from kfp_release.yaml_text import YamlText


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
        ("List", "{}"),
        ("JsonArray", '{"a": 1}'),
        ("Dict", "[]"),
        ("JsonObject", "[1]"),
        ("List", "3"),
        ("Dict", "true"),
        ("List", 3),
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


FITTING = {
    "STRING": ["''", "'1'", "x"],
    "NUMBER_INTEGER": ["3", "3.0", "-1"],
    "NUMBER_DOUBLE": ["3", "3.5", "1.0e-3"],
    "BOOLEAN": ["true", "off"],
    "LIST": ["[]", "[1, [a, {b: null}]]"],
    "STRUCT": ["{}", "{a: [1.5, true]}"],
}
UNFIT = {
    "STRING": ["1", "true", "2026-12-01", "[a]"],
    "NUMBER_INTEGER": ["3.5", "'3'", "true", ".inf", "{}"],
    "NUMBER_DOUBLE": ["'3'", ".nan", "x", "false"],
    "BOOLEAN": ["1", "'true'"],
    "LIST": ["'[]'", "{}", "[2026-12-01]", "[.nan]"],
    "STRUCT": ["[]", "'{}'", "{a: {b: .inf}}", "{1: a}"],
}


def node(default: str) -> Node:
    document = YamlText.parse("a.yaml", default.encode()).documents[0]
    return written_out(document)


@pytest.mark.parametrize(("type_", "default"), [(type_, each) for type_, all_ in FITTING.items() for each in all_])
def test_a_default_of_compiled_yaml_that_is_of_its_type_fits(type_: str, default: str) -> None:
    assert fits_compiled(type_, node(default))
    assert fits_compiled(type_, node("null"))


@pytest.mark.parametrize(("type_", "default"), [(type_, each) for type_, all_ in UNFIT.items() for each in all_])
def test_another_does_not(type_: str, default: str) -> None:
    assert not fits_compiled(type_, node(default))
