"""The changelog."""

from __future__ import annotations

import contextlib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfp_release.changelog import Changelog, section_bodies
from kfp_release.errors import Problems
from kfp_release.version import ReleaseVersion

TEXT = """\
# Changelog

Words before.

## [Unreleased]

- not yet

## [1.2] - 2026-11-22

### Added

- `multiply`, see [the docs](https://example.com)

```
## [9.9] - 2020-01-01
```

## [1.1] - 2026-10-01 [YANKED]
- wrong

## 1.0rc1

[1.2]: https://example.com/compare/v1.1...v1.2
[unreleased]: https://example.com/compare/v1.2...HEAD
"""


def version(text: str) -> ReleaseVersion:
    return ReleaseVersion.parse(text)


def test_a_section_has_its_line_date_and_text() -> None:
    section = Changelog.parse(TEXT).section(version("1.2"))
    assert section is not None
    assert (section.line, section.released, section.yanked) == (9, date(2026, 11, 22), False)
    assert section.body.startswith("### Added\n\n- `multiply`, see [the docs]")
    assert section.body.endswith("## [9.9] - 2020-01-01\n```")


def test_links_by_reference_have_their_targets_in_each_section() -> None:
    targets = '[One]: https://a.example "1"\n[two]: https://b.example\n[1.1]: https://c.example\n'
    text = f"## 1.1\n\n- see [one] and [this][Two]\n\n## 1.0\n\n- nothing\n\n{targets}"
    assert section_bodies(text) == {
        version("1.1"): '[One]: https://a.example "1"\n[two]: https://b.example\n\n- see [one] and [this][Two]',
        version("1.0"): "- nothing",
    }
    section = Changelog.parse(text).section(version("1.1"))
    assert section is not None
    assert section.body == "- see [one] and [this][Two]"


def test_a_withdrawn_version_is_marked() -> None:
    section = Changelog.parse(TEXT).section(version("1.1"))
    assert section is not None
    assert section.yanked
    assert section.body == "- wrong"


def test_a_section_without_words_has_an_empty_body() -> None:
    section = Changelog.parse(TEXT).section(version("1.0rc1"))
    assert section is not None
    assert (section.body, section.released) == ("", None)


def test_other_versions_have_no_section() -> None:
    changelog = Changelog.parse(TEXT)
    assert [str(section.version) for section in changelog.sections] == ["1.2", "1.1", "1.0rc1"]
    assert changelog.section(version("9.9")) is None
    assert changelog.section(version("1.2.1")) is None


def test_line_ends_of_windows_are_read() -> None:
    section = Changelog.parse(TEXT.replace("\n", "\r\n")).section(version("1.1"))
    assert section is not None
    assert section.body == "- wrong"


def test_the_changelog_of_this_project_has_a_first_release() -> None:
    text = (Path(__file__).parent.parent / "CHANGELOG.md").read_text(encoding="utf-8")
    section = Changelog.parse(text).section(version("1.0"))
    assert section is not None
    assert section.body


@pytest.mark.parametrize(
    ("heading", "says"),
    [
        ("## [1.2] - 2026-13-01", "CHANGELOG.md:3: '2026-13-01' is not a date"),
        ("## [1.2] 2026-11-01", "names no version"),
        ("## Notes", "'Notes' is not a version"),
        ("## [1.02] - 2026-11-01", "write 1.2"),
        ("## [1.2] - 2026-11-01 [yanked]", "names no version"),
        ("## [1.1] - 2026-11-01", "1.1 has a section in line 1 too"),
    ],
)
def test_a_heading_that_cannot_be_read_is_named_with_its_line(heading: str, says: str) -> None:
    with pytest.raises(Problems) as caught:
        Changelog.parse(f"## [1.1]\n\n{heading}\n")
    assert says in str(caught.value)
    assert all(problem.line == 3 for problem in caught.value.problems)


def test_all_headings_are_told_at_once() -> None:
    with pytest.raises(Problems) as caught:
        Changelog.parse("## a\n## b\n")
    assert [problem.line for problem in caught.value.problems] == [1, 2]


LINES = st.lists(st.one_of(st.text(), st.sampled_from(["## [1.0]", "```", "~~~~", "## [1.1] - 2026-01-01", "[a]: b"])))


@given(LINES)
def test_any_text_is_a_changelog_or_problems(lines: list[str]) -> None:
    with contextlib.suppress(Problems):
        Changelog.parse("\n".join(lines))
