"""pins.json and release.json."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfp_release.digest import Digest
from kfp_release.errors import ReleaseError
from kfp_release.image_ref import ImageRef, Repository
from kfp_release.record import BadRecord, Distribution, PinnedComponent, PinnedImage, Pins, ReleaseRecord
from kfp_release.version import ReleaseVersion

REPOSITORY = Repository.parse("533211398604.dkr.ecr.eu-north-1.amazonaws.com/demo")
PIN = str(ImageRef(REPOSITORY, "1.2", Digest.of(b"image")))
HEX = Digest.of(b"file").hex
PINS = Pins(
    distribution="kubeflow-demo-components",
    version=ReleaseVersion.parse("1.2"),
    commit="c" * 40,
    images=(PinnedImage("demo", REPOSITORY, PIN, "f" * 32, "linux/amd64"),),
    components=(PinnedComponent("multiply_op", "multiply.yaml", (PIN, "other.example/x:1"), HEX),),
)
RECORD = ReleaseRecord(
    tag="v1.2",
    created=1_700_000_000,
    pins=PINS,
    distributions=(Distribution("kubeflow-demo-components", "kubeflow_demo_components-1.2.tar.gz", HEX, 12),),
    tools={"python": "3.11"},
)
NO_FILES = ("", ".", "..", "../a.whl", "a/b", "a\\b", "a\0b", "a\nb", "\x1b[31ma", "C:a", "\u202ea")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def places(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something stands in a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place, *(below for key, item in items for below in places(item, (*place, key)))]


def replaced(place: tuple[Any, ...], new: Any) -> bytes:
    """The record's JSON with something else at `place`."""
    value = json.loads(RECORD.to_json())
    if not place:
        return json.dumps(new).encode()
    inner = value
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = new
    return json.dumps(value).encode()


def test_records_read_as_they_are_written() -> None:
    assert Pins.parse(PINS.to_json()) == PINS
    assert ReleaseRecord.parse(RECORD.to_json()) == RECORD
    assert Pins.parse(RECORD.to_json()) == PINS


def test_a_record_is_text_with_a_line_end() -> None:
    assert RECORD.to_json().endswith(b"}\n")
    assert json.loads(RECORD.to_json())["images"]["demo"]["pin"] == PIN


def test_pins_are_exact_when_each_has_a_digest() -> None:
    tag_only = PinnedImage("demo", REPOSITORY, f"{REPOSITORY}:1.2", "", "linux/amd64")
    assert PINS.is_exact
    assert PINS.images[0].ref.digest == Digest.of(b"image")
    assert not Pins("d", PINS.version, "", (tag_only,), ()).is_exact
    with pytest.raises(ReleaseError, match="lacks a tag or a digest"):
        _ = tag_only.ref


@pytest.mark.parametrize(
    ("place", "new", "says"),
    [
        ((), [], "is not a JSON object"),
        (("schema",), 99, "has schema 99, and this kfp-release reads 1"),
        (("version",), "1.x", "is not a version"),
        (("commit",), "HEAD", "'HEAD' is not a commit in hex"),
        (("created",), float("inf"), "Infinity is no number of JSON"),
        (("created",), "12", "12 is not a whole number"),
        (("tag",), None, "None is not a text"),
        (("distribution",), "\ud800", "a text that UTF-8 cannot hold"),
        (("distribution",), "../other", "'../other' is not the name of a distribution"),
        (("tag",), "v1.3", "version '1.2' is not that of tag 'v1.3'"),
        (("tag",), "", "version '1.2' is not that of tag ''"),
        (("tag",), "../../x", "'../../x' is not a release tag"),
        (("images", "demo", "pin"), f"{REPOSITORY}", "has no image tag"),
        (("images", "demo", "pin"), f"{REPOSITORY}:1.2 x", "'1.2 x' is not an image tag"),
        (("images", "demo", "pin"), "ghcr.io/other:1.2", "another repository"),
        (("images", "demo", "pin"), f"{REPOSITORY}:1.2@sha256:1", "is not a digest"),
        (("images", "demo", "pin"), PIN.replace("/demo:", "/other:"), "another repository"),
        (("images",), [], "another type"),
        (("components", "multiply_op", "images"), "abc", "abc is not a list"),
        (("components", "multiply_op", "file"), "../x.yaml", "is not a file's name"),
        (("distributions", 0, "filename"), "/etc/passwd", "is not a file's name"),
        *((("distributions", 0, "filename"), name, "is not a file's name") for name in NO_FILES),
        (("distributions", 0, "project"), "../admin", "is not the name of a distribution"),
        (("distributions", 0, "project"), "a?b", "is not the name of a distribution"),
        (("distributions", 0, "size"), 1 << 63, "is not a whole number"),
        (("distributions", 0, "size"), -1, "-1 is not a whole number"),
        (("distributions", 0, "sha256"), "abc", "is not a sha256"),
        (("distributions", 0), {}, "it has no 'project'"),
    ],
)
def test_a_record_with_a_wrong_part_is_refused_by_its_name(place: tuple[Any, ...], new: Any, says: str) -> None:
    with pytest.raises(BadRecord) as caught:
        ReleaseRecord.parse(replaced(place, new))
    assert says in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[" * 100_000, b"null"])
def test_what_is_no_json_object_is_refused(data: bytes) -> None:
    with pytest.raises(BadRecord, match=r"release\.json is not"):
        ReleaseRecord.parse(data)


@given(st.sampled_from(places(json.loads(RECORD.to_json()))), JSON)
def test_whatever_stands_anywhere_it_is_a_record_or_a_release_error(place: tuple[Any, ...], new: Any) -> None:
    try:
        record = ReleaseRecord.parse(replaced(place, new))
    except ReleaseError:
        return
    assert ReleaseRecord.parse(record.to_json()) == record
