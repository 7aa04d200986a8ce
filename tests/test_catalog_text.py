"""What texts from outside become on a page, and how much of them is shown."""

from __future__ import annotations

import pytest
from markupsafe import Markup

from kfp_release.catalog.room import Room
from kfp_release.catalog.shown_text import amount, counted, day, shortened, source_url, visible, web_url

COMMIT = "c" * 40


@pytest.mark.parametrize("letter", ["\0", "\x1b", "\x85", "\u200b", "\u200f", "\u202e", "\u2066", "\ufeff", "\ud800"])
def test_what_cannot_be_seen_is_seen(letter: str) -> None:
    assert visible(f"a{letter}b") == "a\N{REPLACEMENT CHARACTER}b"


@pytest.mark.parametrize("text", ["a\tb\nc", "äöü", "שלום", "مرحبا", "👩\u200d🔬", "<b>&"])
def test_other_letters_stay(text: str) -> None:
    assert visible(text) == text
    markup = Markup("<b>\0")
    assert visible(markup) is markup
    assert visible(3) == 3


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (38_200, "38.2 kB"),
        (118_000_000, "118 MB"),
        (61_204_000, "61.2 MB"),
        (10**13, "10,000 GB"),
    ],
)
def test_amounts(size: int, text: str) -> None:
    assert amount(size) == text


@pytest.mark.parametrize(("seconds", "text"), [(0, ""), (1_735_891_200, "2025-01-03"), (10**18, ""), (-(10**18), "")])
def test_days(seconds: int, text: str) -> None:
    assert day(seconds) == text


def test_numbers_of_things() -> None:
    assert [counted(number, "change") for number in (0, 1, 2_000)] == ["0 changes", "1 change", "2,000 changes"]


def test_digests_in_texts_are_shortened() -> None:
    assert shortened(f"leads to sha256:{'a' * 64}, not b") == f"leads to sha256:{'a' * 12}…, not b"


@pytest.mark.parametrize("url", ["https://a.example/b", "http://127.0.0.1:80/"])
def test_a_web_url(url: str) -> None:
    assert web_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:alert(1)",
        "JavaScript:x",
        "data:text/html,x",
        "file:///etc",
        "//a.b",
        "https:",
        "https://[",
        "https://a\n",
    ],
)
def test_no_web_url(url: str) -> None:
    assert web_url(url) == ""


def test_the_source_of_a_commit_and_of_a_file() -> None:
    base = "https://github.com/team/components"
    assert source_url(f"{base}.git/", "commit", COMMIT) == f"{base}/commit/{COMMIT}"
    assert source_url(base, "blob", COMMIT, "yaml/a b?.yaml") == f"{base}/blob/{COMMIT}/yaml/a%20b%3F.yaml"
    assert source_url(base, "commit", "main") == ""
    assert source_url(base, "blob", COMMIT, "a/../../b") == ""
    assert source_url("git@github.com:team/components", "commit", COMMIT) == ""


def test_a_text_that_is_too_long_says_how_much_more_there_is() -> None:
    assert Room().text("a" * 100, 100) == "a" * 100
    assert Room().text("a" * 1_200, 100) == "a" * 100 + "… (1,100 more letters)"
    assert Room(4).text("a" * 1_200, 100) == "a" * 49 + "… (1,151 more letters)"
    assert Room().brief("a" * 1_200, 3) == "aaa…"


def test_rows_that_are_too_many_are_counted() -> None:
    items = tuple(range(10))
    assert Room().rows(items, 20) == items
    assert Room().more(items, 20) == 0
    assert Room(1).rows(items, 8) == (0, 1, 2, 3, 4, 5)
    assert Room(1).more(items, 8) == 4
    assert Room.shrinking()[-1].many(8) == 1
