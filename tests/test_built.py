"""Only what a build wrote, whole and pinned, is a built release."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from archives import NAME
from ecr_fixtures import HOST
from publish_fixtures import (
    COMPONENT,
    PROJECT,
    SDIST,
    packed_anew,
    parts,
    pin_to,
    sbom_of,
    wheel_sbom_of,
    write_dist,
    write_distributions,
)

from kfp_release.built import BadBuild, BuiltRelease, sbom_name
from kfp_release.carried_pins import SDIST_SBOM
from kfp_release.digest import Digest
from kfp_release.image_ref import Repository
from kfp_release.layout import Layout
from kfp_release.manifest import ImageConfig, Manifest
from kfp_release.record import BadRecord, PinnedImage, Pins
from kfp_release.sdist import Sdist

REPOSITORY = Repository.parse(f"{HOST}/team/demo")
ONLY = "only what kfp-release build made from a plan can be published"


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    runtime, package = parts()
    write_dist(tmp_path / "dist", REPOSITORY, runtime, package)
    return tmp_path / "dist"


def refused(dist: Path, message: str) -> BadBuild:
    with pytest.raises(BadBuild, match=message) as caught:
        BuiltRelease.read(dist)
    return caught.value


def pinned(dist: Path) -> PinnedImage:
    (image,) = BuiltRelease.read(dist).record.pins.images
    return image


def rewrite(dist: Path, image: str, *images: PinnedImage) -> None:
    """Wheel, sdist and release.json of a component file that names `image`, with the pins of `images`."""
    pins = BuiltRelease.read(dist).record.pins
    text = COMPONENT.format(image).encode()
    part = replace(pins.components[0], images=(image,), sha256=Digest.of(text).hex)
    write_distributions(dist, replace(pins, images=images, components=(part,)), text)


def test_what_was_built_is_one(dist: Path) -> None:
    built = BuiltRelease.read(dist)
    assert [item.filename for item in built.record.distributions] == [SDIST, NAME]


def test_a_component_file_of_another_digest_is_refused(dist: Path) -> None:
    image = pinned(dist)
    other = f"{REPOSITORY}:1.2@sha256:{'b' * 64}"
    rewrite(dist, other, image)
    error = refused(dist, f"multiply.yaml names {other}, and demo is pinned to {image.pin}")
    assert error.remedy == ONLY


def test_a_component_file_of_the_tag_alone_is_refused(dist: Path) -> None:
    rewrite(dist, f"{REPOSITORY}:1.2", pinned(dist))
    refused(dist, f"multiply.yaml names {REPOSITORY}:1.2, and demo is pinned to")


def test_a_foreign_image_without_a_digest_is_refused(dist: Path) -> None:
    rewrite(dist, "ghcr.io/other/tool:3", pinned(dist))
    refused(dist, "multiply.yaml names ghcr.io/other/tool:3, which carries no digest")


def test_a_release_that_pins_no_image_is_refused(dist: Path) -> None:
    rewrite(dist, pinned(dist).pin)
    refused(dist, "its pins.json pins no image")


def relist(dist: Path, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
    record = json.loads((dist / "release.json").read_bytes())
    record["distributions"] = change(record["distributions"])
    (dist / "release.json").write_text(json.dumps(record), encoding="utf-8")


LISTS: dict[str, Callable[[list[dict[str, Any]]], list[dict[str, Any]]]] = {
    "no file": lambda _: [],
    "no sdist": lambda files: files[1:],
    "no wheel": lambda files: files[:1],
    "the wheel first": lambda files: files[::-1],
    "two sdists": lambda files: [files[0], *files],
    "the wheel of another project": lambda files: [files[0], {**files[1], "project": "others"}],
    "another project's files last": lambda files: [*files, {**files[0], "project": "others"}],
}


@pytest.mark.parametrize("name", LISTS)
def test_a_release_is_one_sdist_and_one_wheel_and_the_wheel_is_last(dist: Path, name: str) -> None:
    relist(dist, LISTS[name])
    error = refused(dist, f"it should list one sdist and then one wheel of {PROJECT}, the wheel last of all")
    assert str(dist / "release.json") in str(error)
    assert error.remedy == ONLY


def test_files_of_other_projects_come_before(dist: Path) -> None:
    relist(dist, lambda files: [{**files[0], "project": "others"}, *files])
    assert len(BuiltRelease.read(dist).record.distributions) == 3


def test_a_file_of_another_length_than_it_is_listed_with_is_refused(dist: Path) -> None:
    relist(dist, lambda files: [files[0], {**files[1], "size": 7}])
    error = refused(dist, "some_components-1.2-py3-none-any.whl has [0-9]+ bytes, release.json says 7")
    assert error.remedy == "build again: kfp-release build"


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", ["release.json", SDIST])
def test_a_device_or_a_pipe_is_no_file_of_a_release(dist: Path, name: str) -> None:
    (dist / name).unlink()
    os.mkfifo(dist / name)
    refused(dist, f"{name} cannot be read: it is no plain file")
    (dist / name).unlink()
    (dist / name).symlink_to("/dev/zero")
    refused(dist, f"{name} cannot be read: it is no plain file")


def blob(dist: Path, digest: Digest) -> Path:
    return dist / "image/blobs/sha256" / digest.hex


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def change(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1] + b"?")


@pytest.mark.parametrize("spoil", [Path.unlink, cut, change])
@pytest.mark.parametrize("part", ["manifest", "config", "layer"])
def test_an_image_that_is_damaged_is_built_again(dist: Path, part: str, spoil: Callable[[Path], None]) -> None:
    manifest = BuiltRelease.read(dist).image(pinned(dist)).manifest
    digests = {"manifest": manifest.digest, "config": manifest.config.digest, "layer": manifest.layers[-1].digest}
    spoil(blob(dist, digests[part]))
    error = refused(dist, "image demo" if part != "layer" else "(lacks the package layer of )?image demo")
    assert error.remedy == "build again: kfp-release build"
    assert "runtime" not in str(error)


@pytest.mark.parametrize(
    "spoil",
    [
        shutil.rmtree,
        lambda folder: (folder / "oci-layout").write_text("{}"),
        lambda folder: (folder / "oci-layout").write_text('{"imageLayoutVersion": "2.0.0"}'),
        lambda folder: (folder / "index.json").write_text("{}"),
        lambda folder: (folder / "index.json").write_text('{"manifests": []}'),
        lambda folder: (folder / "index.json").unlink(),
    ],
)
def test_a_layout_that_is_damaged_is_built_again(dist: Path, spoil: Callable[[Path], object]) -> None:
    spoil(dist / "image")
    assert refused(dist, "image demo cannot be read: .*image").remedy == "build again: kfp-release build"


def test_an_image_that_was_adopted_may_name_other_bytes_of_the_package_layer(dist: Path) -> None:
    """Another tool copied it and packed its layers anew: ECR has those, and the layout what was built here."""
    layer = BuiltRelease.read(dist).image(pinned(dist)).manifest.layers[-1]
    packed_anew(dist)
    assert BuiltRelease.read(dist).image(pinned(dist)).manifest.layers[-1] != layer
    blob(dist, layer.digest).unlink()
    refused(dist, "lacks the package layer of image demo")


def test_an_image_without_a_layer_has_no_package(dist: Path) -> None:
    layout = Layout(dist / "image")
    config = ImageConfig.of({"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": []}})
    manifest = Manifest.of(config.descriptor, (), {})
    layout.add(replace(layout.image("demo"), manifest=manifest, config=config), name="demo")
    pin_to(dist, manifest.digest)
    refused(dist, "lacks the package layer of image demo")


def test_an_image_without_its_sbom_is_built_again(dist: Path) -> None:
    (dist / "demo.cdx.json").unlink()
    assert "kfp-release build" in refused(dist, r"demo\.cdx\.json cannot be read: No such file").remedy


def test_an_sbom_of_another_image_is_refused(dist: Path) -> None:
    image = pinned(dist)
    other = replace(image, pin=f"{image.pin.partition('@')[0]}@sha256:{'0' * 64}")
    (dist / "demo.cdx.json").write_bytes(sbom_of(other).data)
    refused(dist, f"is the SBOM of sha256:{'0' * 64} on runtime-{image.runtime_key}, and release.json pins")


def test_an_sbom_that_is_none_is_refused(dist: Path) -> None:
    (dist / "demo.cdx.json").write_bytes(b"{}")
    refused(dist, "is not the SBOM of image demo: it is no SBOM in CycloneDX that names its subject")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, r"carries no SBOM of the wheel: .* has no kfp-release-sbom\.cdx\.json"),
        (b"{}", "carries no SBOM of the wheel: it is no SBOM in CycloneDX"),
        (lambda pins: wheel_sbom_of(replace(pins, commit="d" * 40)), "or another commit"),
        (lambda pins: wheel_sbom_of(replace(pins, images=())), "carry different SBOMs"),
    ],
    ids=["missing", "none", "of another commit", "other bytes than the wheel's"],
)
def test_an_sdist_that_carries_no_sbom_of_its_wheel_is_refused(
    dist: Path, data: Callable[[Pins], bytes] | bytes | None, said: str
) -> None:
    record = BuiltRelease.read(dist).record
    sdist = Sdist.parse(SDIST, (dist / SDIST).read_bytes()).without([SDIST_SBOM])
    if data is not None:
        sdist = sdist.with_files({SDIST_SBOM: data if isinstance(data, bytes) else data(record.pins)})
    (dist / SDIST).write_bytes(sdist.to_bytes(0))
    packed = (dist / SDIST).read_bytes()
    files = [replace(record.distributions[0], sha256=Digest.of(packed).hex, size=len(packed)), record.distributions[1]]
    (dist / "release.json").write_bytes(replace(record, distributions=tuple(files)).to_json())
    refused(dist, said)


@pytest.mark.parametrize("name", ["../demo", "a/b", "c:x", "x\n"])
def test_a_name_leads_to_no_file_elsewhere(name: str) -> None:
    image = PinnedImage(name, REPOSITORY, f"{REPOSITORY}:1.2@sha256:{'0' * 64}", "0" * 32, "linux/amd64")
    with pytest.raises(BadRecord, match="is not a file's name"):
        sbom_name(image)
