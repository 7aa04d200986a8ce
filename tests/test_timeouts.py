"""No call over the network can hang: each adapter before a server that takes a question and never answers, or stops."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ecr_fixtures import ACCESS_KEY, HOST, SECRET_KEY, MemoryBlob
from scripted import scripted
from test_architecture import imported, modules
from test_ecr_answer import CALLS
from test_index import wheel

from kfp_release.credentials import Credentials
from kfp_release.ecr import open_ecr
from kfp_release.errors import ReleaseError
from kfp_release.image_ref import Repository
from kfp_release.index import Index, IndexFile
from kfp_release.index_settings import CodeArtifactRepository, IndexUrls, S3Folder
from kfp_release.opened_index import open_index
from kfp_release.patience import Patience
from kfp_release.presigned import download
from kfp_release.retry import Retry

CODEARTIFACT = "arn:aws:codeartifact:eu-north-1:533211398604:repository/team"
REPOSITORY = Repository.parse(f"{HOST}/team/demo")
BEGINNINGS = {
    "nothing": b"",
    "half of a header": b"HTTP/1.1 200 O",
    "headers": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n",
    "half of a body": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100\r\n\r\n{",
}
CONNECTING = {
    *("socket", "socketserver", "ssl", "asyncio", "http.client", "urllib.request", "ftplib", "smtplib", "telnetlib"),
    *("requests", "urllib3", "httpx", "aiohttp", "boto3", "botocore.session", "twine.repository", "paramiko"),
}
"""What can open a connection."""


@contextmanager
def silent_after(beginning: bytes) -> Iterator[str]:
    """A server that answers with `beginning`, and then is silent for as long as it is asked."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept: list[socket.socket] = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                kept.append(connection)
                if beginning and connection.recv(65536):
                    connection.sendall(beginning)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in kept:
                connection.close()


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("KFP_RELEASE_TIMEOUT", "1")
    monkeypatch.setenv("KFP_RELEASE_ATTEMPTS", "1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return monkeypatch


def patient() -> Retry:
    """As a command is, in this environment."""
    return Retry(Patience.from_environment(os.environ))


def ends(ask: Callable[[], Any]) -> ReleaseError:
    """What ends `ask`: within its bound of a second, and what a busy machine takes."""
    began = time.monotonic()
    with pytest.raises(ReleaseError) as caught:
        ask()
    assert 0.9 < time.monotonic() - began < 15
    return caught.value


@pytest.mark.parametrize("question", ["describe", "login", "upload"])
def test_ecr(environment: pytest.MonkeyPatch, question: str) -> None:
    with silent_after(b"") as url:
        environment.setenv("AWS_ENDPOINT_URL_ECR", url)
        store = open_ecr(REPOSITORY, patient())
        error = ends(lambda: CALLS[question](store))
    assert "does not answer: ReadTimeoutError" in str(error)


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_ecr_that_stops_in_the_middle(environment: pytest.MonkeyPatch, beginning: str) -> None:
    with silent_after(BEGINNINGS[beginning]) as url:
        environment.setenv("AWS_ENDPOINT_URL_ECR", url)
        ends(open_ecr(REPOSITORY, patient()).describe)


def test_what_gives_aws_credentials(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment.delenv("AWS_ACCESS_KEY_ID")
    environment.delenv("AWS_SECRET_ACCESS_KEY")
    environment.setenv("AWS_ROLE_ARN", "arn:aws:iam::533211398604:role/release")
    environment.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    (tmp_path / "token").write_text("a token", encoding="utf-8")
    with silent_after(b"") as url:
        environment.setenv("AWS_ENDPOINT_URL_STS", url)
        retry = patient()
        assert "source does not answer" in str(ends(lambda: open_ecr(REPOSITORY, retry)))


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_a_blobs_url(environment: pytest.MonkeyPatch, beginning: str) -> None:
    assert environment
    config = MemoryBlob(b"a config").descriptor
    with silent_after(BEGINNINGS[beginning]) as url:
        retry = patient()
        ends(lambda: download(f"{url}/blob", config, where="x", retry=retry))


@pytest.mark.parametrize("beginning", BEGINNINGS)
@pytest.mark.parametrize("question", ["page", "file", "upload"])
def test_the_index(environment: pytest.MonkeyPatch, beginning: str, question: str, tmp_path: Path) -> None:
    assert environment
    with silent_after(BEGINNINGS[beginning]) as url:
        index = Index(IndexUrls(f"{url}/", f"{url}/simple/"), Credentials("ann", "password"), retry=patient())
        file = wheel(tmp_path, "1.0")

        def ask() -> Any:
            match question:
                case "page":
                    return index.files("demo")
                case "file":
                    return index.download(IndexFile("demo-1.0.tar.gz", f"{url}/demo-1.0.tar.gz", None))
                case _:
                    return index.upload(file)

        assert f"does not answer at {url}" in str(ends(ask))


@pytest.mark.parametrize("beginning", BEGINNINGS)
@pytest.mark.parametrize("kind", ["s3", "codeartifact"])
def test_an_index_of_aws(environment: pytest.MonkeyPatch, beginning: str, kind: str) -> None:
    where = "s3://components" if kind == "s3" else f"{CODEARTIFACT}/components"
    settings = S3Folder.parse(where) if kind == "s3" else CodeArtifactRepository.parse(where)
    with silent_after(BEGINNINGS[beginning]) as url:
        environment.setenv(f"AWS_ENDPOINT_URL_{kind.upper()}", url)
        index = open_index(settings, os.environ, retry=patient())
        assert f"{where} at {url}" in str(ends(lambda: index.files("demo")))


@contextmanager
def redirecting(data: bytes) -> Iterator[str]:
    """A server that leads on to `data`, in an answer whose own body does not end."""
    with scripted({"/data": (200, {}, data)}) as (url, _):
        lines = ("HTTP/1.1 302 Found", f"Location: {url}/data", "Content-Length: 100", "", "the first of many bytes")
        with silent_after("\r\n".join(lines).encode()) as first:
            yield first


def test_the_body_of_a_redirect_of_the_index_is_not_read(environment: pytest.MonkeyPatch) -> None:
    assert environment
    with redirecting(b"a file") as url:
        retry = Retry(Patience.from_environment(os.environ))
        index = Index(IndexUrls(f"{url}/", f"{url}/simple/"), Credentials("ann", "password"), retry=retry)
        assert index.download(IndexFile("demo-1.0.tar.gz", f"{url}/demo-1.0.tar.gz", None)) == b"a file"


def test_the_body_of_a_redirect_of_a_blobs_url_is_not_read(environment: pytest.MonkeyPatch) -> None:
    assert environment
    config = MemoryBlob(b"a config")
    with redirecting(config.data) as url:
        retry = Retry(Patience.from_environment(os.environ))
        assert download(f"{url}/blob", config.descriptor, where="x", retry=retry) == config.data


def test_no_other_module_can_open_a_connection() -> None:
    found = {
        name
        for name, path in modules().items()
        if any(text in CONNECTING or text.rpartition(".")[0] in CONNECTING for text in imported(path))
    }
    sandbox = {name for name in found if name.partition(".")[0] == "sandbox"}
    assert found - sandbox == {"aws_client", "index", "index_session", "opener", "presigned", "twine_upload"}
