"""Whatever comes from an index, damaged or made to do harm: it is read, or refused with one error."""

from __future__ import annotations

import contextlib
import gzip
import json
from collections.abc import Callable, Sequence

from archives import FILES, NAME, sdist_bytes, wheel_bytes
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kfp_release.errors import ReleaseError
from kfp_release.index_page import parse_page
from kfp_release.sdist import Sdist
from kfp_release.wheel import Wheel

ROOT = "some_components-1.2"
WHEEL = wheel_bytes(dict(list(FILES.items())[4:]))
TAR = gzip.decompress(sdist_bytes({f"{ROOT}/PKG-INFO": b"Metadata-Version: 2.4\n", f"{ROOT}/a.py": b""}))
HTML = (
    b'<base href="/x/"><meta name="pypi:repository-version" content="1.0"><a href="a#sha256=1" data-yanked>a-1.zip</a>'
)
JSON_FILE = {"filename": "a-1.zip", "url": "a", "hashes": {"sha256": "1"}, "size": 1, "yanked": True}
JSON = {"meta": {"api-version": "1.1"}, "name": "a", "files": [JSON_FILE]}

Edit = tuple[int, bytes]
FRAGMENTS = (
    b"",
    b"\0",
    b"\xff",
    b"\x80\0\0\0\0\0\0\0\0\0\0\0",
    b"PK\1\2",
    b"PK\5\6",
    b"<![foo",
    b"<!--",
    b"&#x110000;",
)


def edited(data: bytes, edits: Sequence[Edit]) -> bytes:
    """`data` with each of the texts written over what stood at its place; an empty one cuts the rest off."""
    for place, text in edits:
        at = place % (len(data) + 1)
        data = data[:at] + text + data[at + len(text) :] if text else data[:at]
    return data


def edits(*texts: bytes) -> st.SearchStrategy[list[Edit]]:
    return st.lists(st.tuples(st.integers(0, 1 << 16), st.sampled_from(texts) | st.binary(max_size=4)), max_size=4)


def read_or_refused(read: Callable[[], object]) -> None:
    with contextlib.suppress(ReleaseError):
        read()


@settings(max_examples=120, deadline=None)
@given(edits(*FRAGMENTS))
def test_a_damaged_wheel_is_read_or_refused(changes: list[Edit]) -> None:
    read_or_refused(lambda: Wheel.parse(NAME, edited(WHEEL, changes)).is_pure)


@settings(max_examples=120, deadline=None)
@given(edits(*FRAGMENTS))
def test_a_damaged_sdist_is_read_or_refused(changes: list[Edit]) -> None:
    data = gzip.compress(edited(TAR, changes), 1, mtime=0)
    read_or_refused(lambda: Sdist.parse(f"{ROOT}.tar.gz", data))
    read_or_refused(lambda: Sdist.parse(f"{ROOT}.tar.gz", edited(data, changes)))


@settings(max_examples=120, deadline=None)
@given(edits(*FRAGMENTS), st.sampled_from(["text/html", "text/html; charset=utf-16", "text/html; charset=x\n\0"]))
@example([(0, b"<![foo>")], "text/html")
def test_a_damaged_page_is_read_or_refused(changes: list[Edit], content_type: str) -> None:
    data = edited(HTML, changes)
    read_or_refused(lambda: parse_page("a", data, content_type=content_type, url="https://a.example/simple/a/"))


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8) | st.just("http://["),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(["meta", "name", "files", "versions"]), st.sampled_from([*JSON_FILE, ""]), VALUES)
def test_a_page_in_json_with_anything_in_it_is_read_or_refused(key: str, inner: str, value: object) -> None:
    page = {**JSON, "files": [{**JSON_FILE, inner: value}]} if inner else {**JSON, key: value}
    kind = "application/vnd.pypi.simple.v1+json"
    data = json.dumps(page).encode()
    read_or_refused(lambda: parse_page("a", data, content_type=kind, url="https://a.example/simple/a/"))
