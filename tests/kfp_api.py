"""A stand-in for the part of the Kubeflow Pipelines API that takes pipelines, on loopback, for one token.

Source: kfp-server-api, PipelineServiceApi and PipelineUploadServiceApi (v2beta1), which is what asks it here.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

_ROOT = "/apis/v2beta1/pipelines"


class _Refusal(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class KfpApi:
    """What was uploaded; `url` is for KFP_HOST."""

    token: str
    url: str = ""
    pipelines: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By their ids."""
    versions: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """Method and path of each request that had the token."""
    unseen: int = 0
    """So many times it lists no versions, as before somebody else uploads one."""

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> dict[str, Any]:
        if headers.get("authorization") != f"Bearer {self.token}":
            raise _Refusal(401, "the token is not valid")
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.asked.append(f"{method} {parts.path}")
        match method, parts.path.removeprefix(_ROOT).strip("/").split("/"):
            case "GET", [""]:
                return _listing("pipelines", self.pipelines.values(), query)
            case "POST", [""]:
                return self._create(json.loads(body)["display_name"])
            case "POST", ["upload_version"]:
                return self._upload(query["pipelineid"], query["name"], _file(headers["content-type"], body))
            case "GET", [pipeline_id, "versions"]:
                seen = [] if self.unseen else self.versions
                self.unseen = max(0, self.unseen - 1)
                of_it = [version for version in seen if version["pipeline_id"] == pipeline_id]
                return _listing("pipeline_versions", of_it, query)
        raise _Refusal(404, f"there is no {method} {parts.path}")

    def _create(self, name: str) -> dict[str, Any]:
        if any(pipeline["display_name"] == name for pipeline in self.pipelines.values()):
            raise _Refusal(409, f"pipeline {name} already exists")
        made = {"pipeline_id": f"pipeline-{len(self.pipelines) + 1}", "display_name": name}
        self.pipelines[made["pipeline_id"]] = made
        return made

    def _upload(self, pipeline_id: str, name: str, data: bytes) -> dict[str, Any]:
        if pipeline_id not in self.pipelines:
            raise _Refusal(404, f"there is no pipeline {pipeline_id}")
        if any((one["pipeline_id"], one["display_name"]) == (pipeline_id, name) for one in self.versions):
            raise _Refusal(409, f"version {name} already exists")
        version = {
            "pipeline_id": pipeline_id,
            "pipeline_version_id": f"version-{len(self.versions) + 1}",
            "display_name": name,
            "pipeline_spec": _specification(data),
        }
        self.versions.append(version)
        return version


def _specification(data: bytes) -> Any:
    """As the API gives it back: with the second document, of Kubernetes' settings, beside the first."""
    documents = list(yaml.safe_load_all(data))
    return (
        documents[0] if len(documents) == 1 else dict(zip(("pipeline_spec", "platform_spec"), documents, strict=True))
    )


def _listing(key: str, items: Any, query: dict[str, str]) -> dict[str, Any]:
    """Those that the filter's one predicate names; like the API's, without the field where there are none."""
    (predicate,) = json.loads(query["filter"])["predicates"]
    assert (predicate["operation"], predicate["key"]) == ("EQUALS", "display_name")
    found = [item for item in items if item["display_name"] == predicate["stringValue"]]
    return {key: found, "total_size": len(found)} if found else {}


def _file(content_type: str, body: bytes) -> bytes:
    """The file of a form: multipart/form-data, RFC 7578."""
    form = message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    (part,) = (one for one in form.walk() if one.get_param("name", header="content-disposition") == "uploadfile")
    data = part.get_payload(decode=True)
    assert isinstance(data, bytes)
    return data


class _Handler(BaseHTTPRequestHandler):
    def answer(self) -> tuple[int, str, bytes]:
        """Status, type and bytes."""
        raise NotImplementedError

    def do_POST(self) -> None:
        status, kind, data = self.answer()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST  # noqa: N815 - the name that http.server calls

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Nothing is told."""


@contextmanager
def running_kfp_api(token: str) -> Iterator[KfpApi]:
    """It listens at a free port until the block ends."""
    api = KfpApi(token)

    class Handler(_Handler):
        def answer(self) -> tuple[int, str, bytes]:
            headers, value = {name.lower(): text for name, text in self.headers.items()}, {}
            try:
                status, value = 200, api.answer(self.command, self.path, headers, self.body())
            except _Refusal as refusal:
                status, value = refusal.status, {"message": str(refusal)}
            return status, "application/json", json.dumps(value).encode()

    with _listening(Handler) as api.url:
        yield api


@contextmanager
def one_page(text: str, kind: str) -> Iterator[str]:
    """The URL of a server that answers everything with this page, as one to log in."""

    class Handler(_Handler):
        def answer(self) -> tuple[int, str, bytes]:
            self.body()
            return 200, kind, text.encode()

    with _listening(Handler) as url:
        yield url


@contextmanager
def _listening(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
