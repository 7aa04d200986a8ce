"""Many images of a repository at once: their labels, and whether they are whole."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
from ecr_fixtures import LocalEcr, MemoryBlob, image_of, noise, pushed

from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository
from kfp_release.ecr_errors import EcrError
from kfp_release.image import LABEL_REVISION
from kfp_release.manifest import Descriptor, ImageConfig, Manifest
from kfp_release.progress import Silent
from kfp_release.stored_images import stored_images
from kfp_release.upload import upload_blobs


@pytest.fixture
def calls() -> Counter[str]:
    return Counter()


@pytest.fixture
def store(local: LocalEcr, calls: Counter[str], request: pytest.FixtureRequest) -> EcrRepository:
    client = local.client()
    client.meta.events.register("before-call.ecr", lambda model, **_: calls.update([model.name]))
    name = "tests/" + re.sub("[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
    return local.repository(name, client=client)


def labelled(store: EcrRepository, tag: str, seed: int, *, annotated: bool) -> Manifest:
    """An image whose config has a label, and its annotations too if it is `annotated`."""
    labels = {LABEL_REVISION: str(seed)}
    _, (layer, config) = image_of([MemoryBlob(noise(100, seed))])
    value = {**ImageConfig.parse(config.data).value, "config": {"Labels": labels}}
    made = ImageConfig.of(value)
    manifest = Manifest.of(made.descriptor, (layer.descriptor,), labels if annotated else {})
    upload_blobs(store, [layer, MemoryBlob(made.data, made.descriptor)], progress=Silent())
    store.put(manifest, tag)
    return manifest


def test_labels_are_read_from_annotations_and_only_where_there_are_none_from_configs(
    store: EcrRepository, calls: Counter[str]
) -> None:
    for seed in range(6):
        labelled(store, f"1.{seed}", seed, annotated=seed != 3)
    calls.clear()
    found = {image.tags[0]: image.labels for image in stored_images(store, store.images())}
    assert found == {f"1.{seed}": {LABEL_REVISION: str(seed)} for seed in range(6)}
    assert calls == {
        "DescribeImages": 1,
        "BatchGetImage": 1,
        "BatchCheckLayerAvailability": 1,
        "GetDownloadUrlForLayer": 1,
    }


def test_an_archived_image_keeps_its_tag_and_has_no_labels(store: EcrRepository) -> None:
    manifest = labelled(store, "1.0", 1, annotated=True)
    store.call(
        "update_image_storage_class", imageId={"imageDigest": str(manifest.digest)}, targetStorageClass="ARCHIVE"
    )
    (found,) = stored_images(store, store.images())
    assert (found.digest, found.tags, found.status, found.labels) == (manifest.digest, ("1.0",), "ARCHIVED", None)


def test_an_index_has_no_labels(store: EcrRepository) -> None:
    image = pushed(store, None)
    media_type = "application/vnd.oci.image.index.v1+json"
    index = f'{{"schemaVersion":2,"mediaType":"{media_type}","manifests":[]}}'
    store.call("put_image", imageManifest=index, imageManifestMediaType=media_type, imageTag="1.0")
    found = {one.digest: one.labels for one in stored_images(store, store.images())}
    assert found == {image.digest: {}, Digest.of(index.encode()): None}


def test_what_lacks_layers_says_which(store: EcrRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = pushed(store, "1.0")
    gone = {manifest.layers[0].digest, Digest("f" * 64)}
    monkeypatch.setattr(EcrRepository, "missing", lambda _self, _digests: gone)
    (found,) = stored_images(store, store.images())
    assert found.lacking == [manifest.layers[0].digest]


def test_a_config_that_nobody_hands_out_is_an_error(local: LocalEcr, store: EcrRepository) -> None:
    labelled(store, "1.0", 1, annotated=False)
    client = local.client()

    def elsewhere(parsed: dict[str, Any], **_: Any) -> None:
        parsed["downloadUrl"] += "-gone"

    client.meta.events.register("after-call.ecr.GetDownloadUrlForLayer", elsewhere)
    with pytest.raises(EcrError, match="HTTP 403"):
        stored_images(EcrRepository(client, store.repository), store.images())


@pytest.mark.parametrize("code", ["AccessDeniedException", "ServerException", ""])
def test_an_ecr_that_cannot_be_asked_for_a_config_is_an_error(
    store: EcrRepository, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    labelled(store, "1.0", 1, annotated=False)
    refuse_blobs(monkeypatch, code)
    with pytest.raises(EcrError, match="no answer"):
        stored_images(store, store.images())


@pytest.mark.parametrize("code", ["LayersNotFoundException", "LayerInaccessibleException"])
def test_a_config_that_ecr_lacks_leaves_an_image_without_labels(
    store: EcrRepository, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    labelled(store, "1.0", 1, annotated=False)
    refuse_blobs(monkeypatch, code)
    (found,) = stored_images(store, store.images())
    assert found.labels == {}


def refuse_blobs(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    def refuse(_self: EcrRepository, _descriptor: Descriptor) -> bytes:
        raise EcrError("no answer", code=code)

    monkeypatch.setattr(EcrRepository, "read_blob", refuse)
