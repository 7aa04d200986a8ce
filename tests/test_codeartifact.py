"""An index in CodeArtifact: its two calls before a real index, which takes their token and no other."""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from codeartifact_fixtures import ARN, TOKEN, CodeArtifactServer, running_codeartifact
from ecr_fixtures import ACCESS_KEY, SECRET_KEY
from scripted import answering
from test_index import sdist, sha256, wheel

from kfp_release.codeartifact import CodeArtifact
from kfp_release.credentials import Credentials
from kfp_release.errors import ReleaseError
from kfp_release.index_session import PackageIndexError
from kfp_release.index_settings import CodeArtifactRepository
from kfp_release.patience import Patience
from kfp_release.retry import Retry

REPOSITORY = CodeArtifactRepository.parse(ARN)
TOKEN_CALL, ENDPOINT_CALL = "GetAuthorizationToken", "GetRepositoryEndpoint"
LOGIN = b"<html><body><form action='/login'><input type='password'></form></body></html>"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CodeArtifactServer]:
    with running_codeartifact(tmp_path_factory.mktemp("codeartifact")) as server:
        yield server


@pytest.fixture
def server(started: CodeArtifactServer, monkeypatch: pytest.MonkeyPatch) -> CodeArtifactServer:
    monkeypatch.setenv("AWS_ENDPOINT_URL_CODEARTIFACT", started.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    started.asked.clear()
    started.refuses.clear()
    started.says.clear()
    return started


def opened(arn: str = ARN, given: Credentials = Credentials()) -> CodeArtifact:  # noqa: B008 - a frozen value
    return CodeArtifact(CodeArtifactRepository.parse(arn), given, retry=Retry(Patience(1, 5), sleep=lambda _: None))


def test_files_go_there_and_come_back_with_one_token_for_all_threads(
    server: CodeArtifactServer, tmp_path: Path
) -> None:
    index = opened()
    assert server.asked == []
    files = [sdist(tmp_path, "1.0"), wheel(tmp_path, "1.0")]
    for path in files:
        index.require_credentials()
        index.upload(path)
    with ThreadPoolExecutor(8) as pool:
        for listed in pool.map(index.files, ["demo-components"] * 8):
            assert {name: file.sha256 for name, file in listed.items()} == {path.name: sha256(path) for path in files}
    for path in files:
        assert index.download(listed[path.name]) == path.read_bytes()
    assert server.asked == [ENDPOINT_CALL, TOKEN_CALL]


def test_a_token_is_asked_for_once_by_threads_that_begin_together(server: CodeArtifactServer) -> None:
    index = opened()
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(index.files, ["nothing"] * 8)) == [{}] * 8
    assert server.asked == [ENDPOINT_CALL, TOKEN_CALL]


def test_a_file_that_is_there_is_refused(server: CodeArtifactServer, tmp_path: Path) -> None:
    assert server
    path = wheel(tmp_path, "2.0")
    opened().upload(path)
    before = sha256(path)
    wheel(tmp_path, "2.0", metadata="Metadata-Version: 2.1\nName: Demo.Components\nVersion: {version}\n\nOther.\n")
    with pytest.raises(PackageIndexError, match=r"does not take demo_components-2.0(.|\n)*never replaced"):
        opened().upload(path)
    assert opened().files("demo-components")[path.name].sha256 == before


def test_credentials_that_are_given_take_the_place_of_a_token(server: CodeArtifactServer) -> None:
    assert opened(given=Credentials("aws", TOKEN)).files("nothing") == {}
    assert server.asked == [ENDPOINT_CALL]
    with pytest.raises(PackageIndexError, match=r"refuses access(.|\n)*check TWINE_USERNAME and TWINE_PASSWORD"):
        opened(given=Credentials("aws", "another")).files("nothing")


REFUSED = {
    "no token": (
        TOKEN_CALL,
        "AccessDeniedException",
        "codeartifact:GetAuthorizationToken .* sts:GetServiceBearerToken",
    ),
    "no endpoint": (ENDPOINT_CALL, "AccessDeniedException", "give the role codeartifact:GetRepositoryEndpoint"),
    "no domain": (ENDPOINT_CALL, "ResourceNotFoundException", "correct codeartifact of .*create the domain"),
    "too much": (ENDPOINT_CALL, "ThrottlingException", "too many calls at once"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_aws_refuses_is_told_with_what_to_do(server: CodeArtifactServer, name: str, tmp_path: Path) -> None:
    call, code, remedy = REFUSED[name]
    server.refuses[call] = code
    for ask in (lambda: opened().files("demo"), opened().require_credentials, lambda: opened().upload(tmp_path)):
        with pytest.raises(PackageIndexError) as caught:
            ask()
        (message, advice) = str(caught.value).split("\n")
        assert message.startswith("CodeArtifact refused get_")
        assert f"for {ARN} at {server.url}: {code}: User" in message
        assert re.search(remedy, advice)


def test_another_repository_than_there_is_is_told(server: CodeArtifactServer) -> None:
    assert server
    with pytest.raises(PackageIndexError, match=r"Repository not found: other\n.*correct codeartifact of"):
        opened(ARN.replace("/components", "/other")).files("demo")


def test_without_aws_credentials_it_says_so(server: CodeArtifactServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(PackageIndexError, match=f"cannot ask CodeArtifact for {ARN}: there are no AWS credentials\n"):
        opened().require_credentials()
    assert server.asked == []


def test_a_token_that_the_index_refuses_is_the_roles_matter(server: CodeArtifactServer) -> None:
    server.says[TOKEN_CALL] = b'{"authorizationToken": "another-token", "expiration": 1.8e9}'
    with pytest.raises(PackageIndexError, match=r"refuses access(.|\n)*give the role codeartifact:ReadFromRepository"):
        opened().files("demo")


STRANGE = {
    "a log-in page for an endpoint": (ENDPOINT_CALL, LOGIN, "get_repository_endpoint with something"),
    "an endpoint that is not encrypted": (
        ENDPOINT_CALL,
        b'{"repositoryEndpoint": "http://a.example/"}',
        "is not https",
    ),
    "an endpoint that is a list": (ENDPOINT_CALL, b"[1]", "get_repository_endpoint with something"),
    "a log-in page for a token": (TOKEN_CALL, LOGIN, "get_authorization_token with something"),
    "a token of two lines": (TOKEN_CALL, b'{"authorizationToken": "a\\nb"}', "get_authorization_token with something"),
    "no token": (TOKEN_CALL, b"{}", "get_authorization_token with something"),
}


@pytest.mark.parametrize("name", STRANGE)
def test_an_answer_that_is_none_of_codeartifacts_is_told(server: CodeArtifactServer, name: str) -> None:
    call, body, message = STRANGE[name]
    server.says[call] = body
    with pytest.raises(PackageIndexError, match=rf"{message}.*\n.*AWS_ENDPOINT_URL_CODEARTIFACT"):
        opened().files("demo")


def test_an_endpoint_that_answers_with_a_log_in_page_is_told(server: CodeArtifactServer) -> None:
    with answering(200, LOGIN, **{"Content-Type": "text/html"}) as url:
        server.says[ENDPOINT_CALL] = f'{{"repositoryEndpoint": "{url}/"}}'.encode()
        with pytest.raises(ReleaseError, match=f"{url}/simple/demo/ is a page with a form, .*log-in") as caught:
            opened().files("demo")
    assert TOKEN not in str(caught.value)


def test_the_token_is_in_no_log_error_or_traceback(
    server: CodeArtifactServer, tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    said = f"400 the password was {TOKEN}".encode()
    with caplog.at_level(logging.INFO), answering(400, said, **{"Content-Type": "text/plain"}) as url:
        server.says[ENDPOINT_CALL] = f'{{"repositoryEndpoint": "{url}/"}}'.encode()
        index = opened()
        with pytest.raises(PackageIndexError, match=r"the password was \*\*\*") as caught:
            index.upload(wheel(tmp_path, "3.0"))
        told = (
            "".join(traceback.format_exception(caught.value)) + repr(index) + caplog.text + "".join(capsys.readouterr())
        )
    assert TOKEN not in told
