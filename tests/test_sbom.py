"""SBOMs told apart and compared."""

from __future__ import annotations

import json
from typing import Any

import pytest
from publish_fixtures import sbom_of

from kfp_release.digest import Digest
from kfp_release.image_ref import Repository
from kfp_release.record import PinnedImage
from kfp_release.sbom import MOST, BadSbom, Sbom, bom_link, distribution_serial, image_serial

DIGEST, KEY = Digest.of(b"image"), "0" * 32
DECLARED = Repository.parse("533211398604.dkr.ecr.eu-north-1.amazonaws.com/team/demo")
IMAGE = PinnedImage("demo", DECLARED, f"{DECLARED}:1.2@{DIGEST}", KEY, "linux/amd64")


def changed(**parts: Any) -> bytes:
    return json.dumps({**json.loads(sbom_of(IMAGE).data), **parts}).encode()


def subject(**facts: Any) -> bytes:
    value = json.loads(sbom_of(IMAGE).data)
    value["metadata"]["component"] |= facts
    return json.dumps(value).encode()


def test_an_sbom_names_its_subject() -> None:
    sbom = Sbom.parse(sbom_of(IMAGE).data)
    assert sbom == sbom_of(IMAGE)
    assert (sbom.name, sbom.version, sbom.digest, sbom.runtime_key) == ("team/demo", "1.2", DIGEST, KEY)
    assert sbom.listed == ("base-files 1", "debian 12", "some-components 1.2")
    assert sbom.components == 3
    assert not sbom.is_runtime


def test_the_serial_number_is_of_the_image_wherever_it_is() -> None:
    elsewhere = DECLARED.at_host("127.0.0.1:5000")
    assert image_serial(DECLARED, DIGEST) == image_serial(elsewhere, DIGEST) == sbom_of(IMAGE).serial
    others = {image_serial(DECLARED, Digest.of(b"x")), image_serial(Repository.parse("a.b/team/other"), DIGEST)}
    assert len({*others, image_serial(DECLARED, DIGEST)}) == 3
    assert sbom_of(IMAGE).link == bom_link(image_serial(DECLARED, DIGEST))


def test_that_of_a_wheel_is_of_its_version_and_commit() -> None:
    assert len({distribution_serial("a", version, commit) for version in ("1", "2") for commit in ("c", "d")}) == 4


def test_only_other_tools_may_have_written_it() -> None:
    sbom = sbom_of(IMAGE)
    value = json.loads(sbom.data)
    value["metadata"]["tools"]["components"][0]["version"] = "99"
    assert sbom.agrees(json.dumps(value, indent=2).encode())
    del value["metadata"]["tools"]
    assert sbom.agrees(json.dumps(value).encode())
    value["metadata"]["timestamp"] = "2000-01-01T00:00:00+00:00"
    assert not sbom.agrees(json.dumps(value).encode())
    assert not sbom.agrees(sbom_of(IMAGE, packages=("bash",)).data)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"null", b'{"metadata": []}', b'{"metadata": {}}', b"\xff"])
def test_it_agrees_with_nothing_that_is_none(data: bytes) -> None:
    assert not sbom_of(IMAGE).agrees(data)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\xff", "it is not JSON"),
        (b"[]", "it is no SBOM in CycloneDX that names its subject"),
        (b"{}", "it is no SBOM in CycloneDX that names its subject: 'bomFormat'"),
        (changed(bomFormat="SPDX"), "it is 'SPDX', and no SBOM in CycloneDX"),
        (changed(metadata={}), "names its subject: 'component'"),
        (changed(metadata=None), "names its subject"),
        (changed(components={}), "is not a list"),
        (changed(serialNumber="urn:uuid:1"), "badly formed"),
        (changed(serialNumber=None), "names its subject"),
        (subject(name=1), "1 is not a text"),
        (subject(hashes=[{"alg": "SHA-256", "content": "abc"}]), "is not a digest"),
        (subject(hashes=[{"alg": "SHA-256"}]), "'content'"),
        (subject(properties={}), "is not a list"),
        (b" " * (MOST + 1), "are the most"),
    ],
)
def test_what_is_none_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(BadSbom, match=said):
        Sbom.parse(data)


def test_one_without_a_digest_is_of_no_image() -> None:
    assert Sbom.parse(subject(hashes=[])).digest is None
