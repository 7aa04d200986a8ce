"""A loopback HTTP server in front of a real one: it sees every request, and a test can act before one goes on."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_HOP = {"connection", "keep-alive", "transfer-encoding"}
"""Headers that are of one connection. RFC 9110, section 7.6.1."""


@dataclass(frozen=True)
class Call:
    """One request."""

    method: str
    path: str
    target: str
    """What AWS calls the operation: ``PutImage``."""
    body: bytes


class Relay:
    """`url` leads where `upstream` does.

    `before` is called in each request's thread, `after` when upstream has answered; an `OSError` of either hangs up.
    """

    def __init__(self, upstream: str) -> None:
        self.upstream = urlsplit(upstream)
        self.calls: list[Call] = []
        self.before: Callable[[Call], None] | None = None
        self.after: Callable[[Call], None] | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}{self.upstream.path}"

    @contextmanager
    def running(self) -> Iterator[Relay]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        relay = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                target = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
                call = Call(self.command, self.path, target, body)
                relay.calls.append(call)
                try:
                    if relay.before is not None:
                        relay.before(call)
                    self._pass_on(call)
                except OSError:  # `before` or `after` hangs up, or who asked is gone
                    self.close_connection = True

            do_GET = do_PUT = do_DELETE = do_POST  # noqa: N815 - the names that http.server calls

            def _pass_on(self, call: Call) -> None:
                upstream = http.client.HTTPConnection(relay.upstream.netloc, timeout=60)
                # The host as the client wrote it: AWS's signature covers it.
                headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
                try:
                    upstream.request(self.command, self.path, call.body, headers)
                    answer = upstream.getresponse()
                    data = answer.read()
                finally:
                    upstream.close()
                if relay.after is not None:
                    relay.after(call)
                self.send_response(answer.status, answer.reason)
                for name, value in answer.getheaders():
                    if name.lower() not in {*_HOP, "content-length", "server", "date"}:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                """Nothing is told."""

        return Handler
