"""Pages get safe file names, each its own."""

from __future__ import annotations

import re

import pytest
from packaging.version import Version

from kfp_release.catalog.page_name import component_page, version_page
from kfp_release.version import ReleaseVersion


@pytest.mark.parametrize("name", ["multiply_op", "a", "x2_op"])
def test_an_ordinary_operator_keeps_its_name(name: str) -> None:
    assert component_page(name) == f"components/{name}.html"


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "../x", "a/b", "a\\b", "a b", "A_op", "\u0130_op", "\u00e4_op", "con", "nul.op", "com1", "-a"),
        *("a" * 101, "a\0b", "\ud800", "<script>", "%2e%2e", "a:b", "a?b", "a#b", "\u202e"),
    ],
)
def test_another_gets_a_safe_one_of_its_own(name: str) -> None:
    page = component_page(name)
    assert re.fullmatch(r"components/[a-z0-9_]{1,60}-[0-9a-f]{12}\.html", page), page
    assert page != component_page(name + " ")


def test_names_that_differ_by_case_do_not_meet() -> None:
    pages = [component_page(name) for name in ("train_op", "Train_op", "TRAIN_op")]
    assert len({page.lower() for page in pages}) == 3


@pytest.mark.parametrize(
    ("text", "page"), [("1.2", "versions/1.2.html"), ("2.0rc1", "versions/2.0rc1.html"), ("1!2.0", "versions/1_2_0-")]
)
def test_a_version_is_in_its_own_file(text: str, page: str) -> None:
    assert version_page(ReleaseVersion(Version(text))).startswith(page)


def test_a_snapshot_and_a_release_do_not_meet() -> None:
    snapshot = version_page(ReleaseVersion(Version("1.3.dev4+gabc1234")))
    assert re.fullmatch(r"versions/1_3_dev4_gabc1234-[0-9a-f]{12}\.html", snapshot)
