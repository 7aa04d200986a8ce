from __future__ import annotations

import datetime as dt

import pytest
import yaml

from kfp_release.yaml_nodes import UNLOADABLE, Items, Scalar, Table
from kfp_release.yaml_text import YamlText

TEXT = """\
plain: [a, 5, 1.5, yes, 1:30, 0x1F, 0o7, 1e5, ~, null, 2026-01-01, .inf]
quoted: ['5', "5", 'null', '']
tagged: [!!str 5, !!str ]
blocks:
- |
  5
- >-
  5
5: a
"5.0": b
"""


def read(text: str) -> Table:
    (document,) = YamlText.parse("a.yaml", text.encode()).documents
    assert isinstance(document, Table)
    return document


def values(key: str) -> list[object]:
    node = read(TEXT).get(key)
    assert isinstance(node, Items)
    return [item.value for item in node.nodes if isinstance(item, Scalar)]


def test_values_are_what_the_loader_of_kfp_makes_of_them() -> None:
    expected = yaml.safe_load(TEXT)
    for key in ("plain", "quoted", "tagged", "blocks"):
        assert values(key) == expected[key]
    assert values("plain")[-2:] == [dt.date(2026, 1, 1), float("inf")]
    assert values("tagged") == ["5", ""]


def test_keys_know_what_they_are_and_where_they_stand() -> None:
    keys = read(TEXT).keys
    assert [(key.value, key.line) for key in keys.values()][-2:] == [(5, 9), ("5.0", 10)]


@pytest.mark.parametrize(
    ("text", "is_null", "is_text"),
    [
        ("a: ", True, False),
        ("a: ~", True, False),
        ("a: ''", False, True),
        ("a: 'null'", False, True),
        ("a: !!str null", False, True),
        ("a: null x", False, True),
        ("a: 5", False, False),
        ("a: 2026-13-41", False, False),
        ("a: =", False, False),
    ],
)
def test_null_and_texts_are_told_from_each_other(text: str, *, is_null: bool, is_text: bool) -> None:
    node = read(text).get("a")
    assert isinstance(node, Scalar)
    assert (node.is_null, node.is_text) == (is_null, is_text)


@pytest.mark.parametrize("value", ["2026-13-41", "=", "9" * 5000, "1" + ":00" * 200 + ".5", "1" + ":1" * 500_000])
def test_what_cannot_be_loaded_raises_and_at_once(value: str) -> None:
    node = read(f"a: {value}").get("a")
    assert isinstance(node, Scalar)
    with pytest.raises(UNLOADABLE):
        _ = node.value
