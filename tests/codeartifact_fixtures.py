"""A stand-in for the two calls of CodeArtifact that a release makes, in front of a pypiserver that takes its token.

It checks signatures, and holds each call against AWS's own model: path, parameters, lengths, patterns, values. Unlike
CodeArtifact it knows one repository, and its token does not end.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel
from ecr_fixtures import ACCESS_KEY, SECRET_KEY

from kfp_release.credentials import Credentials
from kfp_release.index_settings import CodeArtifactRepository
from kfp_release.sandbox.ecr_refusal import EcrRefusal
from kfp_release.sandbox.ecr_signature import Signatures
from kfp_release.sandbox.http_handler import HttpHandler
from kfp_release.sandbox.index import IndexServer

ARN = "arn:aws:codeartifact:eu-north-1:533211398604:repository/team/components"
TOKEN = "eyJ2ZXIiOjEsImlzdSI6.a-token-that-nobody-may-see"  # noqa: S105 - of a server that lives as long as a test
_REPOSITORY = CodeArtifactRepository.parse(ARN)
_MODEL = ServiceModel(Loader().load_service_model("codeartifact", "service-2"), "codeartifact")
_OPERATIONS = {
    (operation.http["method"], operation.http["requestUri"]): operation
    for operation in map(_MODEL.operation_model, _MODEL.operation_names)
}
_STATUS = {"AccessDeniedException": 403, "ResourceNotFoundException": 404, "ThrottlingException": 429}


@dataclass
class CodeArtifactServer:
    """Keeps the calls that it was `asked`, by name. `refuses` names codes by call; `says` other answers by call."""

    index: IndexServer
    url: str = ""
    asked: list[str] = field(default_factory=list)
    refuses: dict[str, str] = field(default_factory=dict)
    says: dict[str, bytes] = field(default_factory=dict)
    signatures: Signatures = field(default_factory=lambda: Signatures(ACCESS_KEY, SECRET_KEY, service="codeartifact"))

    def answer(self, operation: OperationModel | None, query: dict[str, str]) -> bytes:
        """As AWS has it. Raise `EcrRefusal` where it would refuse."""
        if operation is None:
            raise EcrRefusal("UnknownOperationException", "")
        value = self._value(operation, query)
        return self.says.get(operation.name, json.dumps(value).encode())

    def _value(self, operation: OperationModel, query: dict[str, str]) -> dict[str, Any]:
        values = _parameters(operation, query)
        self.asked.append(operation.name)
        if code := self.refuses.get(operation.name):
            raise EcrRefusal(code, f"User: arn:aws:iam::1:user/ann is not authorized to perform {operation.name}")
        if (values["domain"], values.get("domainOwner")) != (_REPOSITORY.domain, _REPOSITORY.account):
            raise EcrRefusal("ResourceNotFoundException", f"Domain not found: {values['domain']}")
        if operation.name == "GetAuthorizationToken":
            return {"authorizationToken": TOKEN, "expiration": 1.8e9}
        if values["repository"] != _REPOSITORY.name or values["format"] != "pypi":
            raise EcrRefusal("ResourceNotFoundException", f"Repository not found: {values['repository']}")
        return {"repositoryEndpoint": self.index.upload_url}


@contextmanager
def running_codeartifact(folder: Path) -> Iterator[CodeArtifactServer]:
    """The stand-in, and the index behind it, with its files in `folder`."""
    index = IndexServer(folder, Credentials("aws", TOKEN), fallback_url="http://127.0.0.1:1/simple/")
    index.start()
    stand_in = CodeArtifactServer(index)
    handler = type("Handler", (_Handler,), {"stand_in": stand_in})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        stand_in.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield stand_in
        finally:
            server.shutdown()
            thread.join()
            index.stop()


def _parameters(operation: OperationModel, query: dict[str, str]) -> dict[str, str]:
    """The parameters of a call, by name. Raise `EcrRefusal` for those that the model does not take."""
    shape = operation.input_shape
    assert shape is not None
    names = {part.serialization["name"]: name for name, part in shape.members.items()}
    if unknown := set(query) - set(names):
        raise EcrRefusal("ValidationException", f"unknown: {unknown}")
    values = {names[name]: value for name, value in query.items()}
    for name in shape.required_members:
        if name not in values:
            raise EcrRefusal("ValidationException", f"{name} is missing")
    for name, value in values.items():
        rules = shape.members[name].metadata
        fits = rules.get("min", 0) <= len(value) <= rules.get("max", len(value))
        if not fits or not re.fullmatch(rules.get("pattern", ".*"), value) or value not in rules.get("enum", [value]):
            raise EcrRefusal("ValidationException", f"{name} is {value!r}")
    return values


class _Handler(HttpHandler):
    stand_in: CodeArtifactServer

    def do_GET(self) -> None:  # noqa: N802 - the name that http.server calls
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = urlsplit(self.path)
        operation = _OPERATIONS.get((self.command, parts.path))
        try:
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.stand_in.signatures.check(self.command, self.stand_in.url + self.path, headers, body)
            query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
            self._answer(200, self.stand_in.answer(operation, query))
        except EcrRefusal as refusal:
            said = json.dumps({"message": refusal.message}).encode()
            self._answer(_STATUS.get(refusal.code, 400), said, refusal.code)

    do_POST = do_GET  # noqa: N815 - the name that http.server calls

    def _answer(self, status: int, data: bytes, code: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if code:
            self.send_header("x-amzn-ErrorType", code)
        self.end_headers()
        self.wfile.write(data)
