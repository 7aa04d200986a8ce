from __future__ import annotations

import pytest

from kfp_release.python_code import code_content

CODE = b'''\
import os

def f(a, b=None):
    """It works."""
    return {"a": [a, 'b'], **b} if a else (yield f"{a!r:>{b}}x")
'''


@pytest.mark.parametrize(
    "other",
    [
        b"# A comment.\n" + CODE,
        CODE.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + CODE,
        CODE.replace(b"'b'", b'"b"'),
        CODE.replace(b"[a, 'b']", b"[\n        a,\n        'b',  # the last\n    ]"),
        CODE.replace(b"    ", b"  "),
        CODE.replace(b"import os\n", b"\n\nimport os; \n\n\n"),
    ],
)
def test_comments_and_layout_do_not_count(other: bytes) -> None:
    assert other != CODE
    assert code_content(other) == code_content(CODE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"It works", b"It failed"),
        (b"b=None", b"b=0"),
        (b"b=None", b"b"),
        (b"'b'", b"b"),
        (b"'b'", b"b'b'"),
        (b"!r", b"!s"),
        (b"import os", b"import ast"),
        (b"a else", b"b else"),
        (b"[a, 'b']", b"[[a], 'b']"),
    ],
)
def test_what_it_says_counts_and_docstrings_do(old: bytes, new: bytes) -> None:
    assert old in CODE
    assert code_content(CODE.replace(old, new)) != code_content(CODE)


def test_the_form_is_the_same_with_every_version_of_python() -> None:
    """Versions from 3.12 on have fields that are empty here, and 3.13 leaves empty ones out."""
    assert code_content(b"class A(B):\n    def f(self) -> None: pass\n") == (
        b"Module(body=[ClassDef(name='A',bases=[Name(id='B',ctx=Load())],body=[FunctionDef(name='f',"
        b"args=arguments(args=[arg(arg='self')]),body=[Pass()],returns=Constant())])])"
    )


@pytest.mark.parametrize(
    "data", [b"def f(:\n", b"\x00", b"\xff\xfe", b"-" * 20_000 + b"1", b"x = " + b"1+" * 5_000 + b"1"]
)
def test_what_is_no_python_or_nested_too_deeply_stays_as_it_is(data: bytes) -> None:
    assert code_content(data) == data
