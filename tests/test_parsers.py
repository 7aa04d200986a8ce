"""Nothing but a `ReleaseError` comes out of a parser, whatever goes in; and every parser is in the table."""

from __future__ import annotations

import ast
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

import pytest
from chaos.hostile.parser import Parser
from chaos.hostile.table import LISTED, PARSERS
from chaos.hostile.values import edits
from chaos.parsers import Tried, result_of, try_cases
from chaos.stage import Stage
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from test_architecture import PURE, modules, sections

from kfp_release.digest import Digest
from kfp_release.errors import ReleaseError
from kfp_release.progress import Silent

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
    tried = try_cases("bad", bad, 200, seed=1)
    assert (tried.cases, tried.distinct, tried.read, tried.broken) == (1000, 5, 1, 3)
    result = result_of([tried])
    assert result.broken == ("bad: 3 of 5 cases, such as KeyError (\"'('\") of '('",)
    assert list(result.figures.items())[:3] == [
        ("parsers", 1),
        ("cases", 1000),
        ("exceptions other than ReleaseError", 3),
    ]
    assert result.figures["fewest distinct"] == 5


def test_a_case_that_does_not_end_is_cut_off_and_told() -> None:
    def run(number: int) -> object:
        while number == 3:
            time.sleep(0.01)
        return Digest.parse("x") if number else number

    endless = Parser((), lambda random: random.randrange(9), run)
    tried = try_cases("endless", endless, 60, seed=1, patience=0.2)
    assert (tried.distinct, tried.read, tried.broken) == (9, 1, 1)
    assert tried.problems() == ["endless: 1 of 9 cases, such as Overdue ('it did not end within 0.2 s') of 3"]


def test_a_document_is_given_unedited_now_and_then() -> None:
    random = Stage(Path(), seed=1, short=True, progress=Silent()).random()
    drawn = [edits(random, 3) for _ in range(1000)]
    assert 20 < drawn.count(0) < 200
    assert {drawn.count(number) > 200 for number in (1, 2, 3)} == {True}
    assert {edits(random, 0) for _ in range(100)} == {0}


@contextmanager
def calls_noted(names: set[str]) -> Iterator[set[str]]:
    """Those of `names` that are called in the block."""
    called: set[str] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            module = str(frame.f_globals.get("__name__"))
            called.add(f"{module.removeprefix('kfp_release.')}.{frame.f_code.co_qualname}")

    before = sys.getprofile()
    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield called
    finally:
        sys.setprofile(before)
        threading.setprofile(None)
    called &= names


@pytest.mark.parametrize("name", [name for name, parser in PARSERS.items() if parser.covers])
def test_what_a_parser_covers_is_called_by_its_cases(name: str) -> None:
    parser = PARSERS[name]
    wanted, found = set(parser.covers), set[str]()
    random = Stage(Path(), seed=1, short=True, progress=Silent()).random(name)
    for _ in range(300):
        case = parser.make(random)
        with calls_noted(wanted) as called, suppress(ReleaseError):
            parser.run(case)
        found |= called
        if found == wanted:
            break
    assert sorted(wanted - found) == []


def test_a_parser_that_takes_long_or_reads_nothing_is_told() -> None:
    slow = Tried("slow", cases=3, distinct=3, read=3, broken=0, smallest="", slowest=60.0, memory=50)
    vain = Tried("vain", cases=1200, distinct=1000, read=0, broken=0, smallest="", slowest=0.1, memory=50)
    assert result_of([slow, vain]).broken == (
        "slow: a case took 60.0 s",
        "vain: none of 1,000 cases was sound, so little of it was tried",
    )
