"""A release of several images: looked at and sent beside each other, and put one after another."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ecr_fixtures import HOST, LocalEcr, MemoryBlob, noise, running_ecr
from publish_fixtures import COMMIT, COMPONENT, KEY, PROJECT, VERSION, MemoryIndex, parts, write_distributions
from signing_fixtures import LocalKey

from kfp_release.attestation import ARTIFACT_TYPE, UNSIGNED, Attestor
from kfp_release.built import BuiltRelease
from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository
from kfp_release.errors import Problems, ReleaseError
from kfp_release.image import LABEL_REVISION, LABEL_RUNTIME_KEY, LABEL_VERSION, with_package
from kfp_release.image_ref import ImageRef, Repository
from kfp_release.layout import Layout
from kfp_release.manifest import Manifest
from kfp_release.progress import Silent
from kfp_release.provenance import Provenance
from kfp_release.publish import Published, publish
from kfp_release.record import PinnedComponent, PinnedImage, Pins
from kfp_release.referrer import EMPTY
from kfp_release.referrers import attached
from kfp_release.run import Run
from kfp_release.upload import upload_blobs

NAMES = ("serve", "demo", "train")


@dataclass
class Place:
    """A built release of three images, their repositories with a runtime each, and the calls that write there."""

    folder: Path
    repositories: dict[str, EcrRepository]
    index: MemoryIndex = field(default_factory=MemoryIndex)
    written: list[tuple[str, str]] = field(default_factory=list)
    """Operation and image."""

    def publish(self, attestor: Attestor = UNSIGNED) -> Published:
        stores = {store.repository.name: store for store in self.repositories.values()}
        return publish(
            BuiltRelease.read(self.folder),
            stores=lambda repository: stores[repository.name],
            index=self.index,
            progress=Silent(),
            attestor=attestor,
        )


@pytest.fixture(scope="module")
def ecr(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalEcr]:
    with running_ecr(tmp_path_factory.mktemp("ecr")) as running:
        yield running


@pytest.fixture
def place(ecr: LocalEcr, tmp_path: Path, request: pytest.FixtureRequest) -> Place:
    home = "tests/" + re.sub("[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
    place, client = Place(tmp_path / "dist", {}), ecr.client()
    runtime, package = parts()
    labels = {LABEL_VERSION: str(VERSION), LABEL_REVISION: COMMIT, LABEL_RUNTIME_KEY: KEY}
    layout, images = Layout.create(place.folder / "image"), list[PinnedImage]()
    layout.write_blob(package.data)
    for name in NAMES:
        store = place.repositories[name] = ecr.repository(f"{home}/{name}", client=client)
        blobs = [MemoryBlob(noise(1000)), MemoryBlob(runtime.config.data, runtime.manifest.config)]
        upload_blobs(store, blobs, progress=Silent())
        image = with_package(runtime, package, labels={**labels, "image": name}, created=1_800_000_000)
        layout.add(image, name=name)
        declared = Repository.parse(f"{HOST}/{store.repository.name}")
        pin = str(ImageRef(store.repository, str(VERSION), image.manifest.digest))
        images.append(PinnedImage(name, declared, pin, KEY, "linux/amd64"))
    component = COMPONENT.format(images[0].pin).encode()
    pinned = PinnedComponent("multiply_op", "multiply.yaml", (images[0].pin,), Digest.of(component).hex)
    write_distributions(place.folder, Pins(PROJECT, VERSION, COMMIT, tuple(images), (pinned,)), component)

    def tell(params: dict[str, Any], model: Any, **_: Any) -> None:
        place.written.append((model.name, params["repositoryName"].rpartition("/")[2]))

    for operation in ("CompleteLayerUpload", "PutImage"):
        client.meta.events.register(f"provide-client-params.ecr.{operation}", tell)
    return place


def test_all_blobs_are_there_before_the_first_image_is_put_and_those_follow_their_repositories_names(
    place: Place,
) -> None:
    published = place.publish()
    operations = [operation for operation, _ in place.written]
    sbom, provenance = [*["CompleteLayerUpload"] * 2, "PutImage"], ["CompleteLayerUpload", "PutImage"]
    assert operations == ["CompleteLayerUpload"] * 6 + ["PutImage"] * 3 + sbom * 3 + provenance * 3
    put = [name for operation, name in place.written if operation == "PutImage"]
    assert put == ["demo", "serve", "train"] * 3
    assert [outcome.state for outcome in published.outcomes] == ["sent"] * 11
    manifests = [Layout(place.folder / "image").image(name).manifest for name in NAMES]
    sboms = sum(len((place.folder / f"{name}.cdx.json").read_bytes()) + len(EMPTY) for name in NAMES)
    attached = len(published.provenance.to_bytes())
    assert published.bytes_sent == sboms + sum(one.config.size + one.layers[-1].size + attached for one in manifests)


def test_images_are_looked_at_beside_each_other(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    together = threading.Barrier(3)
    for store in place.repositories.values():
        describe = store.describe

        def meet(describe: Any = describe) -> Any:
            together.wait(60)
            return describe()

        monkeypatch.setattr(store, "describe", meet)
    place.publish()


def test_all_that_refuse_are_told_and_nothing_is_sent(place: Place) -> None:
    for name in ("serve", "train"):
        place.repositories[name].call("put_image_tag_mutability", imageTagMutability="MUTABLE")
    with pytest.raises(Problems) as caught:
        place.publish()
    serve, _, train, _ = str(caught.value).splitlines()
    assert re.match("serve: ECR repository .*/serve is MUTABLE", serve)
    assert re.match("train: ECR repository .*/train is MUTABLE", train)
    assert place.written == []
    assert place.index.uploaded == []


def test_an_image_that_cannot_be_sent_leaves_all_of_them_without_a_tag(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = place.repositories["demo"].call

    def refuse(operation: str, **parameters: Any) -> dict[str, Any]:
        if operation == "upload_layer_part":
            raise ReleaseError("demo takes no layer")
        return call(operation, **parameters)

    monkeypatch.setattr(place.repositories["demo"], "call", refuse)
    with pytest.raises(ReleaseError, match="demo takes no layer"):
        place.publish()
    assert all(operation != "PutImage" for operation, _ in place.written)
    assert place.index.uploaded == []


def test_a_run_that_was_cut_off_between_two_images_leaves_its_provenance_to_the_next(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = place.repositories["serve"].put

    def refuse(manifest: Manifest, tag: str | None) -> None:
        if ARTIFACT_TYPE.encode() in manifest.data:
            raise ReleaseError("cut off")
        put(manifest, tag)

    key = LocalKey()
    written_with(place, "98")
    monkeypatch.setattr(place.repositories["serve"], "put", refuse)
    with pytest.raises(ReleaseError, match="cut off"):
        place.publish(Attestor(Run(invocation="first"), key))
    assert [len(provenances(place, name)) for name in ("demo", "serve", "train")] == [1, 0, 0]
    monkeypatch.undo()
    written_with(place, "99")
    published = place.publish(Attestor(Run(invocation="second"), key))
    assert {one for name in NAMES for one in provenances(place, name)} == {published.provenance.to_bytes()}
    assert Provenance.parse(published.provenance.statement).run == Run(invocation="first")


def written_with(place: Place, version: str) -> None:
    """Let the SBOMs be of other tools."""
    for name in NAMES:
        path = place.folder / f"{name}.cdx.json"
        value = json.loads(path.read_bytes())
        value["metadata"]["tools"]["components"][0]["version"] = version
        path.write_text(json.dumps(value))


def provenances(place: Place, name: str) -> list[bytes]:
    digest = Layout(place.folder / "image").image(name).manifest.digest
    return [one.data for one in attached(place.repositories[name], digest, ARTIFACT_TYPE)]
