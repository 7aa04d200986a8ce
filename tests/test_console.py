"""Progress, reports and what they make of texts from outside."""

from __future__ import annotations

import io
import os
import pty
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfp_release.console import Console, StepTime, write_output, write_summary
from kfp_release.errors import ReleaseError
from kfp_release.progress import Named, Silent
from kfp_release.report import Report, Table
from kfp_release.terminal_text import annotation, one_line, printable

MEGABYTE = 1_000_000


class Clock:
    """Time that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock() -> Clock:
    return Clock()


def lines(stream: io.StringIO) -> list[str]:
    return stream.getvalue().splitlines()


def test_steps_and_notes_are_lines_with_the_seconds_since_the_beginning(clock: Clock) -> None:
    stream = io.StringIO()
    with Console(stream, environ={}, clock=clock) as console:
        console.step("look at git")
        clock.now = 12.34
        console.step("push")
        console.note("found it")
    assert lines(stream) == ["[   0.0 s] look at git", "[  12.3 s] push", "           found it"]


def test_bytes_are_told_each_tenth_not_at_every_call(clock: Clock) -> None:
    stream = io.StringIO()
    with Console(stream, environ={}, clock=clock) as console:
        for done in range(0, 100 * MEGABYTE + 1, MEGABYTE):
            console.sent("layer", done, 100 * MEGABYTE)
            clock.now += 0.1
    told = lines(stream)
    assert len(told) == 10
    assert told[0] == "           layer:  10% of 100.0 MB, 10.0 MB/s"
    assert told[-1] == "           layer: 100% of 100.0 MB, 10.0 MB/s"


def test_slow_bytes_are_told_every_five_seconds(clock: Clock) -> None:
    stream = io.StringIO()
    with Console(stream, environ={}, clock=clock) as console:
        for done in range(11):
            console.sent("layer", done * 1000, 100 * MEGABYTE)
            clock.now += 1
    assert len(lines(stream)) == 2


def test_a_small_file_has_one_line(clock: Clock) -> None:
    stream = io.StringIO()
    with Console(stream, environ={}, clock=clock) as console:
        for done in (0, 300, 600, 600):
            console.sent("layer", done, 600)
        console.sent("nothing", 0, 0)
    assert lines(stream) == ["           layer: 100% of 600 bytes", "           nothing: 0 bytes"]


def test_several_threads_may_tell_of_their_bytes() -> None:
    stream = io.StringIO()
    with Console(stream, environ={}) as console:

        def send(name: str) -> None:
            for done in range(51):
                console.sent(name, done, 50)

        threads = [threading.Thread(target=send, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(line.split(":")[0].strip() for line in lines(stream) if "100%" in line) == ["a", "b", "c", "d"]


def test_the_console_knows_how_long_each_step_took(clock: Clock) -> None:
    with Console(io.StringIO(), environ={}, clock=clock) as console:
        console.step("a")
        clock.now = 2
        console.step("b")
        clock.now = 5
    clock.now = 100
    assert console.times == (StepTime("a", 2), StepTime("b", 3))


def test_a_terminal_gets_a_bar_with_bytes_and_speed(clock: Clock) -> None:
    stream = Terminal()
    with Console(stream, environ={"TERM": "xterm"}, clock=clock) as console:
        console.step("push [demo]")
        console.sent("layer [1]", 1 * MEGABYTE, 4 * MEGABYTE)
        console.sent("layer [1]", 4 * MEGABYTE, 4 * MEGABYTE)
        console.note("done")
    text = stream.getvalue()
    assert "push [demo]" in text
    assert "layer [1]" in text
    assert "4.0/4.0 MB" in text
    assert "━" in text


@pytest.mark.parametrize("environ", [{"TERM": "dumb"}, {}, {"TERM": "xterm", "CI": "true"}])
def test_a_terminal_without_a_cursor_and_ci_get_lines(environ: dict[str, str]) -> None:
    stream = Terminal()
    with Console(stream, environ=environ) as console:
        console.sent("layer", 4, 4)
    assert stream.getvalue() == "           layer: 100% of 4 bytes\n"


def send_and_fail(stream: TextIO) -> None:
    with Console(stream, environ={"TERM": "xterm"}) as console:
        console.sent("layer", 1, 4)
        raise RuntimeError("refused")


def part_of(terminal: int) -> bytes:
    """What comes next from a terminal; nothing once its other side is closed and all is read."""
    try:
        return os.read(terminal, 100_000)
    except OSError:  # EIO, as pty(7) has it
        return b""


def test_a_terminal_is_left_in_order_after_an_error() -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w", encoding="utf-8") as stream, pytest.raises(RuntimeError, match="refused"):
        send_and_fail(stream)
    text = b"".join(iter(lambda: part_of(ours), b"")).decode()
    os.close(ours)
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1


def test_a_summary_is_appended_where_github_wants_it(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    file.write_text("before\n", encoding="utf-8")
    write_summary("### Done\n", {"GITHUB_STEP_SUMMARY": str(file)})
    write_summary("### Nowhere\n", {})
    write_summary("### Nowhere\n", {"GITHUB_STEP_SUMMARY": ""})
    assert file.read_text(encoding="utf-8") == "before\n### Done\n\n"


def test_a_summary_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"GITHUB_STEP_SUMMARY names .* which cannot be written: Is a directory"):
        write_summary("x", {"GITHUB_STEP_SUMMARY": str(tmp_path)})


def report() -> Report:
    return Report(
        "demo 1.2 is <public>",
        (Table.of(("what", "content"), [("demo:1.2", "sha256:" + "a" * 64), ("a|b`c", "")]), Table.of(("empty",), [])),
        ("next: verify",),
    )


def test_a_report_that_is_piped_on_is_not_folded() -> None:
    stream = io.StringIO()
    report().show(stream)
    assert any(line.split() == ["demo:1.2", "sha256:" + "a" * 64] for line in lines(stream))
    assert "\x1b" not in stream.getvalue()
    assert "empty" not in stream.getvalue()


def test_a_report_in_markdown_quotes_what_it_shows() -> None:
    assert report().markdown() == (
        "### demo 1.2 is &lt;public>\n\n"
        "| what | content |\n| --- | --- |\n"
        f"| `demo:1.2` | `sha256:{'a' * 64}` |\n"
        "| `a\\|b'c` |  |\n\n"
        "next: verify\n"
    )


def test_a_report_in_markdown_mentions_nobody_and_links_nowhere() -> None:
    shown = Report("of @team, see http://evil.example", notes=("~~gone~~ ![x](https://evil.example/x.png)",)).markdown()
    assert shown == (
        "### of &#64;team, see http:&#47;/evil.example\n\n\\~\\~gone\\~\\~ \\!\\[x\\](https:&#47;/evil.example/x.png)\n"
    )


def test_a_cell_is_told_in_full() -> None:
    pin = f"{'a' * 200}@sha256:{'b' * 64}"
    assert f"| `{pin}` |" in Table.of(("image",), [(pin,)]).markdown()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ä →\n  next", "plain ä →\n  next"),
        ("\x1b[31mred\x07", "\N{REPLACEMENT CHARACTER}[31mred\N{REPLACEMENT CHARACTER}"),
        ("a\r\nb\tc", "a \nb c"),
        ("::add-mask::x\n  ::error::y\n##[group]", "| ::add-mask::x\n  | ::error::y\n| ##[group]"),
        ("a :: b", "a :: b"),
    ],
)
def test_text_from_outside_gives_no_orders_to_terminals_and_logs(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("text", "length", "shown"),
    [
        ("plain ä →\n  next\r\n", None, "plain ä → next"),
        ("a\tb  c\x1b\u2028d", None, "a b  c\N{REPLACEMENT CHARACTER} d"),
        ("\n ::error::x", None, "| ::error::x"),
        ("12345", 5, "12345"),
        ("123456", 5, "12345…"),
        ("1\n\n\n2 \n 3", 5, "1 2 3"),
        ("", 5, ""),
    ],
)
def test_a_line_is_one_whatever_it_was_and_not_longer_than_it_may_be(text: str, length: int | None, shown: str) -> None:
    assert one_line(text, length) == shown


def test_an_annotation_is_one_line_with_its_place() -> None:
    assert (
        annotation("a\nb: 100%, c", file="x:y,z.yaml", line=3) == "::error file=x%3Ay%2Cz.yaml,line=3::a%0Ab: 100%25, c"
    )
    assert annotation("a", severity="warning") == "::warning::a"


@given(st.text())
def test_printable_text_has_no_control_characters_and_no_commands(text: str) -> None:
    shown = printable(text)
    assert all(letter.isprintable() or letter == "\n" for letter in shown)
    assert not any(line.lstrip().startswith(("::", "##[")) for line in shown.split("\n"))


def everything(parts: Report) -> Iterator[str]:
    stream = io.StringIO()
    parts.show(stream)
    yield stream.getvalue()
    yield parts.markdown()


@given(st.text(), st.text())
def test_any_text_can_be_reported(title: str, cell: str) -> None:
    for shown in everything(Report(title, (Table.of(("a", "b"), [(cell, cell)]),), (cell,))):
        assert "\x1b" not in shown
        shown.encode()


def test_outputs_of_a_step_are_a_line_each_where_ci_wants_them(tmp_path: Path) -> None:
    file = tmp_path / "output"
    write_output("images", "[]", {"GITHUB_OUTPUT": str(file)})
    write_output("other", "1", {"GITHUB_OUTPUT": str(file)})
    write_output("nowhere", "1", {})
    assert file.read_text() == "images=[]\nother=1\n"


def test_outputs_that_cannot_be_written_are_named(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"GITHUB_OUTPUT names .* which cannot be written: Is a directory") as caught:
        write_output("images", "[]", {"GITHUB_OUTPUT": str(tmp_path)})
    assert caught.value.remedy == "unset GITHUB_OUTPUT"


def test_one_of_several_things_is_named_in_each_of_its_lines() -> None:
    told: list[str] = []

    class Told(Silent):
        def step(self, text: str) -> None:
            raise AssertionError(text)

        def note(self, text: str) -> None:
            told.append(text)

        def sent(self, what: str, done: int, total: int) -> None:
            told.append(f"{what}: {done} of {total}")

    progress = Named(Told(), "tables")
    progress.step("build it")
    progress.note("STEP 1/1")
    progress.sent("1 layer", 1, 2)
    assert told == ["tables: build it", "tables: STEP 1/1", "tables: 1 layer: 1 of 2"]
