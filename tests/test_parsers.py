"""Nothing but a `ReleaseError` comes out of a parser, whatever goes in; and every parser is in the table."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from chaos.hostile.parser import Parser
from chaos.hostile.table import LISTED, PARSERS
from chaos.parsers import Tried, result_of, try_cases
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from test_architecture import PURE, modules, sections

from kfp_release.digest import Digest
from kfp_release.errors import ReleaseError

RAW = {"str", "bytes", "Any", "object", "Mapping[str, str]", "Mapping[str, Any]"}
"""Annotations of what nobody has parsed yet."""
COVERED = {name for parser in PARSERS.values() for name in parser.covers}


@pytest.mark.parametrize("name", PARSERS)
def test_nothing_but_a_release_error_comes_out(name: str) -> None:
    parser = PARSERS[name]
    read: list[Any] = []

    @settings(
        max_examples=60,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    @given(st.randoms())
    def tried(random: Random) -> None:
        case = parser.make(random)
        with suppress(ReleaseError):
            parser.run(case)
            read.append(case)

    tried()
    assert read, "not one case was sound"


@cache
def functions() -> dict[str, ast.FunctionDef]:
    """The public functions and class methods of every module."""
    return {dotted: node for name, path in modules().items() for dotted, node in defined(name, path)}


def defined(name: str, path: Path) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            yield f"{name}.{node.name}", node
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef) and any(
                    isinstance(mark, ast.Name) and mark.id == "classmethod" for mark in inner.decorator_list
                ):
                    yield f"{name}.{node.name}.{inner.name}", inner


def takes_raw(function: ast.FunctionDef) -> bool:
    arguments = [each for each in function.args.args if each.arg not in {"cls", "self"}]
    return any(each.annotation is not None and ast.unparse(each.annotation) in RAW for each in arguments)


def readers() -> set[str]:
    """What takes texts, bytes or JSON in the pure modules; and what is called a parser or reader in the others."""
    pure = tuple(f"{name}." for section in PURE for name in sections()[section])
    return {
        dotted
        for dotted, function in functions().items()
        if not function.name.startswith("_")
        and (function.name.startswith(("parse", "read")) or (dotted.startswith(pure) and takes_raw(function)))
    }


def test_everything_that_reads_is_in_the_table_or_listed_with_a_reason() -> None:
    assert sorted(readers() - COVERED - LISTED.keys()) == []
    assert sorted((COVERED | LISTED.keys()) - functions().keys()) == []
    assert sorted(COVERED & LISTED.keys()) == []
    assert all(LISTED.values())


def test_an_exception_is_told_by_the_shortest_input_that_brought_it() -> None:
    def run(text: str) -> object:
        if "(" in text:
            raise KeyError(text)
        return Digest.parse(text)

    texts = ("sha256:" + "a" * 64, "x", "longer (", "(", "1" * 900 + "(")
    bad = Parser((), lambda random: random.choice(texts), run)
    tried = try_cases("bad", bad, range(200), seed=1)
    assert 0 < tried.broken < 200
    assert 0 < tried.read < 200
    result = result_of([tried])
    assert result.broken == (f"bad: {tried.broken} of 200 cases, such as KeyError (\"'('\") of '('",)
    assert list(result.figures.items())[:3] == [
        ("parsers", 1),
        ("cases", 200),
        ("exceptions other than ReleaseError", tried.broken),
    ]


def test_a_parser_that_takes_long_or_reads_nothing_is_told() -> None:
    slow = Tried("slow", cases=3, read=3, broken=0, smallest="", slowest=60.0, memory=50)
    vain = Tried("vain", cases=3, read=0, broken=0, smallest="", slowest=0.1, memory=50)
    assert result_of([slow, vain]).broken == (
        "slow: a case took 60.0 s",
        "vain: none of 3 cases was sound, so little of it was tried",
    )
