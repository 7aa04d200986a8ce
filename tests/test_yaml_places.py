"""Texts of YAML that know their places: what kfp reads, and a change that changes nothing else."""

from __future__ import annotations

import pytest
import yaml

from kfp_release.package_files._operators.yaml_places import MOST_BYTES, BadYaml, YamlPlaces

TEXT = """\
# ä comment\r
a: &x [one, "two", 'three']
b:
  one: |
    one
  c: {d: *x}
---
- one
"""
FORMS = [
    *("image: old", "image: 'old' # old", 'image: "old"', "image: &a old", "image: !!str old", "{image: old, b: old}"),
    *("image: |-\n  old\nb: 1", "image: >-\n  old", "\ufeffimage: old\r\n", "# 🚀 ä\nimage: old", "? image\n: old"),
]


def test_it_is_read_as_yaml_reads_it() -> None:
    places = YamlPlaces.parse(TEXT.encode())
    assert places.documents == list(yaml.safe_load_all(TEXT))
    assert places.with_texts([]) == TEXT


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("new", ["new", "[::1]:5000/a:1"])
def test_one_text_changes_and_nothing_else(form: str, new: str) -> None:
    places = YamlPlaces.parse(form.encode())
    written = places.with_texts([(places.documents[0]["image"], new)])
    assert yaml.safe_load(written) == {**yaml.safe_load(form), "image": new}
    begin, _, end = written.partition(new)
    assert form.startswith(begin.removesuffix("'"))
    assert form.endswith(end.removeprefix("'"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('image: "o\\x6cd"', "writes an image with escapes or over several lines"),
        ('image: "ol\\\n  d"', "writes an image with escapes or over several lines"),
        ("image: &old old", "writes an image with escapes or over several lines"),
        ("image: &a old\nb: *a", "repeats an image by an alias"),
        ("more: &a {image: old}\nb: *a\nimage: old", None),
        ("image: old\nimages: &a [x]\nb: *a", None),
    ],
)
def test_what_cannot_be_changed_alone_is_refused(text: str, message: str | None) -> None:
    places = YamlPlaces.parse(text.encode())
    change = [(places.documents[0]["image"], "new")]
    if message is None:
        assert yaml.safe_load(places.with_texts(change)) == {**yaml.safe_load(text), "image": "new"}
    else:
        with pytest.raises(BadYaml, match=message):
            places.with_texts(change)


BOMB = "a: &a [x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdef", "bcdefg", strict=True)
)


def test_aliases_of_aliases_take_no_time() -> None:
    assert len(YamlPlaces.parse(BOMB.encode()).repeated) == 54


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a: \xff", "is not UTF-8: byte 0xff"),
        (b"a: [", "is not YAML"),
        (b"a: 1\na: 2", "has the key 'a' twice"),
        (b"a: {<<: {b: 1}}", "has a merge key <<"),
        (b"? [a]\n: b", "has a key that is no text"),
        (b"a: !!python/name:os.system x", "has the tag 'tag:yaml.org,2002:python/name:os.system'"),
        (b"a: *b", "is not YAML: found undefined alias|has an alias \\*b of nothing before it"),
        (b"a: &a [*a]", "has an alias \\*a of nothing before it"),
        (b"a: &a x\nb: [" + b"*a, " * 1001 + b"]", "has more than 1,000 aliases"),
        (b"[" * 200, "nests more than 100 levels deep"),
        (b"- " * 200, "nests more than 100 levels deep"),
        (b"a: " + b"x" * MOST_BYTES, "has more than 8,388,608 bytes"),
        (b"- a\n" * 500_001, "has more than 500,000 values"),
    ],
)
def test_what_is_not_read_says_why(data: bytes, message: str) -> None:
    with pytest.raises(BadYaml, match=message):
        YamlPlaces.parse(data)
