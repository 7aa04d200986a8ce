"""A CHANGELOG's Markdown is shown as Markdown, and does nothing else."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from catalog_extremes import EVIL_MARKDOWN
from hypothesis import given, settings
from hypothesis import strategies as st

from kfp_release.catalog.markdown import changelog_html

SOURCE = "https://github.com/team/components"
COMMIT = "c" * 40


def html(text: str, *, source: str = SOURCE, commit: str = COMMIT) -> str:
    found, more = changelog_html(text, source=source, commit=commit)
    assert more == 0
    return str(found)


def test_lists_code_tables_and_emphasis() -> None:
    found = html("- **Breaking:** `a` ~~b~~\n\n| a | b |\n|---|---|\n| 1 | 2 |\n")
    assert "<li><strong>Breaking:</strong> <code>a</code> <s>b</s></li>" in found
    assert '<div class="scroll" tabindex="0"><table>' in found


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("# a\n\n### b\n\n### c", ["h3", "h3", "h3"]),
        ("###### a\n\n##### b\n\n#### c", ["h3", "h4", "h4"]),
        ("### a\n\n#### b\n\n## c", ["h3", "h4", "h3"]),
    ],
)
def test_headings_begin_below_the_pages_own_and_skip_none(text: str, levels: list[str]) -> None:
    found = html(text)
    assert [part[:2] for part in found.split("<")[1:] if part[0] == "h"] == levels


@pytest.mark.parametrize(
    ("target", "url"),
    [
        ("https://example.org/a?b=1&c", "https://example.org/a?b=1&amp;c"),
        ("docs/releasing.md", f"{SOURCE}/blob/{COMMIT}/docs/releasing.md"),
        ("/docs/a%20b.md#part", f"{SOURCE}/blob/{COMMIT}/docs/a%20b.md#part"),
        ("docs/a.md#ä+b", f"{SOURCE}/blob/{COMMIT}/docs/a.md#%C3%A4+b"),
    ],
)
def test_links_lead_to_the_web_or_into_the_source(target: str, url: str) -> None:
    assert html(f"[a]({target})") == f'<p><a href="{url}" rel="noopener noreferrer">a</a></p>\n'


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("docs/a.md", "teams/parts/docs/a.md"),
        ("./../../README.md", "README.md"),
        ("/README.md", "README.md"),
        ("../../../../x", None),
    ],
)
def test_links_of_a_project_in_a_folder_begin_there(target: str, path: str | None) -> None:
    found, _ = changelog_html(f"[a]({target})", source=SOURCE, commit=COMMIT, folder="teams/parts/")
    assert (f'href="{SOURCE}/blob/{COMMIT}/{path}"' in found) if path else ("href" not in found)


@pytest.mark.parametrize(
    "target",
    ["mailto:a@b.c", "//elsewhere.example/", "../../settings", "#part", "ftp://a/b", "tel:1", "https://"],
)
def test_other_links_are_text(target: str) -> None:
    assert "href" not in html(f"[a]({target})")


def test_without_a_source_or_a_commit_a_relative_link_is_text() -> None:
    assert "href" not in html("[a](b.md)", source="javascript:alert(1)//")
    assert "href" not in html("[a](b.md)", commit="")


def test_markup_and_script_are_text() -> None:
    found = html(EVIL_MARKDOWN)
    for tag in ("<script", "<img", "<style", 'onerror="', 'javascript:window.ran=1"', 'href="data', 'href="file'):
        assert tag not in found, tag
    assert "&lt;script&gt;window.ran=1&lt;/script&gt;" in found


PIECES = (
    *(
        "<",
        ">",
        "&",
        '"',
        "'",
        "`",
        "```",
        "~~",
        "*",
        "_",
        "#",
        "- ",
        "1. ",
        "> ",
        "|",
        "|---|",
        "|--:|",
        "!",
        "\\",
        "\n",
    ),
    *(
        "[a](",
        ")",
        "[",
        "]",
        "javascript:",
        "data:",
        "https://a.b",
        "<script>",
        "<img src=x onerror=y>",
        "<!--",
        "&lt;",
    ),
    *("\0", "\u202e", "\ud800", "    ", "\t", "\r", "&#x6a;", "a", "ü", "``` <b>", "</div>", "style="),
)
TAGS = {
    *("h3", "h4", "h5", "h6", "p", "ul", "ol", "li", "a", "span", "code", "pre", "em", "strong", "s", "hr", "br"),
    *("blockquote", "div", "table", "thead", "tbody", "tr", "th", "td"),
}


class Tags(HTMLParser):
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS
        assert {name for name, _ in attrs} <= {"href", "rel", "class", "tabindex", "start"}
        assert (dict(attrs).get("href") or "https://").startswith(("https://", "http://"))

    handle_startendtag = handle_starttag

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)

    def handle_pi(self, data: str) -> None:
        raise AssertionError(data)


@settings(max_examples=300)
@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_whatever_it_says_only_harmless_tags_come_of_it(text: str) -> None:
    found, _ = changelog_html(text, source=SOURCE, commit=COMMIT)
    Tags().feed(found.encode().decode())


def test_a_column_of_numbers_needs_no_style_of_its_own() -> None:
    assert '<th class="number">a</th>' in html("| a |\n|--:|\n| 1 |")


def test_what_is_too_long_is_cut_by_lines_that_are_counted() -> None:
    found, more = changelog_html("- entry\n" * 9_000, source=SOURCE, commit=COMMIT)
    assert len(found) <= 60_000
    assert found.count("<li>") + more == 9_000
    assert changelog_html("x" * 100_000, source=SOURCE, commit=COMMIT) == ("", 1)


@pytest.mark.parametrize("text", ["", "\n\n", "   "])
def test_nothing_is_nothing(text: str) -> None:
    assert html(text).strip() == ""
