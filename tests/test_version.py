"""Tags, versions and image tags are one thing."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfp_release.errors import ReleaseError
from kfp_release.version import BadVersion, ReleaseVersion


@pytest.mark.parametrize("tag", ["v1.2", "v1.10", "v2.0rc1", "v0.1.0", "v1.2.post1", "v3", "v1.0a1"])
def test_a_release_tag_is_v_and_a_version(tag: str) -> None:
    version = ReleaseVersion.from_tag(tag)
    assert version.tag == tag
    assert str(version) == version.image_tag == tag[1:]
    assert not version.is_snapshot


@pytest.mark.parametrize(
    ("tag", "says"),
    [
        ("1.2", "a release tag is v and a version"),
        ("", "a release tag is v and a version"),
        ("v", "a release tag is v and a version"),
        ("release-1.2", "a release tag is v and a version"),
        ("v1.x", "a release tag is v and a version"),
        ("v" + "9" * 5000, "is not a release tag"),
        ("v1.02", "git tag v1.2"),
        ("v1.2-rc1", "git tag v1.2rc1"),
        ("vv1.2", "git tag v1.2"),
        ("v1.2 ", "git tag v1.2"),
        ("v1.2.RC1", "git tag v1.2rc1"),
        ("v1!1.2", "epoch"),
        ("v1.3.dev4", "published with --snapshot"),
        ("v1.2+local", "a local part"),
    ],
)
def test_another_tag_is_refused_with_the_one_that_would_do(tag: str, says: str) -> None:
    with pytest.raises(BadVersion) as caught:
        ReleaseVersion.from_tag(tag)
    assert says in str(caught.value)


def test_a_snapshot_has_an_image_tag_and_no_git_tag() -> None:
    snapshot = ReleaseVersion.parse("1.3.dev4+gabc1234")
    assert snapshot.is_snapshot
    assert snapshot.image_tag == "1.3.dev4-gabc1234"
    with pytest.raises(BadVersion, match="has no git tag"):
        _ = snapshot.tag


def test_a_version_may_be_given_with_its_v() -> None:
    assert ReleaseVersion.parse("v1.2") == ReleaseVersion.parse("1.2") == ReleaseVersion.from_tag("v1.2")


@pytest.mark.parametrize(
    ("text", "says"),
    [("1.2.x", "write X.Y"), ("01.2", "write 1.2"), ("9" * 129, "write X.Y"), ("1." * 60_000 + "1", "write X.Y")],
)
def test_a_text_that_is_no_version_is_refused(text: str, says: str) -> None:
    with pytest.raises(BadVersion) as caught:
        ReleaseVersion.parse(text)
    assert says in str(caught.value)


@pytest.mark.parametrize(("text", "tag"), [("1.2", "v1.2"), ("1.3.dev4+gabc1234", "")])
def test_a_version_is_that_of_its_tag(text: str, tag: str) -> None:
    assert str(ReleaseVersion.tagged(text, tag)) == text


@pytest.mark.parametrize(
    ("text", "tag"), [("1.2", "v1.3"), ("1.2", ""), ("v1.2", "v1.2"), ("1.3.dev4", "v1.3"), ("1.2", "main"), ("x", "")]
)
def test_a_version_of_another_tag_is_refused(text: str, tag: str) -> None:
    with pytest.raises(BadVersion):
        ReleaseVersion.tagged(text, tag)


def test_versions_have_the_order_of_pep_440() -> None:
    texts = ["1.2.dev1", "1.2rc1", "1.2", "1.9", "1.10"]
    assert [str(version) for version in sorted(map(ReleaseVersion.parse, reversed(texts)))] == texts


@given(st.one_of(st.text(), st.from_regex(r"v?[0-9]{1,3}(\.[0-9]{1,3})*(rc[0-9])?[.+-]?[a-z0-9]*", fullmatch=True)))
def test_any_text_is_a_version_or_a_release_error(text: str) -> None:
    with contextlib.suppress(ReleaseError):
        assert ReleaseVersion.from_tag(text).tag == text
    with contextlib.suppress(ReleaseError):
        assert str(ReleaseVersion.parse(text)) == text.removeprefix("v")


@pytest.mark.parametrize(
    ("tag", "version"),
    [
        ("1.2", "1.2"),
        ("2.0rc1", "2.0rc1"),
        ("1.3.dev4-gabc1234", "1.3.dev4+gabc1234"),
        ("1.3.dev4", "1.3.dev4"),
        ("v1.2", None),
        ("1.02", None),
        ("1.2-hotfix", None),
        ("1.3.dev4-g-a", None),
        ("1!1.2", None),
        ("latest", None),
        ("runtime-0a", None),
        ("", None),
    ],
)
def test_the_version_of_an_image_tag(tag: str, version: str | None) -> None:
    found = ReleaseVersion.of_image_tag(tag)
    assert (None if found is None else str(found)) == version
    assert found is None or found.image_tag == tag
