from __future__ import annotations

import pytest

from kfp_release.dockerfile import BadDockerfile, BaseImage, Dockerfile, base_images

EXACT = f"python:3.12@sha256:{'0' * 64}"


@pytest.mark.parametrize(
    ("text", "images"),
    [
        ("FROM a", ["a"]),
        ("from a as b\nFROM c AS d", ["a", "c"]),
        ("FROM a AS b\nFROM b", ["a"]),
        ("FROM a AS Build\nFROM bUILD", ["a"]),
        ("FROM scratch\nCOPY a b", []),
        ("FROM --platform=linux/amd64 a", ["a"]),
        ("FROM --platform=$BUILDPLATFORM \\\n  # why\n  a \\\n  AS b", ["a"]),
        ("ARG BASE\nFROM $BASE", ["base:1"]),
        ("ARG BASE=other\nFROM ${BASE}", ["base:1"]),
        ("ARG OTHER=x\nFROM $OTHER", ["x"]),
        ("ARG A=\"x\" B='y' C=z\nFROM $A\nFROM $B\nFROM $C", ["x", "y", "z"]),
        ("ARG A=x\nARG B=$A/y\nFROM ${B}:1", ["x/y:1"]),
        ("ARG A\nFROM ${A:-x}", ["x"]),
        ("ARG A=\nFROM ${A:-x}\nFROM a${A-y}", ["x", "ay"]),
        ("ARG A=1\nFROM x${A:+:alpine}\nFROM x${B:+:alpine}", ["x:alpine", "x"]),
        ("ARG A=x\nFROM a\nARG A=y\nFROM $A", ["a", "x"]),
        ("# syntax=docker/dockerfile:1\n# escape=`\nFROM `\n  a", ["a"]),
        ("\ufeff# comment\r\n\r\nFROM a\r\nRUN b \\\r\n  && c\r\n", ["a"]),
        ("FROM a\nRUN <<EOF\nFROM no\nEOF\nFROM b", ["a", "b"]),
        ("FROM a\nCOPY <<-'ONE' <<TWO /x/\nFROM no\n\tONE\nFROM no\nTWO\nFROM b", ["a", "b"]),
        ("FROM a\nRUN cat <<<word\nFROM b\nRUN echo $((1<<n))\nFROM c", ["a", "b", "c"]),
        ("FROM a\nRUN echo FROM no \\\n  FROM no\n# FROM no\nLABEL x='FROM no'", ["a"]),
        ("FROM a AS s\nCOPY --from=s x y\nCOPY --chown=1 --from=tool:1 x y\nCOPY --from=0 x y", ["a", "tool:1"]),
        ("FROM a\nRUN --mount=type=bind,from=tool:1,target=/t --mount=type=cache,target=/c t", ["a", "tool:1"]),
        ("FROM\ta", ["a"]),
        ("\tFROM\t--platform=linux/amd64\ta\tAS\tb\nFROM\tb", ["a"]),
        ("ARG\tA=x\nFROM \t${A}", ["x"]),
        ("FROM a\nCOPY\t--from=tool:1\tx y\nCOPY\t--chown=1\t--from=tool:2 x y", ["a", "tool:1", "tool:2"]),
        ("FROM a\nRUN\t--mount=type=bind,from=tool:1,target=/t\tt", ["a", "tool:1"]),
        ("FROM a\nRUN\t<<EOF\nFROM no\nEOF\nFROM\tb", ["a", "b"]),
    ],
)
def test_base_images_are_what_the_dockerfile_draws_on(text: str, images: list[str]) -> None:
    assert base_images(text, {"BASE": "base:1"}) == images


def test_a_build_argument_that_the_dockerfile_does_not_declare_changes_nothing() -> None:
    assert base_images("FROM a${BASE}", {"BASE": "b"}) == ["a"]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 0, "has no FROM"),
        ("ARG A=xy\n" + "ARG A=$A$A\n" * 60 + "FROM $A", 12, "'A=$A$A' comes to 4,096 letters"),
        ("ARG A=" + "x" * 4001 + "\nFROM a", 1, "comes to 4,001 letters"),
        ("FROM a" + "x" * 4000, 1, "comes to 4,001 letters"),
        ("# FROM a\nRUN b", 0, "has no FROM"),
        ("ARG BASE\n\nFROM ${BASE}", 3, "FROM ${BASE} names no image"),
        ("FROM a b c", 1, "FROM a b c names no image"),
        ("FROM", 1, "names no image"),
    ],
)
def test_a_dockerfile_without_an_image_is_refused_with_its_line(text: str, line: int, message: str) -> None:
    with pytest.raises(BadDockerfile) as caught:
        base_images(text, {})
    assert message in str(caught.value)
    assert caught.value.line == line
    assert caught.value.remedy


@pytest.mark.parametrize(("image", "exact"), [("a", False), ("a:1", False), (EXACT, True), ("a@sha256:0", False)])
def test_a_base_image_is_exact_by_its_digest(image: str, *, exact: bool) -> None:
    assert BaseImage(image, 1).has_digest is exact


def test_an_entrypoint_is_found_unless_it_clears_the_base_s() -> None:
    dockerfile = Dockerfile.parse(
        'FROM a\nENTRYPOINT [ ]\nentrypoint \\\n  ["a"]\nENTRYPOINT b\nENTRYPOINT\t[\t]\nENTRYPOINT\tc\n\\\n'
    )
    assert [found.line for found in dockerfile.entrypoints()] == [3, 5, 7]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("ARG LOCK=b.lock\nFROM a\nARG LOCK\nCOPY x/${LOCK} builder.lock /opt/", {"b.lock", "builder.lock"}),
        ("FROM a\nARG LOCK=b.lock\nRUN pip install --requirement=/opt/$LOCK", {"b.lock"}),
        ('FROM a\nARG GIVEN=b.lock\nADD ["${GIVEN}", "/opt/"]', {"given.lock"}),
        ("FROM a\nRUN --mount=type=bind,source=a.lock,target=/x pip install -r /x&&rm b.lock", {"a.lock", "b.lock"}),
        ("FROM a\nRUN pip install -r ${LOCK:-b.lock}", None),
        ("FROM a\nARG LOCK=b\nENV LOCK=c A=$LOCK\nRUN pip install -r $LOCK.lock", None),
        ("FROM a\nRUN for x in a b; do pip install -r $x.lock; done", None),
        ("FROM a\nCOPY *.lock /opt/", None),
        ("FROM a\nCOPY a.lock /\nRUN <<X\npip install -r b.lock\nX", None),
        ("FROM a\nCOPY . /opt/\nLABEL x=a.lock", set()),
    ],
)
def test_the_locks_that_a_dockerfile_names_are_told_where_all_of_them_can_be(text: str, named: set[str] | None) -> None:
    assert Dockerfile.parse(text).files_named(".lock", {"GIVEN": "given.lock"}) == named
