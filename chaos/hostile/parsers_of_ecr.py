"""The parsers of what ECR answers, read by a real client from bytes that never came over a network."""

from __future__ import annotations

import email.message
import io
import json
import urllib.error
import urllib.request
from functools import cache
from random import Random
from typing import Any
from unittest import mock

import boto3
from botocore import UNSIGNED
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config

from chaos.hostile.documents import CONFIG, DEMO, HEX, HOST, MANIFEST
from chaos.hostile.parser import Parser
from chaos.hostile.values import chance, changed_json
from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository
from kfp_release.ecr_scans import find_scan
from kfp_release.image_ref import Repository
from kfp_release.lifecycle import LifecyclePolicy
from kfp_release.manifest import Descriptor, Manifest
from kfp_release.referrer import Referrer
from kfp_release.retry import Retry
from kfp_release.scan import Scan
from kfp_release.scan_rules import ScanRules

_DIGEST = Digest.of(MANIFEST.encode())
_IMAGE = {
    "imageId": {"imageDigest": str(_DIGEST), "imageTag": "1.2"},
    "imageManifest": MANIFEST,
    "imageManifestMediaType": json.loads(MANIFEST)["mediaType"],
}
_DETAIL = {"imageDigest": str(_DIGEST), "imageTags": ["1.2"], "imagePushedAt": 1.8e9, "imageStatus": "ACTIVE"}
_REPOSITORY = {
    "repositoryUri": DEMO,
    "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
    "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "latest*"}],
    "createdAt": 1.8e9,
}
_ANSWERS: dict[str, dict[str, Any]] = {
    "DescribeRepositories": {"repositories": [_REPOSITORY]},
    "CreateRepository": {"repository": _REPOSITORY},
    "DescribeImages": {"imageDetails": [_DETAIL]},
    "BatchGetImage": {"images": [_IMAGE], "failures": []},
    "BatchCheckLayerAvailability": {"layers": [{"layerDigest": f"sha256:{HEX}", "layerAvailability": "AVAILABLE"}]},
    "DescribeImageScanFindings": {
        "imageId": {"imageDigest": str(_DIGEST)},
        "imageScanStatus": {"status": "COMPLETE", "description": "done"},
        "imageScanFindings": {"imageScanCompletedAt": 1.8e9, "findingSeverityCounts": {"CRITICAL": 2, "UNTRIAGED": 1}},
    },
    "GetDownloadUrlForLayer": {"downloadUrl": f"https://s3.example/{HEX}?X-Amz-Signature=secret", "layerDigest": HEX},
    "GetAuthorizationToken": {
        "authorizationData": [{"authorizationToken": "QVdTOnNlY3JldA==", "proxyEndpoint": f"https://{HOST}"}]
    },
}
_REFUSAL = {"__type": "ServerException", "message": "a fault"}
_POLICY = json.dumps(
    {
        "rules": [
            {
                "rulePriority": 1,
                "description": "old ones",
                "selection": {
                    "tagStatus": "tagged",
                    "tagPatternList": ["1.*", "runtime-*"],
                    "countType": "sinceImagePushed",
                    "countUnit": "days",
                    "countNumber": 14,
                },
                "action": {"type": "expire"},
            },
            {
                "rulePriority": 2,
                "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 5},
                "action": {"type": "expire"},
            },
        ]
    }
)
_IMAGE_MANIFEST = Manifest.parse(MANIFEST.encode(), json.loads(MANIFEST)["mediaType"])
_REFERRER = Referrer.of(
    "application/vnd.cyclonedx+json", _IMAGE_MANIFEST.descriptor, _IMAGE_MANIFEST.config, {"a": "b"}
).manifest.data.decode()
_CONFIG_BLOB = Descriptor("x", Digest.of(CONFIG.encode()), len(CONFIG))
_answer: list[tuple[int, bytes]] = []


class _Raw(io.BytesIO):
    """A body as botocore reads it."""

    def stream(self, **_: Any) -> Any:
        yield self.read()


@cache
def _store() -> EcrRepository:
    client = boto3.session.Session().client(
        "ecr",
        region_name="eu-north-1",
        aws_access_key_id="AKIA",
        aws_secret_access_key="secret",  # noqa: S106 - of nothing
        config=Config(retries={"total_max_attempts": 1}, signature_version=UNSIGNED),
    )
    client.meta.events.register("before-send.ecr.*", _reply)  # type: ignore[arg-type] # an answer is taken for one
    return EcrRepository(client, Repository.parse(DEMO), retry=Retry(sleep=lambda _: None))


def _reply(request: Any, **_: Any) -> AWSResponse:
    status, body = _answer[-1]
    return AWSResponse(request.url, status, HTTPHeaders(), _Raw(body))


def _case(random: Random) -> tuple[str, int, bytes]:
    operation = random.choice(list(_ANSWERS))
    if chance(random, 10):
        return operation, 400, changed_json(random, json.dumps(_REFUSAL))
    return operation, 200, changed_json(random, json.dumps(_ANSWERS[operation]), most=2)


def _asked(case: tuple[str, int, bytes]) -> object:
    operation, *reply = case
    _answer[:] = [(reply[0], reply[1])]  # type: ignore[list-item] # the two parts
    store = _store()
    questions = {
        "DescribeRepositories": store.describe,
        "CreateRepository": store.create,
        "DescribeImages": lambda: (store.summaries(), store.find(_DIGEST)),
        "BatchGetImage": lambda: store.manifests([_DIGEST]),
        "BatchCheckLayerAvailability": lambda: store.missing([Digest(HEX)]),
        "DescribeImageScanFindings": lambda: _judged(find_scan(store, _DIGEST)),
        "GetDownloadUrlForLayer": lambda: store.read_blob(_CONFIG_BLOB),
        "GetAuthorizationToken": store.login,
    }
    with mock.patch("urllib.request.urlopen", _opened):
        return questions[operation]()


def _judged(scan: Scan) -> object:
    shown = scan.text, *ScanRules("high", "low").judge(scan), json.dumps(scan.to_json())
    assert all(text.isprintable() for text in shown)
    return shown


def _referrer(data: bytes) -> object:
    referrer = Referrer.parse(data)
    return Referrer.of(referrer.artifact_type, referrer.subject, referrer.blob, referrer.manifest.annotations)


def _policy(text: str) -> object:
    policy = LifecyclePolicy.parse(text)
    return policy, [str(rule) for rule in policy.rules], policy.rule_for(["1.2"]), policy.rule_for([])


def _opened(url: str, **_: Any) -> Any:
    request = urllib.request.Request(url)  # noqa: S310 - opens nothing
    if len(url) % 3:
        raise urllib.error.HTTPError(url, 403, "no", email.message.Message(), None)
    body = io.BytesIO(CONFIG.encode() if request.host else b"")
    body.headers = email.message.Message()  # type: ignore[attr-defined] # as an answer of HTTP has them
    return body


PARSERS = {
    "ECR's answers": Parser(
        (
            *("repository_state.RepositoryState.parse", "image_summary.ImageSummary.parse"),
            *("registry_login.RegistryLogin.parse", "ecr_answer.read_answer", "scan.Scan.parse"),
        ),
        _case,
        _asked,
    ),
    "artifact that refers to an image": Parser(
        ("referrer.Referrer.parse", "referrer.Referrer.of"),
        lambda random: changed_json(random, _REFERRER, most=2),
        _referrer,
    ),
    "lifecycle policy": Parser(
        ("lifecycle.LifecyclePolicy.parse", "lifecycle.LifecycleRule.parse"),
        lambda random: changed_json(random, _POLICY).decode(errors="replace"),
        _policy,
    ),
}
