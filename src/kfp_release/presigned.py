"""Blobs from the expiring URLs that a registry hands out. Such a URL is a secret: no message repeats it."""

from __future__ import annotations

import http.client
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from typing import IO, Any
from urllib.parse import urlsplit

from kfp_release.digest import Digest
from kfp_release.ecr_errors import EcrError
from kfp_release.errors import ReleaseError
from kfp_release.manifest import Descriptor
from kfp_release.opener import SCHEMES, opener
from kfp_release.patience import Patience
from kfp_release.retry import Passing, Retry, asked_for, passes

_PIECE = 1024 * 1024
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-[0-9]{1,18}/([0-9]{1,18})", re.ASCII)
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
    return host if parts.scheme in SCHEMES and plain else None


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
    with _told(descriptor, where, host), opener(patience.seconds).open(url, timeout=patience.connect) as response:
        digest = Digest.of_chunks(pieces(response))
        announced = response.headers.get("Content-Length", "")
    # read() of a number of bytes says nothing where fewer come than were announced.
    if announced.isdigit() and size < min(int(announced), descriptor.size):
        raise _ended(descriptor, where, host, size)
    return size, digest


class Tail:
    """The blob's bytes from byte `first` on, as they come. What goes wrong is `Passing`, or a `ReleaseError`.

    RFC 9110, section 14.2: who does not know a Range answers with all of it, and what is before `first` is skipped.
    """

    def __init__(self, url: str, descriptor: Descriptor, first: int, *, where: str, patience: Patience) -> None:
        host = _host(url)
        if host is None:
            raise _no_url(descriptor, where)
        self._descriptor, self._where, self._host = descriptor, where, host
        self._at = first
        headers = {"Range": f"bytes={first}-"} if first else {}
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 - http and https alone are opened
        with _told(descriptor, where, host):
            self._answer = opener(patience.seconds).open(request, timeout=patience.connect)
            begins, total = _range(self._answer)
            if total not in {None, descriptor.size} or not 0 <= begins <= first:
                self.close()
                raise self._damaged(begins, total)
            while begins < first and (piece := self._answer.read(min(_PIECE, first - begins))):
                begins += len(piece)

    def readinto(self, buffer: memoryview) -> int:
        """How many bytes came into the buffer: none for none alone."""
        wanted = min(len(buffer), _PIECE, self._descriptor.size - self._at)
        with _told(self._descriptor, self._where, self._host):
            size: int = self._answer.readinto(buffer[:wanted])
        self._at += size
        if wanted and not size:
            raise _ended(self._descriptor, self._where, self._host, self._at)
        return size

    def close(self) -> None:
        """Let the connection go."""
        self._answer.close()

    def _damaged(self, begins: int, total: int | None) -> ReleaseError:
        return ReleaseError(
            f"{self._descriptor.digest} of {self._where}: {self._host} has {total} bytes of it, from byte {begins} on,"
            f" and {self._descriptor.size} are right",
            remedy="run this again; if it stays so, the image is damaged",
        )


def _range(response: Any) -> tuple[int, int | None]:
    """The byte with which an answer begins, and how many there are of the whole; None where it does not tell."""
    if response.status != HTTPStatus.PARTIAL_CONTENT:
        length = response.headers.get("Content-Length", "")
        return 0, int(length) if _NUMBER.fullmatch(length) else None
    given = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    return (int(given[1]), int(given[2])) if given else (-1, None)


def _ended(descriptor: Descriptor, where: str, host: str, size: int) -> Passing:
    lost = _lost(descriptor, where, host, f"it ends after {size} of {descriptor.size} bytes")
    return Passing(lost, f"ended after {size} of {descriptor.size} bytes")


@contextmanager
def _told(descriptor: Descriptor, where: str, host: str) -> Iterator[None]:
    """What goes wrong in the block with an answer or its connection is `Passing`, or a `ReleaseError`."""
    try:
        yield
    except urllib.error.HTTPError as error:
        error.close()
        # What urllib says of a redirect that it does not follow repeats where that leads.
        cause = None if error.code < HTTPStatus.BAD_REQUEST else error
        raise _refused(error, descriptor, where, host) from cause
    except ValueError:  # a host that is none, such as a..b; what it says repeats the URL, or a part of it
        raise _no_url(descriptor, where) from None
    except (OSError, http.client.HTTPException) as error:
        raise Passing(_lost(descriptor, where, host, _reason(error)), f"failed ({_kind(error)})") from error


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
