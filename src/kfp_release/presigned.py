"""Blobs from the expiring URLs that a registry hands out. Such a URL is a secret: no message repeats it."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import partial
from http import HTTPStatus
from http.client import HTTPMessage
from typing import IO
from urllib.parse import urlsplit

from kfp_release.digest import Digest
from kfp_release.ecr_errors import EcrError
from kfp_release.errors import ReleaseError
from kfp_release.manifest import Descriptor
from kfp_release.patience import Patience
from kfp_release.retry import Passing, Retry, asked_for, passes

_PIECE = 1024 * 1024
_SCHEMES = {"http", "https"}
_GONE = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)


def download(url: str, descriptor: Descriptor, *, where: str, retry: Retry) -> bytes:
    """The blob, held in memory and verified. `where` names its repository in errors.

    Raises `EcrError` where nobody can be asked for it, another `ReleaseError` where it is gone, or is another one.
    """
    pieces: list[bytes] = []
    _verify(url, descriptor, where, retry, pieces)
    return b"".join(pieces)


def require(url: str, descriptor: Descriptor, *, where: str, retry: Retry) -> None:
    """Read the blob, of any length and held nowhere. Raises as `download` does."""
    _verify(url, descriptor, where, retry, None)


def _verify(url: str, descriptor: Descriptor, where: str, retry: Retry, kept: list[bytes] | None) -> None:
    """Read it piece by piece, into `kept` where that is given."""
    host = _host(url)
    if host is None:
        raise _no_url(descriptor, where)
    what = f"{host}: the download of {descriptor.digest}"
    size, digest = retry.ask(what, partial(_read, url, descriptor, where, host, retry.patience, kept=kept))
    if (size, digest) != (descriptor.size, descriptor.digest):
        raise ReleaseError(
            f"{descriptor.digest} of {where}: the {size} bytes from {host} have the digest {digest},"
            f" not the {descriptor.size} bytes of that digest",
            remedy="run this again; if it stays so, the image is damaged",
        )


def _host(url: str) -> str | None:
    """None where nothing can be asked at the URL."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return None
    plain = url.isascii() and url.isprintable() and " " not in url
    return host if parts.scheme in _SCHEMES and plain else None


def _no_url(descriptor: Descriptor, where: str) -> EcrError:
    return EcrError(
        f"{descriptor.digest} of {where}: ECR answers with a URL that is none of http",
        remedy="run this again; if it stays so: is AWS_ENDPOINT_URL_ECR the URL of an ECR?",
    )


def _read(
    url: str, descriptor: Descriptor, where: str, host: str, patience: Patience, *, kept: list[bytes] | None
) -> tuple[int, Digest]:
    """Size and digest of what comes: of one byte more than there should be, at most."""
    size = 0

    def pieces(stream: IO[bytes]) -> Iterator[bytes]:
        nonlocal size
        while piece := stream.read(min(_PIECE, descriptor.size + 1 - size)):
            size += len(piece)
            if kept is not None:
                kept.append(piece)
            yield piece

    if kept is not None:
        kept.clear()
    try:
        with _opener(patience.seconds).open(url, timeout=patience.connect) as response:
            digest = Digest.of_chunks(pieces(response))
            announced = response.headers.get("Content-Length", "")
    except urllib.error.HTTPError as error:
        error.close()
        # What urllib says of a redirect that it does not follow repeats where that leads.
        cause = None if error.code < HTTPStatus.BAD_REQUEST else error
        raise _refused(error, descriptor, where, host) from cause
    except ValueError:  # a host that is none, such as a..b; what it says repeats the URL, or a part of it
        raise _no_url(descriptor, where) from None
    except (OSError, http.client.HTTPException) as error:
        raise Passing(_lost(descriptor, where, host, _reason(error)), f"failed ({_kind(error)})") from error
    # read() of a number of bytes says nothing where fewer come than were announced.
    if announced.isdigit() and size < min(int(announced), descriptor.size):
        lost = _lost(descriptor, where, host, f"it ends after {size} of {descriptor.size} bytes")
        raise Passing(lost, f"ended after {size} of {descriptor.size} bytes")
    return size, digest


def _refused(error: urllib.error.HTTPError, descriptor: Descriptor, where: str, host: str) -> Passing | ReleaseError:
    """What to raise for an answer that is none of a blob."""
    if error.code in _GONE:
        return ReleaseError(
            f"{descriptor.digest} of {where} is gone from {host}: HTTP {error.code}",
            remedy="run this again; if it stays so, the image is damaged",
        )
    lost = _lost(descriptor, where, host, f"HTTP {error.code}")
    if not passes(error.code):
        return lost
    return Passing(lost, f"answered {error.code}", wait=asked_for(error.headers.get("Retry-After")))


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
        if urlsplit(newurl).scheme not in _SCHEMES:
            return None
        request = super().redirect_request(req, fp, code, msg, headers, newurl)
        fp.close()  # else urllib would read it as a whole, however long it is
        return request


def _opener(silence: float) -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_Handler(silence), _Redirects)


def _reason(error: OSError | http.client.HTTPException) -> str:
    """What went wrong, as far as it cannot name the URL: an untrusted certificate, a connection refused."""
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    return str(cause) if isinstance(cause, OSError) else type(cause).__name__


def _kind(error: OSError | http.client.HTTPException) -> str:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    return type(cause).__name__


def _lost(descriptor: Descriptor, where: str, host: str, reason: str) -> EcrError:
    return EcrError(
        f"cannot download {descriptor.digest} of {where} from {host}: {reason}",
        remedy="check the network and the proxy, and run this again",
    )
