"""Scans as ECR tells them: on moto, on the stand-in, and on answers that neither gives."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import requests
from botocore.stub import Stubber
from ecr_fixtures import ACCESS_KEY, HOST, REGION, SECRET_KEY, LocalEcr, image_of, pushed
from moto.server import ThreadedMotoServer
from scans import COMPLETED, denied, scan_of

from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository
from kfp_release.ecr_errors import EcrError
from kfp_release.ecr_scans import find_scan, find_scans
from kfp_release.errors import ReleaseError
from kfp_release.image_ref import Repository
from kfp_release.scan import NOT_SCANNED, NOT_TOLD, Scan

REPOSITORY = Repository.parse(f"{HOST}/team/scanned")


@pytest.fixture(scope="module")
def moto() -> Iterator[tuple[str, Any]]:
    """The URL of moto's ECR, and a client of it."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    requests.post(f"{url}/moto-api/reset", timeout=30).raise_for_status()
    client = boto3.session.Session().client(
        "ecr", region_name=REGION, endpoint_url=url, aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY
    )
    client.create_repository(repositoryName=REPOSITORY.name)
    yield url, client
    server.stop()


def put_image(client: Any, tag: str) -> Digest:
    manifest, _ = image_of([], {"tag": tag})
    given = {"imageManifest": manifest.data.decode(), "imageTag": tag, "imageDigest": str(manifest.digest)}
    client.put_image(repositoryName=REPOSITORY.name, **given)
    return manifest.digest


class TestMoto:
    def test_an_image_is_not_scanned_until_it_is(self, moto: tuple[str, Any]) -> None:
        _, client = moto
        digest, store = put_image(client, "1.0"), EcrRepository(client, Repository("ecr.example", REPOSITORY.name))
        assert find_scan(store, digest) == Scan(NOT_SCANNED)
        client.start_image_scan(repositoryName=REPOSITORY.name, imageId={"imageDigest": str(digest)})
        scan = find_scan(store, digest)
        assert (scan.status, scan.is_result, dict(scan.counts)) == ("COMPLETE", True, {"high": 1})

    def test_counts_of_inspector_are_read_from_the_first_page(self, moto: tuple[str, Any]) -> None:
        url, client = moto
        digest, store = put_image(client, "1.1"), EcrRepository(client, Repository("ecr.example", REPOSITORY.name))
        findings = {
            "imageScanCompletedAt": COMPLETED.timestamp(),
            "findingSeverityCounts": {"CRITICAL": 1, "UNTRIAGED": 2},
            "enhancedFindings": [{"severity": "CRITICAL"}],
        }
        result = {
            "registryId": "533211398604",
            "repositoryName": REPOSITORY.name,
            "imageId": {"imageDigest": str(digest), "imageTag": "1.1"},
            "imageScanStatus": {"status": "ACTIVE", "description": "Continuous scan is selected for image."},
            "imageScanFindings": findings,
        }
        put = {"results": [result], "account_id": "123456789012", "region": REGION}
        path = f"{url}/moto-api/static/ecr/scan-finding-results"
        requests.post(path, data=json.dumps(put), timeout=30).raise_for_status()
        client.start_image_scan(repositoryName=REPOSITORY.name, imageId={"imageDigest": str(digest)})
        assert find_scan(store, digest).text == "1 critical, 2 untriaged; scanned 2026-11-28"

    def test_an_image_that_is_not_there_is_an_error_of_that_image_alone(self, moto: tuple[str, Any]) -> None:
        _, client = moto
        there, store = put_image(client, "1.2"), EcrRepository(client, Repository("ecr.example", REPOSITORY.name))
        gone = Digest.of(b"gone")
        with pytest.raises(EcrError, match="ImageNotFoundException"):
            find_scan(store, gone)
        found = find_scans(lambda _: store, [(REPOSITORY, gone), (REPOSITORY, there)], required=True)
        assert found[REPOSITORY, there] == Scan(NOT_SCANNED)
        assert found[REPOSITORY, gone].status == NOT_TOLD


class TestStandIn:
    def test_what_it_is_told_is_what_a_scan_found(self, local: LocalEcr) -> None:
        store = local.repository("tests/scans")
        digest = pushed(store, "1.0").digest
        assert find_scan(store, digest) == Scan(NOT_SCANNED)
        local.stand_in.tell_scan(store.repository.name, str(digest), scan_of(HIGH=3))
        assert find_scan(store, digest) == Scan("COMPLETE", (("high", 3),), COMPLETED)
        local.stand_in.tell_scan(store.repository.name, str(digest), scan_of("FAILED", "UnsupportedImageError"))
        assert find_scan(store, digest).text == "the scan failed: UnsupportedImageError"

    def test_it_cannot_be_told_of_an_image_that_is_not_there(self, local: LocalEcr) -> None:
        store = local.repository("tests/no-scans")
        for repository in (store.repository.name, "tests/nothing"):
            with pytest.raises(ReleaseError, match="does not exist"):
                local.stand_in.tell_scan(repository, str(Digest.of(b"")), scan_of())

    def test_no_tag_and_no_such_image_are_refused_as_by_ecr(self, local: LocalEcr) -> None:
        store = local.repository("tests/refused-scans")
        for image_id in ({"imageTag": "1.0"}, {"imageDigest": str(Digest.of(b""))}):
            with pytest.raises(EcrError, match="ImageNotFoundException"):
                store.call("describe_image_scan_findings", imageId=image_id)


class TestAnswers:
    @pytest.fixture
    def stubbed(self) -> Iterator[tuple[EcrRepository, Stubber]]:
        client = boto3.session.Session().client(
            "ecr", region_name=REGION, aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY
        )
        with Stubber(client) as stubber:
            yield EcrRepository(client, REPOSITORY), stubber
            stubber.assert_no_pending_responses()

    def test_one_finding_is_asked_for_as_all_counts_come_with_it(self, stubbed: tuple[EcrRepository, Stubber]) -> None:
        store, stubber = stubbed
        digest = Digest.of(b"image")
        wanted = {
            "registryId": "533211398604",
            "repositoryName": REPOSITORY.name,
            "imageId": {"imageDigest": str(digest)},
            "maxResults": 1,
        }
        more = {"imageScanFindings": {"findingSeverityCounts": {"LOW": 900}}, "nextToken": "more"}
        answer = {"imageScanStatus": {"status": "COMPLETE"}, **more}
        stubber.add_response("describe_image_scan_findings", answer, wanted)
        assert find_scan(store, digest).counts == (("low", 900),)

    @pytest.mark.parametrize(
        ("answer", "said"),
        [
            ({"imageScanStatus": {}}, "ECR's answer has no status of a scan"),
            (
                {"imageScanStatus": {"status": "COMPLETE"}, "imageId": {"imageDigest": str(Digest.of(b"other"))}},
                "ECR answers of another image",
            ),
        ],
    )
    def test_an_answer_that_tells_of_no_scan_is_not_taken_for_clean(
        self, stubbed: tuple[EcrRepository, Stubber], answer: dict[str, Any], said: str
    ) -> None:
        store, stubber = stubbed
        stubber.add_response("describe_image_scan_findings", answer)
        assert find_scan(store, Digest.of(b"image")) == Scan(NOT_TOLD, said=said)

    def test_a_missing_permission_is_an_error_where_scans_are_required(self) -> None:
        client: Any = boto3.session.Session().client(
            "ecr", region_name=REGION, aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY
        )
        client.meta.events.register("before-call.ecr.DescribeImageScanFindings", lambda **_: denied())
        store, place = EcrRepository(client, REPOSITORY), (REPOSITORY, Digest.of(b"image"))
        with pytest.raises(EcrError, match="AccessDeniedException") as caught:
            find_scans(lambda _: store, [place], required=True)
        assert "give the role this permission" in caught.value.remedy
        (scan,) = find_scans(lambda _: store, [place], required=False).values()
        assert scan.text == "not known: the permission ecr:DescribeImageScanFindings is missing"
