"""Pages of a static index: other tools read them, and nothing but what was written here is taken for one."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from kfp_release.index_page import IndexFile, parse_page
from kfp_release.static_page import (
    HTML,
    JSON,
    BadPage,
    StaticFile,
    parse_files,
    project_html,
    project_json,
    require_own,
    root_html,
    root_json,
)

WHEEL = StaticFile("demo-1.10-py3-none-any.whl", 7, "2026-11-30T01:02:03.000000Z", "a" * 64, ">=3.11,<4", "b" * 64)
SDIST = StaticFile("demo-1.9+local.tar.gz", 8, "2026-11-30T01:02:03.000000Z", "c" * 64)
URL = "https://example.com/python/simple/demo/"


def test_both_forms_list_the_same_files_for_who_reads_them() -> None:
    html = parse_page("demo", project_html("demo", [WHEEL, SDIST]), content_type=HTML, url=URL)
    json_ = parse_page("demo", project_json("demo", [WHEEL, SDIST]), content_type=JSON, url=URL)
    folder = "https://example.com/python/packages/demo"
    # S3 takes a plain + in a URL for a space.
    sdist = IndexFile(SDIST.filename, f"{folder}/demo-1.9%2Blocal.tar.gz", SDIST.sha256, size=SDIST.size)
    assert html == {name: replace(file, size=None) for name, file in json_.items()}, "HTML tells no sizes"
    assert json_ == {
        WHEEL.filename: IndexFile(WHEEL.filename, f"{folder}/{WHEEL.filename}", WHEEL.sha256, size=WHEEL.size),
        SDIST.filename: sdist,
    }


def test_what_is_written_is_read_again() -> None:
    assert parse_files(project_json("demo", [WHEEL, SDIST])) == {WHEEL.filename: WHEEL, SDIST.filename: SDIST}
    assert parse_files(project_json("demo", [])) == {}
    assert json.loads(project_json("demo", [WHEEL, SDIST]))["versions"] == ["1.9+local", "1.10"]


def test_a_link_says_what_python_it_needs_and_where_its_metadata_is() -> None:
    link = project_html("demo", [WHEEL]).decode()
    assert 'data-requires-python="&gt;=3.11,&lt;4"' in link
    assert link.count(f'="sha256={"b" * 64}"') == 2
    assert "data-" not in project_html("demo", [SDIST]).decode()


def test_every_page_is_known_for_one_of_these() -> None:
    for page in (project_html("demo", [WHEEL]), root_html(["demo"])):
        require_own(page, HTML)
        with pytest.raises(BadPage):
            require_own(page, JSON)
    for page in (project_json("demo", [WHEEL]), root_json(["demo"])):
        require_own(page, JSON)
        with pytest.raises(BadPage):
            require_own(page, HTML)


def changed(**parts: Any) -> bytes:
    """The JSON page of one wheel, in which something is otherwise."""
    page = json.loads(project_json("demo", [WHEEL]))
    page["files"][0] |= parts
    return json.dumps(page).encode()


BAD = {
    "no JSON": (b"{", "is not JSON"),
    "a list": (b"[]", "is no page that kfp-release has written"),
    "another tool's": (b'{"meta": {"api-version": "1.1"}, "files": []}', "is no page that kfp-release has written"),
    "no files": (b'{"meta": {"_generator": "kfp-release"}}', "lists no files"),
    "a name that is none": (changed(filename=3), "has a file that is told of otherwise"),
    "a size that is none": (changed(size=True), "has a file that is told of otherwise"),
    "no hash": (changed(hashes={}), "has a file that is told of otherwise"),
    "a hash that is none": (changed(hashes={"sha256": "x"}), "has a file that is told of otherwise"),
    "metadata that is none": (changed(**{"core-metadata": "x"}), "has a file that is told of otherwise"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_such_page_is_refused(name: str) -> None:
    data, message = BAD[name]
    for read in (parse_files, lambda page: require_own(page, JSON)):
        with pytest.raises(BadPage, match=message):
            read(data)
