"""What refers to an image in ECR: attached once, found by the image's digest, never written over."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest
from ecr_fixtures import HOST, LocalEcr, pushed

from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository
from kfp_release.errors import ReleaseError
from kfp_release.image_ref import Repository
from kfp_release.manifest import OCI_MANIFEST, BadImage, Manifest
from kfp_release.progress import Silent
from kfp_release.referrer import Referrer
from kfp_release.referrers import Attachment, attach, attached, find_attached, look_at_attached, referrers_of

TYPE = "application/vnd.example.evidence+json"
REPOSITORY = Repository.parse(f"{HOST}/team/demo")


def evidence(data: bytes, *, agrees: Callable[[bytes], bool] = lambda _: False, kind: str = TYPE) -> Attachment:
    return Attachment("evidence", kind, "application/json", data, agrees, {"org.example.note": "a note"})


@pytest.fixture
def place(local: LocalEcr, request: pytest.FixtureRequest) -> tuple[EcrRepository, Manifest]:
    store = local.repository("tests/" + re.sub("[^a-z0-9]+", "-", request.node.name.lower()).strip("-"))
    return store, pushed(store, "1.0")


def test_what_is_attached_is_found_by_the_digest_of_its_image(place: tuple[EcrRepository, Manifest]) -> None:
    store, image = place
    there, sent = attach(store, image, evidence(b'{"a":1}'), progress=Silent())
    assert sent == len(b'{"a":1}') + len(b"{}")
    assert attached(store, image.digest, TYPE) == [there]
    assert there.data == b'{"a":1}'
    assert there.referrer.subject == image.descriptor
    assert there.referrer.manifest.annotations == {"org.example.note": "a note"}
    assert attached(store, image.digest, "application/other") == []


def test_an_artifact_has_no_tag_and_the_tags_stay_what_they_were(place: tuple[EcrRepository, Manifest]) -> None:
    store, image = place
    there, _ = attach(store, image, evidence(b"{}"), progress=Silent())
    assert {one.digest: one.tags for one in store.images()} == {image.digest: ("1.0",), there.digest: ()}


def test_the_same_is_attached_once(place: tuple[EcrRepository, Manifest]) -> None:
    store, image = place
    first, _ = attach(store, image, evidence(b"same"), progress=Silent())
    again, sent = attach(store, image, evidence(b"same"), progress=Silent())
    assert (again, sent) == (first, 0)
    assert len(store.images()) == 2


def test_what_agrees_is_taken_for_it(place: tuple[EcrRepository, Manifest]) -> None:
    store, image = place
    first, _ = attach(store, image, evidence(b"of the first run"), progress=Silent())
    wanted = evidence(b"of the second", agrees=lambda data: data.startswith(b"of the"))
    assert attach(store, image, wanted, progress=Silent()) == (first, 0)


def test_one_that_cannot_be_read_does_not_hide_the_others(place: tuple[EcrRepository, Manifest]) -> None:
    store, image = place
    there, _ = attach(store, image, evidence(b"right"), progress=Silent())
    value = json.loads(there.referrer.manifest.data)
    value["layers"][0]["size"] = 1 << 40
    unreadable = Manifest.parse(json.dumps(value).encode(), OCI_MANIFEST)
    store.put(unreadable, None)
    look = look_at_attached(store, image.digest, TYPE)
    assert look.read == (there,)
    (line,) = look.unread
    assert line.startswith(f"{unreadable.digest}: ")
    assert find_attached(store, image, evidence(b"right")) == there
    with pytest.raises(ReleaseError, match="what is attached to it cannot be read: sha256:"):
        attached(store, image.digest, TYPE)
    store.call("batch_delete_image", imageIds=[{"imageDigest": str(there.digest)}])
    with pytest.raises(ReleaseError, match="has something attached as its evidence that cannot be read: sha256:"):
        find_attached(store, image, evidence(b"right"))


def test_what_is_of_another_type_than_its_list_says_is_left_out(
    place: tuple[EcrRepository, Manifest], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, image = place
    attach(store, image, evidence(b"x", kind="application/other"), progress=Silent())
    call = store.call

    def without_filter(operation: str, **parameters: Any) -> Any:
        answer = call(operation, **{key: value for key, value in parameters.items() if key != "filter"})
        if operation == "list_image_referrers":
            for item in answer["referrers"]:
                del item["artifactType"]
        return answer

    monkeypatch.setattr(store, "call", without_filter)
    assert attached(store, image.digest, TYPE) == []


def test_why_another_one_will_not_do_is_told(place: tuple[EcrRepository, Manifest]) -> None:
    store, image = place
    attach(store, image, evidence(b"other"), progress=Silent())
    with pytest.raises(ReleaseError, match=r"has another evidence attached: sha256:[0-9a-f]+: it is 5 long"):
        find_attached(store, image, replace(evidence(b"x"), why_not=lambda data: f"it is {len(data)} long"))


def test_beside_another_nothing_is_attached(place: tuple[EcrRepository, Manifest]) -> None:
    store, image = place
    first, _ = attach(store, image, evidence(b"one"), progress=Silent())
    with pytest.raises(ReleaseError, match=f"has another evidence attached: {first.digest}"):
        attach(store, image, evidence(b"another"), progress=Silent())
    assert len(store.images()) == 2


def test_an_image_without_any_has_none(place: tuple[EcrRepository, Manifest]) -> None:
    store, image = place
    assert find_attached(store, image, evidence(b"x")) is None


def test_many_pages_are_read(place: tuple[EcrRepository, Manifest]) -> None:
    store, image = place
    for number in range(53):
        referrer = evidence(b"%d" % number).referrer(image)
        attach_beside(store, referrer, b"%d" % number)
    assert sorted(int(one.data) for one in attached(store, image.digest, TYPE)) == list(range(53))


@dataclass(frozen=True)
class Crowded:
    """A repository whose image has so many artifacts, of one type, that are listed in pages and not there."""

    count: int
    repository: Repository = REPOSITORY

    def call(self, operation: str, **asked: Any) -> dict[str, Any]:
        assert operation == "list_image_referrers"
        begin = int(asked.get("nextToken", 0))
        numbers = range(begin, min(begin + asked["maxResults"], self.count))
        items = [{"digest": str(Digest.of(b"%d" % number)), "artifactType": TYPE} for number in numbers]
        return {"referrers": items, **({"nextToken": str(numbers.stop)} if numbers.stop < self.count else {})}

    def manifests(self, digests: Collection[Digest]) -> dict[Digest, Manifest]:
        assert len(digests) == self.count
        return {}

    def find(self, _: Digest) -> None:
        return None


def crowded(count: int) -> EcrRepository:
    return cast("EcrRepository", Crowded(count))


def test_more_than_a_hundred_of_one_type_are_refused_and_of_all_types_more_than_a_thousand() -> None:
    image = Digest.of(b"image")
    assert attached(crowded(100), image, TYPE) == []
    with pytest.raises(ReleaseError, match="has more than 100 artifacts of the type"):
        attached(crowded(101), image, TYPE)
    assert len(referrers_of(crowded(1_000), image)[1]) == 1_000
    with pytest.raises(ReleaseError, match="has more than 1000 artifacts"):
        referrers_of(crowded(1_001), image)


def attach_beside(store: EcrRepository, referrer: Referrer, data: bytes) -> None:
    """As somebody who does not look first."""
    upload = store.call("initiate_layer_upload")
    if store.missing([referrer.blob.digest]):
        store.call(
            "upload_layer_part",
            uploadId=upload["uploadId"],
            partFirstByte=0,
            partLastByte=len(data) - 1,
            layerPartBlob=data,
        )
        store.call("complete_layer_upload", uploadId=upload["uploadId"], layerDigests=[str(referrer.blob.digest)])
    if store.missing([referrer.manifest.config.digest]):
        upload = store.call("initiate_layer_upload")
        store.call(
            "upload_layer_part", uploadId=upload["uploadId"], partFirstByte=0, partLastByte=1, layerPartBlob=b"{}"
        )
        store.call(
            "complete_layer_upload", uploadId=upload["uploadId"], layerDigests=[str(referrer.manifest.config.digest)]
        )
    store.put(referrer.manifest, None)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"subject": None}, "is not a descriptor"),
        ({"layers": []}, "has 0 blobs"),
        ({"artifactType": 5}, "refers to no image"),
    ],
)
def test_other_manifests_are_no_referrers(
    place: tuple[EcrRepository, Manifest], change: dict[str, object], said: str
) -> None:
    _, image = place
    value = json.loads(evidence(b"x").referrer(image).manifest.data)
    with pytest.raises(BadImage, match=said):
        Referrer.parse(json.dumps({**value, **change}).encode())


def test_an_image_is_no_referrer(place: tuple[EcrRepository, Manifest]) -> None:
    with pytest.raises(BadImage, match="refers to no image"):
        Referrer.parse(place[1].data)
