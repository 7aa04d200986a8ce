from __future__ import annotations

from collections.abc import Callable

import pytest

from kfp_release.requirement import BadRequirement, counts_in, environment, parse_requirement, parse_specifiers


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("a", True),
        ("a>=1 ; python_version >= '3.12'", True),
        ("a ; python_version ~= '3.13'", False),
        ("a ; python_version in '3.11 3.12'", True),
        ("a ; '3.8' < python_version", True),
        ("a ; python_version > 'three'", False),
        ("a ; platform_release >= '5'", False),
        ("a ; extra == 'gpu'", False),
        ("a ; sys_platform == 'win32' or platform_machine == 'x86_64'", True),
    ],
)
def test_a_requirement_counts_where_its_marker_holds(text: str, *, counts: bool) -> None:
    assert counts_in(parse_requirement(text), environment("linux/amd64", "3.12")) is counts


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' is no requirement: Expected package name"),
        ("a=>1", "'a=>1' is no requirement"),
        ("a ; python == '3'", "is no requirement"),
        ("a ; " + "(" * 300 + "os_name == 'x'" + ")" * 300, "has 300 parentheses"),
        ("a ; python_version ~= '3'", "has a marker that cannot be evaluated: Undefined <Op('~=')> on '3.12' and '3'"),
        ("a ; os_name === 'posix'", "has a marker that cannot be evaluated: Undefined <Op('===')>"),
        ("a ; 'x' in extras", "has a marker that cannot be evaluated: 'extras'"),
        ("a ; 'dev' in dependency_groups", "has a marker that cannot be evaluated: 'dependency_groups'"),
        ("a ; os_name == 'posix' or 'a' == 'b'", "has a marker that cannot be evaluated: 'b'"),
    ],
)
def test_what_is_none_or_has_no_answer_is_refused(text: str, message: str) -> None:
    with pytest.raises(BadRequirement) as caught:
        parse_requirement(text)
    assert message in str(caught.value)
    assert caught.value.remedy


def test_machines_have_the_names_that_markers_give_them() -> None:
    assert environment("linux/arm64/v8", "3.12")["platform_machine"] == "aarch64"
    assert environment("linux/s390x", "3.12")["platform_machine"] == "s390x"


def test_python_s_versions_are_specifiers() -> None:
    assert parse_specifiers(">=3.11, <4").contains("3.12")
    with pytest.raises(BadRequirement, match="'>>3' are no version specifiers") as caught:
        parse_specifiers(">>3")
    assert caught.value.remedy


@pytest.mark.parametrize("parse", [parse_requirement, parse_specifiers])
def test_numbers_that_no_version_has_are_refused(parse: Callable[[str], object]) -> None:
    for text in (">=1." + "9" * 4400, ">=" + "9," * 4000):
        with pytest.raises(BadRequirement, match=r"goes on for|is no requirement") as caught:
            parse(text)
        assert caught.value.remedy
