"""The package's own names of images and registries are what kfp-release has."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfp_release import image_ref
from kfp_release.digest import Digest
from kfp_release.image_ref import BadImageName, has_digest, repository_of
from kfp_release.package_files._operators.image_name import BadRegistry, ImageName, Registry, path_of
from kfp_release.package_files._operators.owned import Owned

DIGEST = Digest.of(b"an image")
HOME = "533211398604.dkr.ecr.eu-north-1.amazonaws.com/team/demo"
REGISTRIES = [
    *("host.example", "host.example:5000/a/b", "localhost", "[::1]:5000/a", "a.b/c__d", "533211398604.dkr.ecr.x.y"),
    *(
        "",
        "/",
        "host.example/",
        "https://host.example",
        "nodots",
        "host.example/Upper",
        "host.example/a//b",
        "a.b:99999",
    ),
    *("a.b/" + "c" * 251, "a.b/" + "c" * 252, "a.b\n", "a.b/ä", "[::1", "a..b", "-a.b"),
]
IMAGES = [
    *("python", "python:3.12", "localhost:5000/a/b", "localhost:5000/a/b:1.0", "a/b@sha256:short", ""),
    *(
        f"a/b@{DIGEST}",
        f"h:1/a/b:1@{DIGEST}",
        f"[::1]:5000/a:1@{DIGEST}",
        f"a@b@{DIGEST}",
        f"@{DIGEST}",
        f"a@{DIGEST}\n",
    ),
]


def registry_of(text: str) -> image_ref.Registry | None:
    try:
        return image_ref.Registry.parse(text)
    except BadImageName:
        return None


def same_registry(text: str) -> None:
    theirs = registry_of(text)
    if theirs is None:
        with pytest.raises(BadRegistry, match="is not a registry: write HOST or HOST/PREFIX"):
            Registry.parse(text)
        return
    ours = Registry.parse(text)
    assert (ours.host, ours.prefix, str(ours)) == (theirs.host, theirs.prefix, str(theirs))


def same_image(text: str) -> None:
    image = ImageName.parse(text)
    assert image.repository == repository_of(text)
    assert bool(image.digest) == has_digest(text)


@pytest.mark.parametrize("text", REGISTRIES)
def test_a_registry_is_what_kfp_release_takes_for_one(text: str) -> None:
    same_registry(text)


@pytest.mark.parametrize("text", IMAGES)
def test_an_image_is_what_kfp_release_takes_it_for(text: str) -> None:
    same_image(text)


@given(st.one_of(st.text(), st.from_regex(r"[a-z0-9.\[\]:-]{1,20}(/[a-z0-9._/-]{0,20})?(@.*)?", fullmatch=True)))
def test_any_text_is_taken_alike(text: str) -> None:
    same_registry(text)
    same_image(text)
    same_image(f"{text}@{DIGEST}")


@given(
    st.sampled_from([one for one in REGISTRIES if registry_of(one)]),
    st.from_regex(r"(localhost|a\.b):[1-9]{1,3}/[a-z0-9._/-]{1,240}", fullmatch=True),
)
def test_a_repository_moves_to_a_registry_as_kfp_release_moves_it(registry: str, text: str) -> None:
    with contextlib.suppress(BadImageName):
        repository = image_ref.Repository.parse(text)
        try:
            there = str(repository.at_registry(image_ref.Registry.parse(registry)))
        except BadImageName:
            with pytest.raises(BadRegistry, match="255 at most"):
                Registry.parse(registry).repository(path_of(text))
        else:
            assert Registry.parse(registry).repository(path_of(text)) == there


@pytest.mark.parametrize(
    ("text", "home"),
    [
        (f"{HOME}:1.2", HOME),
        (f"mirror.example/team/demo@{DIGEST}", HOME),
        (f"mirror.example:5000/cache/team/demo:1.2@{DIGEST}", HOME),
        (f"mirror.example/renamed@{DIGEST}", HOME),
        ("mirror.example/other-team/demo", None),
        ("mirror.example/steam/demo", None),
        ("mirror.example/team/demo/more", None),
        ("team/demo", HOME),
        ("host.example/tool:1", "host.example/tool"),
        ("mirror.example/tool:1", "host.example/tool"),
        ("mirror.example/anybody/tool:1", None),
        ("mirror.example/more/team/demo/nested", "host.example/more/team/demo/nested"),
        ("python:3.12", None),
    ],
)
def test_an_owned_image_is_known_by_its_path_or_by_a_pinned_digest(text: str, home: str | None) -> None:
    repositories = (HOME, "host.example/tool", "host.example/more/team/demo/nested", "host.example/demo/nested")
    owned = Owned(repositories, {str(DIGEST): HOME})
    assert owned.home(ImageName.parse(text)) == home
