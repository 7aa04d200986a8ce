"""A loopback HTTP server that answers as a test says, and keeps what it was asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = tuple[int, dict[str, str], bytes]
"""Status, headers, body."""
ANY = "*"
"""Stands for every path that has no answer of its own."""
_NOTHING: Answer = (404, {}, b"")


class _Handler(BaseHTTPRequestHandler):
    answers: Mapping[str, Answer]
    asked: list[tuple[str, str | None]]
    delay: float

    def do_GET(self) -> None:
        time.sleep(self.delay)
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.asked.append((self.path, self.headers.get("Authorization")))
        status, headers, body = self.answers.get(self.path, self.answers.get(ANY, _NOTHING))
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the name that http.server calls

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Nothing."""


@contextmanager
def scripted(
    answers: Mapping[str, Answer], *, delay: float = 0.0
) -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    """A server of its own port, which answers after `delay` seconds.

    Gives its URL, and what it was asked: paths with their Authorization.
    """
    asked: list[tuple[str, str | None]] = []
    handler = type("Handler", (_Handler,), {"answers": answers, "asked": asked, "delay": delay})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", asked
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def answering(status: int, body: bytes = b"", **headers: str) -> Iterator[str]:
    """The URL of a server that answers every question so."""
    with scripted({ANY: (status, headers, body)}) as (url, _):
        yield url
