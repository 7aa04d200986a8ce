"""Whatever answers in ECR's place, in whatever form: one error that says so, and never a bug of ours."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ecr_fixtures import ACCESS_KEY, HOST, SECRET_KEY, MemoryBlob, image_of
from scripted import ANY, Answer, scripted

from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository, open_ecr
from kfp_release.ecr_errors import EcrError
from kfp_release.image_ref import Repository
from kfp_release.patience import Patience
from kfp_release.progress import Silent
from kfp_release.retry import Retry
from kfp_release.upload import upload_blobs

REPOSITORY = Repository.parse(f"{HOST}/team/demo")
MANIFEST, BLOBS = image_of([MemoryBlob(b"some layer")])
DIGEST = str(MANIFEST.digest)
SURROGATE = "\ud800"

CALLS: dict[str, Callable[[EcrRepository], Any]] = {
    "describe": lambda store: store.describe(),
    "create": lambda store: store.create(),
    "find a tag": lambda store: store.find("1.0"),
    "find a digest": lambda store: store.find(MANIFEST.digest),
    "summaries": lambda store: store.summaries(),
    "manifests": lambda store: store.manifests([MANIFEST.digest]),
    "missing": lambda store: store.missing([MANIFEST.digest]),
    "read": lambda store: store.read_blob(MANIFEST.config),
    "put": lambda store: store.put(MANIFEST, "1.0"),
    "login": lambda store: store.login(),
    "upload": lambda store: upload_blobs(store, BLOBS, progress=Silent()),
}
"""Every question that is asked of ECR."""

REPOSITORIES: list[Any] = [
    {},
    {"repositories": []},
    {"repositories": [{}]},
    {"repositories": [None]},
    {"repositories": {}},
    {"repositories": [{"repositoryUri": 3}]},
    {"repositories": [{"repositoryUri": "http://["}]},
    {"repositories": [{"repositoryUri": SURROGATE}]},
    {"repositories": [{"repositoryUri": str(REPOSITORY), "imageTagMutabilityExclusionFilters": [{}]}]},
    {"repositories": [{"repositoryUri": str(REPOSITORY), "imageTagMutabilityExclusionFilters": 3}]},
]
DETAILS: list[Any] = [
    {"imageDetails": [{}]},
    {"imageDetails": [{"imageDigest": DIGEST}]},
    {"imageDetails": [{"imageDigest": "sha256:123", "imageTags": ["1.0"], "imagePushedAt": 1}]},
    {"imageDetails": [{"imageDigest": DIGEST, "imageTags": "1.0"}]},
    {"imageDetails": [{"imageDigest": DIGEST, "imageTags": ["1.0"], "imagePushedAt": "soon"}]},
    {"imageDetails": [{"imageDigest": DIGEST, "imageTags": ["1.0"], "imagePushedAt": 10**400}]},
    {"imageDetails": [{"imageDigest": DIGEST, "imageTags": ["1.0"], "imagePushedAt": 1e308}]},
    {"imageDetails": "none"},
]
ANOTHER: list[Any] = [{"imageDetails": [{"imageDigest": str(Digest.of(b"another")), "imageTags": ["2.0"]}]}]
PAGES: list[Any] = [{"nextToken": "more"}, {"imageDetails": [], "nextToken": 3}]
IMAGES: list[Any] = [
    {"images": 3},
    {"images": [{}]},
    {"images": [{"imageId": {}}]},
    {"images": [{"imageId": {"imageDigest": "x"}}]},
    {"images": [{"imageId": {"imageDigest": DIGEST}}]},
    {"images": [{"imageId": {"imageDigest": DIGEST}, "imageManifest": SURROGATE}]},
    {"images": [{"imageId": {"imageDigest": DIGEST}, "imageManifest": MANIFEST.data.decode()}]},
]
LAYERS: list[Any] = [
    {"layers": 3},
    {"layers": [3]},
    {"layers": [{"layerAvailability": "AVAILABLE"}]},
    {"layers": [{"layerDigest": "sha512:1", "layerAvailability": "AVAILABLE"}]},
]
URLS = (3, "", "ftp://x/", "http://[", "http://x:99999/", "http://ä/", "http://x/ y")
LOGINS = (("no base64!", "https://x"), ("/w==", "https://x"), ("QVdTOnBhc3M=", "http://["), (3, 3))

ANSWERS: dict[str, list[Any]] = {
    "describe": REPOSITORIES,
    "create": [{"repository": {}}, {"repository": []}, {"repositories": []}],
    "find a tag": DETAILS + ANOTHER,
    "find a digest": ANOTHER,
    "put": DETAILS + ANOTHER,
    "summaries": [*DETAILS, *PAGES, {"imageDetails": [], "nextToken": "the same again"}],
    "manifests": IMAGES,
    "missing": LAYERS,
    "upload": LAYERS,
    "read": [{"layerDigest": DIGEST}, *({"downloadUrl": url} for url in URLS)],
    "login": [
        {"authorizationData": []},
        {"authorizationData": [{}]},
        *({"authorizationData": [{"authorizationToken": token, "proxyEndpoint": url}]} for token, url in LOGINS),
    ],
}
"""Answers with status 200 that no ECR gives, by the question."""


Ask = Callable[[str, bytes], Any]


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    """Ask one of `CALLS` of an endpoint that answers everything with some bytes."""
    answers: dict[str, Answer] = {}
    with scripted(answers) as (url, _), pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        environment.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        environment.setenv("AWS_CONFIG_FILE", "/dev/null")
        environment.setenv("AWS_ENDPOINT_URL_ECR", url)
        store = open_ecr(REPOSITORY, Retry(Patience(attempts=1, seconds=2)))

        def ask(question: str, body: bytes) -> Any:
            answers[ANY] = (200, {}, body)
            return CALLS[question](store)

        yield ask


@pytest.mark.parametrize(("question", "answer"), [(name, one) for name, answers in ANSWERS.items() for one in answers])
def test_an_answer_of_another_form_is_an_error_of_ecr(ask: Ask, question: str, answer: Any) -> None:
    with pytest.raises(EcrError) as caught:
        ask(question, json.dumps(answer).encode())
    assert str(REPOSITORY) in str(caught.value)
    assert caught.value.remedy
    assert "QVdTOnBhc3M" not in str(caught.value)


@pytest.mark.parametrize("question", CALLS)
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"3", b'"x"', b"null", b"<html>", b"\xff", b"{}", b'{"a": 1}'])
def test_what_is_no_answer_at_all_is_an_error_of_ecr(ask: Ask, question: str, body: bytes) -> None:
    with pytest.raises(EcrError, match="something that ECR does not say"):
        ask(question, body)


@pytest.mark.parametrize(
    "answer",
    [{"uploadId": "u", "partSize": 0}, {"uploadId": "u", "partSize": -1}, {"uploadId": "u"}, {"partSize": 10}],
)
def test_an_upload_that_cannot_be_begun_is_told(ask: Ask, answer: Any) -> None:
    layers = [{"layerDigest": str(blob.descriptor.digest), "layerAvailability": "UNAVAILABLE"} for blob in BLOBS]
    with pytest.raises(EcrError, match=r"takes parts of|has no"):
        ask("upload", json.dumps({"layers": layers, **answer}).encode())


def test_what_is_known_keeps_its_form_and_what_is_not_is_left_out(ask: Ask) -> None:
    layer = {"layerDigest": DIGEST, "layerAvailability": "AVAILABLE", "of tomorrow": [3]}
    assert ask("missing", json.dumps({"layers": [layer], "of tomorrow": {}}).encode()) == set()
