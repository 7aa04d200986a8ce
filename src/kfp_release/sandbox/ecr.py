"""A stand-in for Amazon ECR, for the sandbox and tests: ECR's JSON API in front of a real registry.

What is pushed through boto3 is in the registry, so `docker pull` gets the same bytes. It answers, refuses and limits
as the API Reference says (version 2015-09-21), and differs from ECR in this:

- It has one access key, which may do everything; every region and account is the same registry.
- What is pushed past it, with `docker push`, is not there for it, and tag immutability is not enforced on that way.
- An upload that is not complete is lost when it ends; layers that no image has are never cleaned up.
- Lifecycle policies are kept and never followed; an image is archived and restored at once.
- Nothing is throttled, replicated or encrypted; nothing is scanned either: `tell_scan` says what a scan found.
- Calls that a release has no use for are unknown.
"""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Mapping
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from kfp_release.errors import ReleaseError
from kfp_release.sandbox.ecr_images import ImageCalls
from kfp_release.sandbox.ecr_layers import LayerCalls
from kfp_release.sandbox.ecr_referrers import ReferrerCalls
from kfp_release.sandbox.ecr_refusal import EcrRefusal
from kfp_release.sandbox.ecr_repositories import Call, RepositoryCalls
from kfp_release.sandbox.ecr_request import parse_request
from kfp_release.sandbox.ecr_scans import ScanCalls
from kfp_release.sandbox.ecr_signature import Signatures
from kfp_release.sandbox.ecr_state import EcrState
from kfp_release.sandbox.http_handler import HttpHandler
from kfp_release.sandbox.registry_api import RegistryApi

ACCOUNT = "000000000000"
_TARGET = "AmazonEC2ContainerRegistry_V20150921."
_RANGE = re.compile(r"bytes=([0-9]{1,18})-", re.ASCII)
"""The only one of its forms that is asked for here; what is no such header counts as none. RFC 9110, section 14.2."""
_LARGEST_BODY = 32 * 1024 * 1024
"""Bytes. The largest part, 20 MiB, is 27 MiB as base64."""


class EcrStandIn:
    """ECR on 127.0.0.1, at a free port, in threads of this process.

    `registry_url` is the registry's, `username` and `password` are its login; `state` is the file in which it
    remembers what ECR knows and a registry does not. `access_key` and `secret_key` are the only ones that it takes.
    `host` is what it says that images are pulled from, the registry's own unless it is given.
    """

    def __init__(
        self,
        registry_url: str,
        username: str,
        password: str,
        state: Path,
        *,
        access_key: str,
        secret_key: str,
        host: str = "",
    ) -> None:
        self._registry_url = registry_url
        self._host = host or urlsplit(registry_url).netloc
        self._login = (username, password)
        self._state = state
        self._signatures = Signatures(access_key, secret_key)
        self._server: _Server | None = None

    @property
    def url(self) -> str:
        """For AWS_ENDPOINT_URL_ECR, once it is started."""
        return self._running.url

    def start(self) -> Self:
        """Listen, and answer from now on. Raise `ReleaseError` where what it remembers cannot be read."""
        state = EcrState(self._state)
        registry = RegistryApi(self._registry_url, *self._login)
        server = _Server(self._signatures)
        repositories = RepositoryCalls(state, account=ACCOUNT, host=self._host, login=self._login)
        layers = LayerCalls(repositories, registry, url=server.url)
        images = ImageCalls(state, repositories, registry)
        scans = ScanCalls(state, repositories)
        calls = {**images.calls, **ReferrerCalls(repositories).calls, **scans.calls}
        server.begin(
            {**repositories.calls, **layers.calls, **calls},
            layers,
            scans,
            registry,
        )
        self._server = server  # not before: a server that does not serve yet would wait for its own end for ever
        return self

    def stop(self) -> None:
        """Answer no more. Harmless where it does not run."""
        server, self._server = self._server, None
        if server is not None:
            server.end()

    def tell_scan(self, repository: str, digest: str, scan: Mapping[str, Any]) -> None:
        """What ECR's scan of an image found: the answer of DescribeImageScanFindings from now on.

        Raise `ReleaseError` where there is no such image.
        """
        running = self._running
        try:
            running.scans.tell(repository, digest, scan)
        except EcrRefusal as refusal:
            raise ReleaseError(refusal.message) from refusal

    def forget_uploads(self) -> None:
        """Lose every upload that is not complete, as ECR does with old ones."""
        self._running.layers.forget_uploads()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def _running(self) -> _Server:
        if self._server is None:
            raise ReleaseError("the ECR stand-in is not started")
        return self._server


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    calls: dict[str, Call]
    layers: LayerCalls
    scans: ScanCalls
    _registry: RegistryApi

    def __init__(self, signatures: Signatures) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.signatures = signatures
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def begin(self, calls: dict[str, Call], layers: LayerCalls, scans: ScanCalls, registry: RegistryApi) -> None:
        self.calls, self.layers, self.scans, self._registry = calls, layers, scans, registry
        self._thread.start()

    def end(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()
        # Connections that clients keep alive would leave their threads behind.
        for connection in tuple(self._open):
            self.shutdown_request(connection)
        self._registry.close()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is none of ours."""


class _Handler(HttpHandler):
    server: _Server
    timeout = 300

    def do_POST(self) -> None:  # noqa: N802 - the name that http.server calls
        """One call of the JSON API."""
        length = int(self.headers.get("Content-Length", 0))
        if length > _LARGEST_BODY:
            self.close_connection = True
            self._answer(413, {"__type": "RequestEntityTooLargeException", "message": "Request is too large"})
            return
        body = self.rfile.read(length)
        try:
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.server.signatures.check("POST", self.server.url + self.path, headers, body)
            self._answer(200, self._called(headers.get("x-amz-target", ""), body))
        except EcrRefusal as refusal:
            self._answer(400, {"__type": refusal.code, "message": refusal.message, **refusal.fields})
        except ReleaseError as error:
            self._answer(500, {"__type": "ServerException", "message": str(error)})

    def do_GET(self) -> None:  # noqa: N802 - the name that http.server calls
        """A download, by a URL of GetDownloadUrlForLayer."""
        path = urlsplit(self.path).path
        asked = _RANGE.fullmatch(self.headers.get("Range", ""))
        first = int(asked[1]) if asked else 0
        token = path.removeprefix("/layers/")
        found = self.server.layers.download(token, first) if path.startswith("/layers/") else None
        if found is None:
            self._answer(403, {"message": "Request has expired"})
            return
        size, chunks = found
        if first >= size > 0:
            self._answer(416, {"message": "The requested range is not satisfiable"})
            return
        self.send_response(206 if first else 200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(size - first))
        if first:
            self.send_header("Content-Range", f"bytes {first}-{size - 1}/{size}")
        self.end_headers()
        for chunk in chunks:
            self.wfile.write(chunk)

    def _called(self, target: str, body: bytes) -> dict[str, Any]:
        operation = target.removeprefix(_TARGET)
        try:
            value = json.loads(body)
        except ValueError:
            raise EcrRefusal("SerializationException", "the body is not JSON") from None
        call = self.server.calls.get(operation) if target.startswith(_TARGET) else None
        if call is None:
            raise EcrRefusal("UnknownOperationException", f"the stand-in has no {operation[:80]}")
        return call(parse_request(operation, value))

    def _answer(self, status: int, value: dict[str, Any]) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
