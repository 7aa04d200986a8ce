"""The sandbox's base image, made for real by mmdebstrap; small ones, but for the one that sandboxes share."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from ecr_fixtures import LocalEcr, running_ecr

from kfp_release.buildah import host_platform
from kfp_release.cache import cache_folder
from kfp_release.errors import ReleaseError
from kfp_release.layout import Layout
from kfp_release.progress import Silent
from kfp_release.sandbox.base import SUITE, base_image, push_base
from kfp_release.sandbox.packages import ensure


@dataclass
class Steps(Silent):
    """Progress that remembers its steps and notes."""

    told: list[str] = field(default_factory=list)

    def step(self, text: str) -> None:
        self.told.append(text)

    def note(self, text: str) -> None:
        self.told.append(text)


@pytest.fixture(scope="module")
def shared() -> Layout:
    """The image of the user's cache, which every sandbox takes."""
    ensure("mmdebstrap", progress=Silent())
    return base_image(cache_folder(), progress=Silent())


@pytest.fixture(scope="module")
def ecr(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalEcr]:
    with running_ecr(tmp_path_factory.mktemp("ecr")) as running:
        yield running


def names(layout: Layout) -> set[str]:
    (layer,) = layout.image(SUITE).manifest.layers
    with layout.blob(layer).open() as file:
        data = gzip.decompress(file.read())
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {name.removeprefix("./") for name in tar.getnames()}


def test_the_image_is_found_again_without_a_word(shared: Layout) -> None:
    progress = Steps()
    assert base_image(cache_folder(), progress=progress) == shared
    assert progress.told == []


def test_it_has_what_the_dockerfile_needs_and_little_else(shared: Layout) -> None:
    inside = names(shared)
    assert "usr/bin/python3" in inside
    assert "etc/ssl/certs/ca-certificates.crt" in inside
    assert any(name.startswith("usr/lib/python3.11/ensurepip/") for name in inside)
    assert any("/libstdc++.so.6" in name for name in inside)
    assert not [name for name in inside if name.startswith(("usr/share/doc/", "usr/share/man/", "usr/share/perl/"))]
    assert not [name for name in inside if name.endswith((".deb", "_Packages"))]


def test_its_config_names_this_machine_and_no_user_or_entrypoint(shared: Layout) -> None:
    config = shared.image(SUITE).config
    assert config.platform == host_platform()
    assert config.environment["PATH"].split(":")[-1] == "/bin"
    assert "Entrypoint" not in config.value["config"]


def test_it_is_pushed_once_and_pulled_by_its_digest(shared: Layout, ecr: LocalEcr) -> None:
    store = ecr.repository("base/debian-python", create=False)
    first = push_base(shared, store, progress=Silent())
    assert push_base(shared, store, progress=Silent()) == first
    assert str(first).startswith(f"{ecr.registry.host}/base/debian-python:bookworm-")
    assert store.find(first.digest) == shared.image(SUITE).manifest


def test_a_mirror_that_cannot_be_reached_is_a_clear_error_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure("mmdebstrap", progress=Silent())
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    progress = Steps()
    with pytest.raises(
        ReleaseError, match="the base image could not be made: mmdebstrap ended with exit code"
    ) as caught:
        base_image(tmp_path, progress=progress)
    assert "127.0.0.1" in str(caught.value)
    assert progress.told[0] == "make a base image of Debian's packages, once"
    assert [file.suffix for file in tmp_path.iterdir()] == [".lock"]


def test_without_mmdebstrap_the_error_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ReleaseError, match="mmdebstrap is not installed") as caught:
        base_image(tmp_path, progress=Silent())
    assert "apt-get install mmdebstrap" in caught.value.remedy
    assert "KFP_RELEASE_BUILD_ARG_BASE" in caught.value.remedy
