"""Manifests and configs, as registries hand them out."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfp_release.digest import Digest
from kfp_release.errors import ReleaseError
from kfp_release.manifest import (
    DOCKER_MANIFEST,
    MAX_MANIFEST,
    OCI_CONFIG,
    OCI_LAYER_GZIP,
    OCI_MANIFEST,
    BadImage,
    Descriptor,
    ImageConfig,
    Manifest,
    canonical_json,
)

LAYER = Descriptor(OCI_LAYER_GZIP, Digest.of(b"layer"), 5)
CONFIG = Descriptor(OCI_CONFIG, Digest.of(b"config"), 6)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def manifest_with(**changes: Any) -> bytes:
    return json.dumps({"schemaVersion": 2, "config": CONFIG.to_json(), "layers": [LAYER.to_json()], **changes}).encode()


def config_with(**run: Any) -> ImageConfig:
    return ImageConfig.of({"config": run, "rootfs": {"diff_ids": []}})


def test_the_bytes_of_a_manifest_are_kept() -> None:
    data = b'{ "config" : ' + json.dumps(CONFIG.to_json()).encode() + b', "layers" : [ ] }'
    manifest = Manifest.parse(data, OCI_MANIFEST)
    assert manifest.data == data
    assert manifest.digest == Digest.of(data)
    assert manifest.descriptor == Descriptor(OCI_MANIFEST, Digest.of(data), len(data))


def test_a_new_manifest_reads_as_what_it_was_made_of() -> None:
    made = Manifest.of(CONFIG, (LAYER,), {"b": "2", "a": "1"})
    assert Manifest.parse(made.data, OCI_MANIFEST) == made
    assert json.loads(made.data)["mediaType"] == OCI_MANIFEST
    assert made.data == Manifest.of(CONFIG, (LAYER,), {"a": "1", "b": "2"}).data


def test_dockers_manifests_are_read_too() -> None:
    assert Manifest.parse(manifest_with(mediaType=DOCKER_MANIFEST), DOCKER_MANIFEST).layers == (LAYER,)


@pytest.mark.parametrize(
    ("data", "media_type", "says"),
    [
        (b"{", OCI_MANIFEST, "is not JSON"),
        (b"\xff", OCI_MANIFEST, "is not JSON"),
        (b"[" * 100_000, OCI_MANIFEST, "is not JSON"),
        (b"[]", OCI_MANIFEST, "is not a JSON object"),
        (b" " * (MAX_MANIFEST + 1), OCI_MANIFEST, "the manifest has 4,194,305 bytes, and 4,194,304 are the most"),
        (manifest_with(), "application/vnd.oci.image.index.v1+json", "is not the media type of an image manifest"),
        (manifest_with(mediaType=DOCKER_MANIFEST), OCI_MANIFEST, "calls itself"),
        (manifest_with(layers=None), OCI_MANIFEST, "no list of layers"),
        (manifest_with(layers=[1]), OCI_MANIFEST, "1 is not a descriptor"),
        (manifest_with(config={"size": 1}), OCI_MANIFEST, "is not a descriptor"),
        (manifest_with(config={**CONFIG.to_json(), "size": True}), OCI_MANIFEST, "is not a descriptor"),
        (manifest_with(config={**CONFIG.to_json(), "size": -1}), OCI_MANIFEST, "is not a descriptor"),
        (manifest_with(config={**CONFIG.to_json(), "digest": "sha256:1"}), OCI_MANIFEST, "is not a digest"),
        (manifest_with(annotations={"a": 1}), OCI_MANIFEST, "annotations are not texts"),
        (manifest_with(annotations=["a"]), OCI_MANIFEST, "annotations are not texts"),
    ],
)
def test_what_is_no_image_manifest_is_refused(data: bytes, media_type: str, says: str) -> None:
    with pytest.raises(ReleaseError, match=says):
        Manifest.parse(data, media_type)


def test_a_config_tells_platform_labels_and_environment() -> None:
    config = ImageConfig.of(
        {
            "os": "linux",
            "architecture": "arm64",
            "variant": "v8",
            "config": {"Labels": {"a": "b"}, "Env": ["PATH=/bin", "EMPTY=", "EQUALS=a=b"]},
            "rootfs": {"diff_ids": [str(LAYER.digest)]},
        }
    )
    assert config.platform == "linux/arm64/v8"
    assert config.labels == {"a": "b"}
    assert config.environment == {"PATH": "/bin", "EMPTY": "", "EQUALS": "a=b"}
    assert config.diff_ids == (LAYER.digest,)
    assert ImageConfig.parse(config.data) == config
    assert config.descriptor == Descriptor(OCI_CONFIG, Digest.of(config.data), len(config.data))


def test_a_config_without_labels_and_environment_has_none() -> None:
    config = ImageConfig.of({"rootfs": {"diff_ids": []}})
    assert (dict(config.labels), dict(config.environment), config.platform) == ({}, {}, "")


@pytest.mark.parametrize("data", [b"", b"{}", b"3", b'{"rootfs": 1}', b'{"rootfs": {"diff_ids": [1]}}'])
def test_what_is_no_config_is_refused(data: bytes) -> None:
    with pytest.raises(BadImage):
        ImageConfig.parse(data)


def test_labels_and_environment_of_another_type_are_refused() -> None:
    with pytest.raises(BadImage, match="labels are not texts"):
        _ = config_with(Labels={"a": 1}).labels
    with pytest.raises(BadImage, match="Env is no list"):
        _ = config_with(Env=5).environment
    with pytest.raises(BadImage, match="'config' that is no object"):
        _ = ImageConfig.of({"config": [1], "rootfs": {"diff_ids": []}}).labels


def test_half_a_character_cannot_be_hashed() -> None:
    with pytest.raises(BadImage, match=r"UTF-8 cannot hold.*ud800"):
        canonical_json({"a": json.loads('"\\ud800"')})


@given(JSON)
def test_any_json_is_a_descriptor_or_a_release_error(value: Any) -> None:
    with contextlib.suppress(ReleaseError):
        Descriptor.parse(value)


@given(JSON, st.sampled_from(["config", "layers", "annotations", "mediaType", "rootfs", "os"]), JSON)
def test_any_json_is_an_image_or_a_release_error(value: Any, key: str, changed: Any) -> None:
    for data in (json.dumps(value).encode(), manifest_with(**{key: changed})):
        with contextlib.suppress(ReleaseError):
            Manifest.parse(data, OCI_MANIFEST)
    try:
        config = ImageConfig.parse(json.dumps({"rootfs": {"diff_ids": []}, "config": value, key: changed}).encode())
        _ = config.labels, config.environment, config.platform
    except ReleaseError:
        pass


@given(st.binary())
def test_any_bytes_are_an_image_or_a_release_error(data: bytes) -> None:
    for parse in (lambda: Manifest.parse(data, OCI_MANIFEST), lambda: ImageConfig.parse(data)):
        with contextlib.suppress(ReleaseError):
            parse()
