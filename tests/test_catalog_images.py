"""The layers of an image by their part in it, and what is attached to images that ECR does not tell of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest
from ecr_fixtures import MemoryBlob, image_of, noise

from kfp_release.catalog.facts import Facts
from kfp_release.catalog.images import PROVENANCE, StoredImages, ask_images, layers_above_base, layers_of
from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository
from kfp_release.ecr_errors import EcrError
from kfp_release.envelope import Envelope, Signature
from kfp_release.manifest import Descriptor, Manifest
from kfp_release.progress import Silent
from kfp_release.referrer import Referrer
from kfp_release.statement import PAYLOAD_TYPE

BASE = "FROM python@sha256:0\n"


@pytest.mark.parametrize(
    ("dockerfile", "count"),
    [
        (BASE, 0),
        (f"{BASE}ENV A=b\nUSER 1\nWORKDIR /x\nLABEL a=b\n", 0),
        (f"{BASE}COPY a /\nADD b /\nRUN c \\\n && d\n", 3),
        (f"FROM a@sha256:0 AS build\nRUN 1\nRUN 2\n{BASE}COPY --from=build /x /\n", 1),
        ("FROM a@sha256:0 AS Build\nRUN 1\nRUN 2\nFROM build\nRUN 3\n", 3),
        ("FROM --platform=linux/amd64 a@sha256:0 as one\nRUN 1\nFROM one as two\nFROM two\nCOPY a /\n", 2),
        (f"{BASE}RUN <<EOF\nRUN\nCOPY\nEOF\n", 1),
        ("", 0),
        ("RUN a\n", 0),
    ],
)
def test_the_layers_that_a_dockerfile_puts_on_its_base_are_counted(dockerfile: str, count: int) -> None:
    assert layers_above_base(dockerfile) == count


def manifest(count: int) -> Manifest:
    return image_of([MemoryBlob(noise(10 + number, number)) for number in range(count)])[0]


@pytest.mark.parametrize(
    ("count", "above", "kinds"),
    [
        (4, 2, "base dependencies dependencies package"),
        (4, 0, "base base base package"),
        (3, 9, "dependencies dependencies package"),
        (1, 2, "package"),
        (0, 1, ""),
    ],
)
def test_the_last_layer_is_the_packages_and_the_dockerfiles_lie_below_it(count: int, above: int, kinds: str) -> None:
    layers = layers_of(manifest(count), is_packaged=True, above_base=above, before=())
    assert " ".join(layer.kind for layer in layers) == kinds


def test_an_image_that_no_release_made_has_no_layer_of_the_package() -> None:
    layers = layers_of(manifest(3), is_packaged=False, above_base=1, before=())
    assert [layer.kind for layer in layers] == ["base", "base", "dependencies"]


def test_a_layer_is_new_to_a_node_that_lacks_it() -> None:
    image = manifest(3)
    before = [layer.digest for layer in image.layers[:2]]
    layers = layers_of(image, is_packaged=True, above_base=1, before=before)
    assert [layer.is_new for layer in layers] == [False, False, True]
    assert [layer.size for layer in layers] == [10, 11, 12]


class Store:
    """An ECR that hands out manifests, and does not tell what refers to them."""

    repository = "registry/team/demo"

    def __init__(self, image: Manifest) -> None:
        self.image = image

    def manifests(self, digests: list[Digest]) -> Mapping[Digest, Manifest]:
        return {self.image.digest: self.image} if self.image.digest in digests else {}

    def call(self, operation: str, **_: Any) -> Any:
        raise EcrError(f"{operation}: no permission", code="AccessDeniedException")


class Told(Silent):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_where_ecr_does_not_list_what_is_attached_that_is_noted_and_left_out() -> None:
    image, progress = manifest(2), Told()
    store = cast("EcrRepository", Store(image))
    found = ask_images(store, [image.digest, Digest("0" * 64)], facts=Facts(), progress=progress)
    assert found == StoredImages({image.digest: image}, {})
    assert progress.notes == [
        "registry/team/demo: what is attached to its images is left out: list_image_referrers: no permission"
    ]


class WithProvenance(Store):
    """An ECR that has a provenance with these bytes for the image."""

    def __init__(self, image: Manifest, data: bytes) -> None:
        super().__init__(image)
        self.data = data
        blob = Descriptor("application/json", Digest.of(data), len(data))
        self.referrer = Referrer.of(PROVENANCE, image.descriptor, blob, {}).manifest

    def manifests(self, digests: list[Digest]) -> Mapping[Digest, Manifest]:
        return {one.digest: one for one in (self.image, self.referrer) if one.digest in digests}

    def call(self, operation: str, **_: Any) -> Any:
        assert operation == "list_image_referrers"
        return {"referrers": [{"digest": str(self.referrer.digest)}]}

    def read_blob(self, blob: Descriptor) -> bytes:
        assert blob == self.referrer.layers[0]
        return self.data


@pytest.mark.parametrize(
    ("data", "note"),
    [
        (Envelope(b"{}", PAYLOAD_TYPE).to_bytes(), "unsigned"),
        (
            Envelope(b"{}", PAYLOAD_TYPE, (Signature("a1b2", b"1"), Signature("", b"2"))).to_bytes(),
            "says to be signed by a1b2, a key without a name",
        ),
        (b'{"components":[]}', ""),
    ],
)
def test_a_provenance_is_told_by_who_says_to_have_signed_it(data: bytes, note: str) -> None:
    image = manifest(2)
    store = cast("EcrRepository", WithProvenance(image, data))
    found = ask_images(store, [image.digest], facts=Facts(), progress=Silent())
    assert found.evidence[image.digest][PROVENANCE].note == note
