"""Requests of UploadLayerPart, written by botocore alone and with the part put in: to the stand-in, and captured."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ecr_fixtures import ACCESS_KEY, REGION, SECRET_KEY, LocalEcr, MemoryBlob, noise

from kfp_release.ecr import open_ecr
from kfp_release.ecr_parts import send_parts_plainly
from kfp_release.image_ref import Repository
from kfp_release.progress import Silent
from kfp_release.upload import upload_blobs

MIB = 1024 * 1024


class _Captured(Exception):
    """Instead of being sent."""


def _body(client: Any, part: bytes) -> Any:
    """The body that `client` would send."""
    bodies: list[Any] = []

    def capture(request: Any, **_: Any) -> None:
        bodies.append(request.body)
        assert request.headers["Content-Length"] == str(len(request.body))
        raise _Captured

    client.meta.events.register("before-send.ecr.UploadLayerPart", capture)
    given = {"repositoryName": "tests/part", "uploadId": 'an "id" of ü', "partFirstByte": 7}
    with pytest.raises(_Captured):
        client.upload_layer_part(**given, partLastByte=7 + len(part) - 1, layerPartBlob=part)
    return bodies[0]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 1000, 3 * 256 * 1024, 3 * 256 * 1024 + 1, 5 * MIB])
def test_a_part_is_sent_as_botocore_would(local: LocalEcr, size: int) -> None:
    plain, patient = local.client(), local.client()
    send_parts_plainly(plain)
    ours = _body(plain, noise(size))
    assert json.loads(ours) == json.loads(_body(patient, noise(size)))
    assert isinstance(ours, bytes)  # no stream, so that it can be sent again


def test_a_part_is_signed_and_sent_again_as_it_is(local: LocalEcr) -> None:
    client = local.client()
    send_parts_plainly(client)
    again: list[int] = []

    def lost(attempts: int, **_: Any) -> int | None:
        again.append(attempts)
        return 0 if attempts == 1 else None

    client.meta.events.register_first("needs-retry.ecr.UploadLayerPart", lost)
    store = local.repository("tests/again", client=client)
    blob = MemoryBlob(noise(21 * MIB))
    assert upload_blobs(store, [blob], progress=Silent()) == 21 * MIB
    assert store.missing([blob.descriptor.digest]) == set()
    assert again == [1, 2] * 3


def test_the_client_of_ecr_sends_parts_so(local: LocalEcr, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_ECR", local.stand_in.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    serialised: list[int] = []

    def remembered(_: object, part: bytes) -> str:
        serialised.append(len(part))
        return ""

    monkeypatch.setattr("botocore.serialize.JSONSerializer._get_base64", remembered)
    store = open_ecr(Repository.parse(str(local.repository("tests/opened").repository)))
    blob = MemoryBlob(noise(11 * MIB))
    upload_blobs(store, [blob], progress=Silent())
    assert store.missing([blob.descriptor.digest]) == set()
    assert set(serialised) == {0}
