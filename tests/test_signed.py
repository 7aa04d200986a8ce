"""A release that is signed, and what `verify --key` says of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ecr_fixtures import LocalEcr
from publish_fixtures import Place, place_at

from kfp_release.attestation import Attestor
from kfp_release.kms import KmsKey
from kfp_release.kms_key_name import KmsKeyName
from kfp_release.sandbox.kms import KmsServer
from kfp_release.verify_provenance import verify_provenance


@pytest.fixture(scope="module")
def kms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KmsServer]:
    server = KmsServer(tmp_path_factory.mktemp("kms"), "eu-north-1")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def place(local: LocalEcr, tmp_path: Path, request: pytest.FixtureRequest) -> Place:
    return place_at(local, tmp_path, request.node.name)


@pytest.fixture
def key(kms: KmsServer, monkeypatch: pytest.MonkeyPatch) -> KmsKey:
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", kms.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    return KmsKey(KmsKeyName.parse(kms.key))


def test_a_release_is_signed_and_verified(place: Place, key: KmsKey) -> None:
    published = place.publish(attestor=Attestor(signer=key))
    print(published.to_json())
    found = verify_provenance(place.verify(), keys=[key.public_key], index=place.index, stores=place.stores)
    print(found)
    print((place.folder / "provenance.intoto.jsonl").read_text())
    assert found.problems == ()
    again = place.publish(attestor=Attestor(signer=key))
    assert not again.changed
