"""One request at a faulty proxy, and what can be done with it: pass it on, answer it, break the connection, hang."""

from __future__ import annotations

import contextlib
import http.client
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler
from threading import Event

HOP = {"connection", "keep-alive", "transfer-encoding"}
"""Headers that are of one connection. RFC 9110, section 7.6.1."""
_OWN = {*HOP, "content-length", "server"}


@dataclass(frozen=True, slots=True)
class Call:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def target(self) -> str:
        """What AWS calls the operation, ``PutImage``; empty for what is none of its calls."""
        return self.header("x-amz-target").rpartition(".")[2]

    def header(self, name: str) -> str:
        """By its name in lower case; empty where there is none."""
        return next((value for key, value in self.headers.items() if key.lower() == name), "")

    def with_header(self, name: str, value: str) -> Call:
        """The same with this header and no other of its name."""
        kept = {key: old for key, old in self.headers.items() if key.lower() != name.lower()}
        return replace(self, headers={**kept, name: value})


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()

    def with_header(self, name: str, value: str) -> Answer:
        """The same with this header and no other of its name."""
        kept = tuple(pair for pair in self.headers if pair[0].lower() != name.lower())
        return replace(self, headers=(*kept, (name, value)))


class Exchange:
    """One request at the proxy, and what can be done with it."""

    def __init__(
        self,
        call: Call,
        handler: BaseHTTPRequestHandler,
        *,
        forward: Callable[[Call], Answer],
        ended: Event,
        settle: Callable[[bool], None],
    ) -> None:
        """`forward` asks the real server, `ended` ends what hangs.

        `settle` is told, before anything goes out, whether it is another thing than without the proxy.
        """
        self.call = call
        self._handler = handler
        self._forward = forward
        self._ended = ended
        self._settle = settle
        self._real: Answer | None = None
        self._changed = False

    def forward(self, call: Call | None = None) -> Answer:
        """The real server's answer to the request, or to `call` in its place."""
        self._changed |= self._real is not None or (call is not None and call != self.call)
        self._real = self._forward(call or self.call)
        return self._real

    def meddled(self) -> None:
        """Something else was done to the server, which its answer need not show."""
        self._changed = True

    def has_body(self, answer: Answer) -> bool:
        """Whether a body would go out with it."""
        return self.call.method != "HEAD" and answer.status != http.client.NO_CONTENT

    def reply(self, answer: Answer, *, sent: int | None = None, times: int = 1) -> None:
        """Answer, `times` over; with the first `sent` bytes of the body alone, and then the connection's end."""
        self._settle(self._changed or times > 1 or sent is not None or answer != self._real)
        for _ in range(times):
            self._send(answer, sent)

    def _send(self, answer: Answer, sent: int | None) -> None:
        handler = self._handler
        handler.send_response_only(answer.status)
        if not any(name.lower() == "date" for name, _ in answer.headers):
            handler.send_header("Date", handler.date_time_string())
        for name, value in answer.headers:
            if name.lower() not in _OWN:
                handler.send_header(name, value)
        if answer.status != http.client.NO_CONTENT:
            handler.send_header("Content-Length", dict(answer.headers).get("Content-Length", str(len(answer.body))))
        handler.end_headers()
        if self.call.method != "HEAD":
            handler.wfile.write(answer.body[:sent])
        handler.wfile.flush()
        if sent is not None:
            handler.close_connection = True

    def reset(self) -> None:
        """Break the connection: who asked gets ECONNRESET."""
        self._settle(True)  # noqa: FBT003 - of one meaning alone
        connection = self._handler.connection
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._handler.close_connection = True
        with contextlib.suppress(OSError):
            # Files that were made of the socket would keep it open.
            self._handler.rfile.close()
            self._handler.wfile.close()
        connection.close()

    def hang(self) -> None:
        """Say nothing until who asked hangs up, or the proxy ends."""
        self._settle(True)  # noqa: FBT003 - of one meaning alone
        connection = self._handler.connection
        connection.settimeout(0.05)
        while not self._ended.is_set():
            try:
                if not connection.recv(1, socket.MSG_PEEK):
                    break
                self._ended.wait(0.05)
            except TimeoutError:
                continue
            except OSError:
                break
        self._handler.close_connection = True


Act = Callable[[Exchange], None]
