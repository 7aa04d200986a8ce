"""Pages of an index that mean harm are refused, within a time and a memory that a page is worth."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from typing import Any

import pytest
from chaos.hostile.documents import HEX, HTML, INDEX_JSON

from kfp_release.errors import ReleaseError
from kfp_release.index_page import parse_page

JSON_TYPE = "application/vnd.pypi.simple.v1+json"
URL = "https://pypi.example/simple/some-components/"
WHEEL = "some_components-1.2-py3-none-any.whl"


def names(data: bytes, content_type: str = "text/html") -> list[str]:
    return list(parse_page("some-components", data, content_type=content_type, url=URL))


def listed(name: str) -> bytes:
    return f'<a href="x">{name}</a>'.encode()


def listed_in_json(*names: Any) -> bytes:
    files = [{"filename": name, "url": "x", "hashes": {"sha256": HEX}} for name in names]
    return json.dumps({**INDEX_JSON, "files": files}).encode()


def test_both_forms_are_read() -> None:
    page = parse_page("some-components", HTML.encode(), content_type="text/html", url=URL)
    assert [(file.filename, file.url, file.sha256, file.yanked) for file in page.values()] == [
        ("a-1.zip", "https://pypi.example/files/a-1.zip", HEX, True),
        (WHEEL, f"https://pypi.example/files/{WHEEL}", None, False),
    ]
    assert names(json.dumps(INDEX_JSON).encode(), JSON_TYPE) == [WHEEL]


@pytest.mark.parametrize(
    "around", ["<![foo>", "<?xml", "&#x110000;", "<!-- <a href='y'>b-1.zip</a> -->", "<a 'b'", "</a>"]
)
def test_what_is_no_link_is_passed_over(around: str) -> None:
    assert names(around.encode() + listed("a-1.zip")) == ["a-1.zip"]


def test_quotes_may_hold_what_tags_are_made_of() -> None:
    page = b"""<a data-requires-python="<4,>=3" href='>"'>a-1.zip</a><A\nHREF=b\n>b-1.zip</A >"""
    assert names(page) == ["a-1.zip", "b-1.zip"]


@pytest.mark.parametrize("charset", ["utf-8", "UTF8", "us-ascii", "iso-8859-1", "windows-1252"])
def test_the_charsets_of_pages_are_known(charset: str) -> None:
    assert names(b"\xef\xbb\xbf" + listed("a-1.zip"), f"text/html; charset={charset}") == ["a-1.zip"]


@pytest.mark.parametrize("charset", ["utf-16", "utf-7", "punycode", "idna", "unicode_escape", "zlib", "x", ".."])
def test_another_charset_is_refused_and_none_is_looked_for_in_the_page(charset: str) -> None:
    with pytest.raises(ReleaseError, match=r"cannot be read: (its charset is|unknown encoding)"):
        names(listed("a-1.zip"), f"text/html; charset={charset}")
    assert names(b'<meta charset="punycode">' + listed("a-1.zip")) == ["a-1.zip"]


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "../x", "/etc/passwd", "a\\b", "a\0b", "\x1b[31ma", "\u202ea", "\u2028"),
        *("a" * 256, "a-1" + "-a" * 30 + ".whl"),
    ],
)
def test_a_name_that_no_file_has_is_passed_over(name: str) -> None:
    assert names(listed_in_json(name, WHEEL), JSON_TYPE) == [WHEEL]
    shown = name.replace("\0", "&#0;")
    assert WHEEL in names(listed(shown) + listed(WHEEL))
    assert name not in names(listed(shown))


@pytest.mark.parametrize(
    ("data", "kind", "message"),
    [
        (listed("a-1.zip") * 20_001, "text/html", "it lists 20,001 files, and 20,000 are the most"),
        (listed_in_json(*["a"] * 20_001), JSON_TYPE, "it lists 20,001 files, and 20,000 are the most"),
        (b'<base href="http://[">' + listed("a-1.zip"), "text/html", "cannot be read"),
        (b"[" * 100_000, JSON_TYPE, "is not JSON: maximum recursion depth"),
        (b'{"a":' * 70 + b"1" + b"}" * 70, JSON_TYPE, "nests more than 64 levels deep"),
        (b" " * (16 * 1024 * 1024 + 1), JSON_TYPE, "has 16,777,217 bytes, and 16,777,216 are the most"),
        (b"[]", JSON_TYPE, "cannot be read"),
        (b'{"files": 3}', JSON_TYPE, "cannot be read"),
        (b'{"files": [3]}', JSON_TYPE, "cannot be read"),
    ],
)
def test_what_is_no_page_or_more_than_one_is_refused(data: bytes, kind: str, message: str) -> None:
    with pytest.raises(ReleaseError, match=message) as caught:
        names(data, kind)
    assert caught.value.remedy == "is the index's URL right, and that of a simple API (PEP 503, PEP 691)?"


PIECES = (
    "<b>",
    "</b>",
    "<a ",
    "<a href=x>",
    "<a a=1 ",
    "<!--",
    "<!",
    "<?",
    "<![CDATA[",
    "&lt",
    "<a '\"",
    "<a b='",
    "<a \"'",
    "<a '\"'",
    "</a ",
    "</",
)
BOMBS = {
    **{piece: piece.encode() * (4_000_000 // len(piece)) for piece in PIECES},
    "deep": b"<b>" * 400_000 + listed("a-1.zip") + b"</b>" * 400_000,
    "links": listed("a-1.zip") * 20_000,
    "long": b"<a " + b"a=1 " * 1_000_000 + b">x</a>",
}
READ = """
import sys
from kfp_release.errors import ReleaseError
from kfp_release.index_page import parse_page
try:
    parse_page("a", sys.stdin.buffer.read(), content_type="text/html", url="https://a.example/")
except ReleaseError:
    pass
"""


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", BOMBS)
def test_a_page_takes_neither_a_minute_nor_a_gigabyte(name: str) -> None:
    limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))  # noqa: E731 - in the child
    done = subprocess.run(
        [sys.executable, "-c", READ],
        input=BOMBS[name],
        preexec_fn=limit,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("form", [b"<form>", b'<FORM action="/login">', b"<form\nmethod=post>"])
def test_a_log_in_page_is_not_a_project_without_files(form: bytes) -> None:
    page = b"<html><body>" + form + b"<input type=password></form><a href='/help'>Help</a></body></html>"
    with pytest.raises(ReleaseError, match="is a page with a form, for a log-in perhaps") as caught:
        names(page)
    assert "no proxy between that wants a log-in" in caught.value.remedy


@pytest.mark.parametrize(
    "around",
    [
        "<p>information and &lt;form&gt;</p>",
        "<form action='refresh' method='post'><input name='refresh' type='submit' value='Refresh'/></form>",
    ],
)
def test_a_page_with_a_form_beside_its_files_is_read(around: str) -> None:
    assert names(around.encode() + listed("a-1.zip")) == ["a-1.zip"]


def test_a_form_in_a_comment_is_none() -> None:
    assert names(b"<!-- <form></form> --><h1>Links for a</h1>") == []
