"""Blobs from the expiring URLs that a registry hands out. Such a URL is a secret: no message repeats it."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from http import HTTPStatus
from urllib.parse import urlsplit

from kfp_release.digest import Digest
from kfp_release.ecr_errors import EcrError
from kfp_release.errors import ReleaseError
from kfp_release.manifest import Descriptor

_ATTEMPTS = 3
_GONE = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)
_TIMEOUT = 60.0
"""Seconds without a byte."""


def download(url: str, descriptor: Descriptor, *, where: str) -> bytes:
    """The blob, held in memory and verified. `where` names its repository in errors.

    Raises `EcrError` where nobody can be asked for it, another `ReleaseError` where it is gone, or is another one.
    """
    host = urlsplit(url).hostname
    if urlsplit(url).scheme not in {"http", "https"}:
        raise ReleaseError(f"{descriptor.digest} of {where}: the registry answers with a URL that is none of http")
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            # The scheme is checked above.
            with urllib.request.urlopen(url, timeout=_TIMEOUT) as response:  # noqa: S310
                data: bytes = response.read(descriptor.size + 1)
            break
        except urllib.error.HTTPError as error:
            error.close()
            if error.code in _GONE:
                raise ReleaseError(
                    f"{descriptor.digest} of {where} is gone from {host}: HTTP {error.code}",
                    remedy="run this again; if it stays so, the image is damaged",
                ) from error
            if error.code < HTTPStatus.INTERNAL_SERVER_ERROR or attempt == _ATTEMPTS:
                raise _lost(descriptor, where, host, f"HTTP {error.code}") from error
        except (OSError, http.client.HTTPException) as error:
            if attempt == _ATTEMPTS:
                raise _lost(descriptor, where, host, _reason(error)) from error
        time.sleep(attempt)
    if len(data) != descriptor.size or Digest.of(data) != descriptor.digest:
        raise ReleaseError(
            f"{descriptor.digest} of {where}: the {len(data)} bytes from {host} have the digest {Digest.of(data)},"
            f" not the {descriptor.size} bytes of that digest",
            remedy="run this again; if it stays so, the image is damaged",
        )
    return data


def _reason(error: OSError | http.client.HTTPException) -> str:
    """What went wrong, as far as it cannot name the URL: an untrusted certificate, a connection refused."""
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    return str(cause) if isinstance(cause, OSError) else type(cause).__name__


def _lost(descriptor: Descriptor, where: str, host: str | None, reason: str) -> EcrError:
    return EcrError(
        f"cannot download {descriptor.digest} of {where} from {host}: {reason}",
        remedy="check the network and the proxy, and run this again",
    )
