from __future__ import annotations

from typing import Any

import pytest

from kfp_release.json_text import BadJson, read_json


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b'{"a": [1, 2.5, null, true, "\\ud83d\\ude00"]}', {"a": [1, 2.5, None, True, "\N{GRINNING FACE}"]}),
        (b"[" * 64 + b"]" * 64, None),
        (b'"\\\\ud800"', "\\ud800"),
        ('"é"'.encode(), "é"),
    ],
)
def test_json_is_read(data: bytes, value: Any) -> None:
    assert read_json(data, most=1000) == (read_json(data, most=1000) if value is None else value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is not JSON: Expecting value"),
        (b'{"a": 1', "is not JSON: Expecting"),
        (b"\xff", "is not JSON: 'utf-8' codec"),
        ('"x"'.encode("utf-16"), "is not JSON: 'utf-8' codec"),
        (b'\xef\xbb\xbf"x"', "is not JSON: Unexpected UTF-8 BOM"),
        (b'"\xed\xa0\x80"', "is not JSON: 'utf-8' codec"),
        (b'{"a": "\\uD800"}', r"has a text that UTF-8 cannot hold: .*\\ud800'"),
        (b'{"\\udc00": 1}', r"has a text that UTF-8 cannot hold: '"),
        (b"[NaN]", "is not JSON: NaN is no number of JSON"),
        (b"-Infinity", "is not JSON: -Infinity is no number"),
        (b"[1e999]", "is not JSON: 1e999 is no number that can be held"),
        (b"9" * 5000, "is not JSON: Exceeds the limit"),
        (b"[" * 65 + b"]" * 65, "nests more than 64 levels deep"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "nests more than 64 levels deep"),
        (b"[" * 4000 + b"]" * 4000, "is not JSON: maximum recursion depth"),
        (b"[" + b"1," * 5000 + b"1]", "has 10,003 bytes, and 10,000 are the most"),
    ],
)
def test_what_is_no_json_or_too_much_of_it_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(BadJson, match=message):
        read_json(data, most=10_000)
