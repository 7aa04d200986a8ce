"""A loopback HTTP proxy in front of a real server, which does to chosen requests what networks and servers do.

It speaks HTTP/1.1 and keeps connections, so that what it leaves on one meets the next question on it.
"""

from __future__ import annotations

import http.client
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from chaos.matrix.exchange import HOP, Act, Answer, Call, Exchange
from kfp_release.sandbox.http_handler import HttpHandler


class NoAnswer(Exception):
    """The real server, behind the proxy, did not answer."""


@dataclass
class Fault:
    """`act` in place of passing on, for the requests that are `meant`: from the `first` such on, `times` in all."""

    act: Act
    meant: Callable[[Call], bool]
    first: int = 1
    times: int | None = 1
    """None: each from then on."""
    seen: int = 0
    met: int = 0
    """How often it happened: what `act` cannot change, it passes on, and the next such request is taken."""
    failures: list[str] = field(default_factory=list)
    """What `act` raised."""
    _begun: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def takes(self, call: Call) -> bool:
        """Whether it is to happen to this one; each request is to be asked about once, and then settled."""
        if not self.meant(call):
            return False
        with self._lock:
            self.seen += 1
            if self.seen < self.first or (self.times is not None and self.met + self._begun >= self.times):
                return False
            self._begun += 1
        return True

    def settle(self, changed: bool) -> None:  # noqa: FBT001 - its one argument
        """Whether it happened to one that it took."""
        with self._lock:
            self._begun -= 1
            self.met += changed


@dataclass
class Faulty:
    """`url` leads where `upstream` does, but for what `faults` do."""

    upstream: str
    change: Callable[[Answer], Answer] = field(default=lambda answer: answer)
    """What is done to each answer: URLs that lead past the proxy are led through it."""
    calls: list[Call] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    """Exceptions of the proxy's own, but for those of a connection that is gone."""
    faults: list[Fault] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    @contextmanager
    def running(self) -> Iterator[Faulty]:
        """It listens in the block."""
        server = _Server(self)
        self.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield self
        finally:
            self.ended.set()
            server.shutdown()
            server.server_close()
            thread.join()

    @contextmanager
    def with_fault(self, fault: Fault) -> Iterator[Fault]:
        """What hangs because of it hangs up at the end."""
        self.faults.append(fault)
        try:
            yield fault
        finally:
            self.faults.remove(fault)
            self.ended.set()
            self.ended = threading.Event()

    def forward(self, call: Call) -> Answer:
        """The real server's answer. Raise `NoAnswer` where it breaks off."""
        upstream = http.client.HTTPConnection(urlsplit(self.upstream).netloc, timeout=60)
        # The host as the client wrote it: AWS's signature covers it.
        headers = {name: value for name, value in call.headers.items() if name.lower() not in HOP}
        headers["Content-Length"] = str(len(call.body))
        try:
            upstream.request(call.method, call.path, call.body, headers)
            answer = upstream.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer(f"the real server gave none: {error!r}") from error
        finally:
            upstream.close()
        # A HEAD's length is that of a body that does not come.
        own = HOP if call.method == "HEAD" else {*HOP, "content-length"}
        kept = tuple((name, value) for name, value in answer.getheaders() if name.lower() not in own)
        return self.change(Answer(answer.status, body, kept))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, proxy: Faulty) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.proxy = proxy
        self.lock = threading.Lock()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep what it was, unless who asked is gone (`OSError`) or an act broke the connection."""
        error = sys.exception()
        if not isinstance(error, OSError) and request.fileno() >= 0:
            self.proxy.failures.append(f"{error!r} at {request!r} of {client_address}")


class _Handler(HttpHandler):
    server: _Server

    def do_POST(self) -> None:  # noqa: N802 - the name that http.server calls
        proxy, body = self.server.proxy, self._body()
        call = Call(self.command, self.path, dict(self.headers.items()), body)
        with self.server.lock:
            proxy.calls.append(call)
            fault = next((fault for fault in proxy.faults if fault.takes(call)), None)
        settle = fault.settle if fault else lambda _: None
        exchange = Exchange(call, self, forward=proxy.forward, ended=proxy.ended, settle=settle)
        try:
            if fault is None:
                exchange.reply(exchange.forward())
            else:
                fault.act(exchange)
        except OSError:  # who asked is gone
            self.close_connection = True
        except NoAnswer as error:  # as who asked would see it
            self.close_connection = True
            if fault:
                fault.failures.append(str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, the cell is none then
            self.close_connection = True
            failures = proxy.failures if fault is None else fault.failures
            failures.append(f"{error!r} at {call.method} {call.path} {call.target}".rstrip())

    do_GET = do_HEAD = do_PUT = do_PATCH = do_DELETE = do_POST  # noqa: N815 - the names that http.server calls

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body
