"""How an expiring URL is opened: within the user's patience, and nowhere but over HTTP."""

from __future__ import annotations

import http.client
import urllib.request
from http.client import HTTPMessage
from typing import IO, Final
from urllib.parse import urlsplit

SCHEMES: Final = frozenset({"http", "https"})


class _Plain(http.client.HTTPConnection):
    """Connects within `timeout`, and then waits `silence` seconds for each byte."""

    def __init__(self, host: str, *, timeout: float, silence: float) -> None:
        super().__init__(host, timeout=timeout)
        self._silence = silence

    def connect(self) -> None:
        super().connect()
        self.sock.settimeout(self._silence)


class _Secure(http.client.HTTPSConnection):
    """The same, with TLS."""

    def __init__(self, host: str, *, timeout: float, silence: float) -> None:
        super().__init__(host, timeout=timeout)
        self._silence = silence

    def connect(self) -> None:
        super().connect()
        self.sock.settimeout(self._silence)


class _Handler(urllib.request.HTTPHandler, urllib.request.HTTPSHandler):
    def __init__(self, silence: float) -> None:
        super().__init__()
        self._silence = silence

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Plain, req, silence=self._silence)  # type: ignore[arg-type]  # not all that it may be given

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Secure, req, silence=self._silence)  # type: ignore[arg-type]  # not all that it may be given


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to http and https, ten at most, without reading their bodies."""

    def redirect_request(  # noqa: PLR0917 - as urllib has it
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        if urlsplit(newurl).scheme not in SCHEMES:
            return None
        request = super().redirect_request(req, fp, code, msg, headers, newurl)
        fp.close()  # else urllib would read it as a whole, however long it is
        return request


def opener(silence: float) -> urllib.request.OpenerDirector:
    """Opens URLs; a connection without a byte for `silence` seconds ends."""
    return urllib.request.build_opener(_Handler(silence), _Redirects)
