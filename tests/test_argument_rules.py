"""Values of options, and words that nothing takes: told where argparse itself refuses them, and never elsewhere."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from test_check import DEMO, change, checked, pass_on, project

from kfp_release.argument_rules import argument_problems
from kfp_release.component import ComponentFile
from kfp_release.entry_points import ConsoleScript
from kfp_release.programs import Program, read_programs

__all__ = ["project"]

PARSER = """\
import argparse

def build_parser():
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("-o", "--one")
    parser.add_argument("--two", nargs=2)
    parser.add_argument("--maybe", nargs="?")
    parser.add_argument("--some", nargs="+")
    parser.add_argument("--any", nargs="*")
    parser.add_argument("-v", "--verbose", action="store_true")
    parser.add_argument("-n", "--not", action=argparse.BooleanOptionalAction)
    {more}
    return parser

def main():
    build_parser().{parse}()
"""


def asked(folder: Path, more: str = "", parse: str = "parse_args") -> Program:
    """What is told of a program whose parser has `more` in it."""
    (folder / "calls.py").write_text(PARSER.format(more=more or "pass", parse=parse), encoding="utf-8")
    return read_programs([ConsoleScript("train", "calls", "main")], source=folder)["train"]


def problems(words: list[str], program: Program) -> list[tuple[int, str]]:
    """The lines, from 1 for the first word, and what is told of them; `words` are YAML."""
    rows = "".join(f"    - {word}\n" for word in words)
    text = f"implementation:\n  container:\n    image: {DEMO}\n    command: [train]\n    args:\n{rows}"
    file = ComponentFile.parse("yaml/train.yaml", text.encode())
    found = argument_problems(file, file.commands[0], program)
    return [(problem.line - 5, problem.message) for problem in found]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    return asked(tmp_path_factory.mktemp("program"))


@pytest.mark.parametrize(
    ("words", "line", "message"),
    [
        (["--one"], 1, "passes --one without its value"),
        (["--one", "-v"], 1, "passes --one without its value"),
        (["-vo"], 1, "passes -o without its value"),
        (["--one", "--two", "a", "b"], 1, "passes --one without its value"),
        (["--two", "a"], 1, "passes --two with 1 of the 2 values that it needs"),
        (["--two", "-v"], 1, "passes --two with 0 of the 2 values that it needs"),
        (["--some", "-v"], 1, "passes --some without its value"),
        (["-v", "a"], 2, "passes 'a', which no option of train takes"),
        (["--one", "a", "b", "c"], 3, "passes 'b', which no option of train takes"),
        (["--one=a", "b"], 2, "passes 'b', which no option of train takes"),
        (["-oa", "b"], 2, "passes 'b', which no option of train takes"),
        (["--maybe", "a", "b"], 3, "passes 'b', which no option of train takes"),
        (["-v", "-5"], 2, "passes '-5', which no option of train takes"),
        (["-v", "{inputPath: data}"], 2, "passes {inputPath: data}, which no option of train takes"),
        (["-v", "'{{$}}'"], 2, "passes '{{$}}', which no option of train takes"),
        (["{if: {cond: {isPresent: a}, then: [--one, a]}}", "-v", "b"], 3, "passes 'b', which no option of train"),
    ],
)
def test_a_value_that_is_missing_and_a_word_that_nothing_takes_are_told(
    program: Program, words: list[str], line: int, message: str
) -> None:
    ((at, told),) = problems(words, program)
    assert at == line
    assert message in told


@pytest.mark.parametrize(
    "words",
    [
        ["--one", "{inputValue: a}"],
        ["--one", "{concat: [a, b]}"],
        ["--one", "{if: {cond: {isPresent: a}, then: [b], else: [c]}}"],
        ["{if: {cond: {isPresent: a}, then: [--one]}}", "b"],
        ["{concat: [--one=, {inputValue: a}]}"],
        ["-v", "{inputValue: an_option_perhaps}"],
        ["-v", "\"{{$.inputs.parameters['an_option_perhaps']}}\""],
        ["--maybe", "-v", "--any", "-n", "--no-not"],
        ["--some", "a", "b", "{inputValue: c}", "--any", "a", "b"],
        ["--unknown", "a", "b"],
        ["--one", "--unknown"],
        ["-v", "--", "a"],
    ],
)
def test_words_that_may_be_right_are_let_be(program: Program, words: list[str]) -> None:
    assert problems(words, program) == []


@pytest.mark.parametrize(
    ("more", "parse"),
    [
        ("", "parse_known_args"),
        ("parser.fromfile_prefix_chars = '@'", "parse_args"),
        ("parser.add_argument('rest', nargs='*')", "parse_args"),
        ("parser.add_argument('rest', nargs=argparse.REMAINDER)", "parse_args"),
        ("parser.add_subparsers().add_parser('a').add_argument('--deep')", "parse_args"),
    ],
)
def test_no_word_is_too_much_for_a_program_that_takes_any(tmp_path: Path, more: str, parse: str) -> None:
    assert problems(["-v", "a", "b"], asked(tmp_path, more, parse)) == []


def test_options_of_subcommands_take_what_all_of_one_name_take(tmp_path: Path) -> None:
    more = (
        "subs = parser.add_subparsers(); a, b = subs.add_parser('a'), subs.add_parser('b'); "
        "a.add_argument('--same'); b.add_argument('--same'); a.add_argument('--other'); "
        "b.add_argument('--other', action='store_true')"
    )
    told = asked(tmp_path, more)
    assert problems(["a", "--same", "-v"], told) == [(2, "passes --same without its value")]
    assert problems(["b", "--other", "-v"], told) == []


def test_a_parameter_alone_is_told_where_the_program_has_no_option_that_stands_alone(tmp_path: Path) -> None:
    code = "import argparse\ndef build_parser():\n    parser = argparse.ArgumentParser()\n"
    code += "    parser.add_argument('--a')\n    return parser\n\nmain = build_parser\n"
    (tmp_path / "calls.py").write_text(code, encoding="utf-8")
    told = read_programs([ConsoleScript("train", "calls", "main")], source=tmp_path)["train"]
    assert problems(["{inputValue: a}"], told) == [(1, "passes {inputValue: a}, which no option of train takes")]


WORDS = (
    *("-o", "--one", "--two", "--maybe", "--some", "--any", "-v", "-n", "--no-not", "-vn", "-vo", "-ox", "--one=x"),
    *("a", "b", "c", "-5", "-.5", "-", "x y", "-x y", "--maybe=a", "--some=a"),
)


@pytest.mark.parametrize(
    "more", ["", "parser.add_argument('first')", "parser.add_argument('two_of', nargs=2)"], ids=["none", "one", "two"]
)
def test_what_argparse_takes_is_never_refused_and_what_it_refuses_is_told(tmp_path: Path, more: str) -> None:
    told, random = asked(tmp_path, more), Random(7)  # noqa: S311 - words, no secrets
    calls = [random.choices(WORDS, k=random.randrange(1, 7)) for _ in range(3000)]
    script = (
        "import contextlib, io, json, sys; from calls import build_parser\n"
        "def taken(words):\n"
        "    with contextlib.redirect_stderr(io.StringIO()) as said, contextlib.suppress(BaseException):\n"
        "        build_parser().parse_args(words)\n"
        "        return ''\n"
        "    return said.getvalue() or 'refused'\n"
        "json.dump([taken(words) for words in json.load(sys.stdin)], sys.stdout)"
    )
    asked_for = subprocess.run(
        [sys.executable, "-c", script],
        input=json.dumps(calls),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    refused = json.loads(asked_for.stdout)
    found = [problems([json.dumps(word) for word in words], told) for words in calls]
    assert [words for words, why, told in zip(calls, refused, found, strict=True) if told and not why] == []
    missed = [words for words, why, told in zip(calls, refused, found, strict=True) if why and not told]
    assert sum(not why for why in refused) > 100
    if not more:
        assert missed == []


def test_an_option_without_its_value_is_told_by_the_check(project: Path) -> None:
    pass_on(project, ["--rate"])
    (problem,) = checked(project)
    assert problem.message == "passes --rate without its value"
    assert problem.remedy == "write the value after it; one that begins with - after a sign, as in --rate=-x"


def test_a_word_in_place_of_an_option_is_told_by_the_check(project: Path) -> None:
    change(project, "yaml/train.yaml", "- --table", "- table")
    (problem,) = checked(project)
    assert (problem.line, problem.message) == (14, "passes 'table', which no option of train takes")
    assert problem.remedy == "write the option that it is the value of before it"
