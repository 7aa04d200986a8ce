"""A builder that remembers."""

from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from kfp_release.buildah import BUILT, BuildRequest
from kfp_release.digest import Digest
from kfp_release.image import Image
from kfp_release.kept_builds import KeptBuilds
from kfp_release.layout import Layout
from kfp_release.manifest import OCI_LAYER_GZIP, Descriptor, ImageConfig, Manifest
from kfp_release.progress import Progress, Silent

BASE = f"registry.example/base@sha256:{'1' * 64}"
REQUEST = BuildRequest(
    dockerfile=b"ARG BASE\nFROM ${BASE}\n", context={}, build_args={"BASE": BASE}, platform="linux/amd64"
)


class CountingBuilder:
    """A builder of one-layer images that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def build(self, request: BuildRequest, target: Path, *, progress: Progress) -> Layout:  # noqa: ARG002 - a Builder
        self.asked += 1
        layout = Layout.create(target)
        blob = b"layer of " + request.dockerfile
        layer = Descriptor(OCI_LAYER_GZIP, layout.write_blob(blob), len(blob))
        config = ImageConfig.of({"rootfs": {"type": "layers", "diff_ids": [str(Digest.of(blob))]}})
        layout.add(Image(Manifest.of(config.descriptor, (layer,), {}), config), name=BUILT)
        return layout


@pytest.fixture
def builder() -> CountingBuilder:
    return CountingBuilder()


def build(kept: KeptBuilds, request: BuildRequest, target: Path) -> Image:
    return kept.build(request, target, progress=Silent()).image(BUILT)


def test_the_same_request_is_built_once(tmp_path: Path, builder: CountingBuilder) -> None:
    kept = KeptBuilds(builder, tmp_path / "kept")
    first, second = (build(kept, REQUEST, tmp_path / name) for name in ("first", "second"))
    assert first == second
    assert builder.asked == 1


def test_a_base_of_the_same_digest_on_another_host_is_the_same_request(
    tmp_path: Path, builder: CountingBuilder
) -> None:
    kept = KeptBuilds(builder, tmp_path / "kept")
    build(kept, REQUEST, tmp_path / "first")
    moved = replace(REQUEST, build_args={"BASE": BASE.replace("registry.example", "127.0.0.1:5000")})
    build(kept, moved, tmp_path / "second")
    assert builder.asked == 1


def test_another_dockerfile_is_built(tmp_path: Path, builder: CountingBuilder) -> None:
    kept = KeptBuilds(builder, tmp_path / "kept")
    build(kept, REQUEST, tmp_path / "first")
    build(kept, replace(REQUEST, dockerfile=REQUEST.dockerfile + b"RUN true\n"), tmp_path / "second")
    assert builder.asked == 2


def test_a_damaged_layout_is_built_again(tmp_path: Path, builder: CountingBuilder) -> None:
    kept = KeptBuilds(builder, tmp_path / "kept")
    image = build(kept, REQUEST, tmp_path / "first")
    (home,) = (tmp_path / "kept").iterdir()
    blob = home / "blobs/sha256" / image.manifest.layers[0].digest.hex
    blob.unlink()
    blob.write_bytes(b"x" * image.manifest.layers[0].size)
    assert build(kept, REQUEST, tmp_path / "second") == image
    assert builder.asked == 2


def test_only_the_newest_are_kept_and_what_was_handed_out_stays(tmp_path: Path, builder: CountingBuilder) -> None:
    kept = KeptBuilds(builder, tmp_path / "kept", keep=1)
    first = build(kept, REQUEST, tmp_path / "first")
    build(kept, replace(REQUEST, platform="linux/arm64"), tmp_path / "second")
    assert len(list((tmp_path / "kept").iterdir())) == 1
    Layout(tmp_path / "first").blob(first.manifest.layers[0]).verify()


def test_what_a_killed_build_left_is_taken_away_a_day_later(tmp_path: Path, builder: CountingBuilder) -> None:
    old, young = tmp_path / "kept/.build-old", tmp_path / "kept/.build-young"
    for folder in (old, young):
        folder.mkdir(parents=True)
    os.utime(old, (0, 0))
    build(KeptBuilds(builder, tmp_path / "kept"), REQUEST, tmp_path / "first")
    assert not old.exists()
    assert young.exists()


def test_two_processes_at_once_both_get_the_layout(tmp_path: Path, builder: CountingBuilder) -> None:
    def one(name: str) -> Image:
        return build(KeptBuilds(builder, tmp_path / "kept", keep=1), REQUEST, tmp_path / name)

    with ThreadPoolExecutor() as pool:
        images = set(map(str, pool.map(one, map(str, range(8)))))
    assert len(images) == 1


def test_two_processes_with_different_requests_both_get_theirs(tmp_path: Path) -> None:
    folder = tmp_path / "kept"

    class Overtaken(CountingBuilder):
        """While it builds, others finish that began later."""

        def build(self, request: BuildRequest, target: Path, *, progress: Progress) -> Layout:
            layout = super().build(request, target, progress=progress)
            for number in range(2):
                other = replace(request, dockerfile=request.dockerfile + b"RUN %d\n" % number)
                build(KeptBuilds(CountingBuilder(), folder), other, tmp_path / f"other-{number}")
            os.utime(target, (0, 0))
            return layout

    kept = KeptBuilds(Overtaken(), folder)
    assert build(kept, REQUEST, tmp_path / "mine").manifest.layers
    assert build(kept, REQUEST, tmp_path / "again").manifest.layers


def test_where_nothing_can_be_kept_it_is_built_all_the_same(tmp_path: Path, builder: CountingBuilder) -> None:
    (tmp_path / "file").touch()
    kept = KeptBuilds(builder, tmp_path / "file" / "kept")
    assert build(kept, REQUEST, tmp_path / "first") == build(kept, REQUEST, tmp_path / "second")
    assert builder.asked == 2


def test_a_folder_that_takes_no_more_is_gone_without(
    tmp_path: Path, builder: CountingBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("kfp_release.kept_builds.TemporaryDirectory", full)
    kept = KeptBuilds(builder, tmp_path / "kept")
    assert build(kept, REQUEST, tmp_path / "first") == build(kept, REQUEST, tmp_path / "second")
    assert builder.asked == 2


def test_a_kept_build_whose_time_cannot_be_set_is_handed_out(
    tmp_path: Path, builder: CountingBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = KeptBuilds(builder, tmp_path / "kept")
    build(kept, REQUEST, tmp_path / "first")

    def refuse(_: Path, **of_a_copy: object) -> None:
        if not of_a_copy:
            raise PermissionError

    monkeypatch.setattr(os, "utime", refuse)
    build(kept, REQUEST, tmp_path / "second")
    assert builder.asked == 1


def test_a_build_that_fails_leaves_nothing(tmp_path: Path) -> None:
    class Failing:
        def build(self, request: BuildRequest, target: Path, *, progress: Progress) -> Layout:  # noqa: ARG002 - likewise
            target.mkdir()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        KeptBuilds(Failing(), tmp_path / "kept").build(REQUEST, tmp_path / "target", progress=Silent())
    assert list((tmp_path / "kept").iterdir()) == []
    assert not (tmp_path / "target").exists()
