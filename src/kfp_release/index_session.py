"""HTTP with the index: credentials for the index alone, time-outs, no redirect to elsewhere."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase, HTTPBasicAuth
from requests.utils import requote_uri

from kfp_release.credentials import Credentials
from kfp_release.errors import ReleaseError
from kfp_release.patience import Patience
from kfp_release.retry import Passing, asked_for, passes
from kfp_release.terminal_text import one_line
from kfp_release.url import shown_url

_MAY_PASS = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
"""What becomes of a question where the network or the other side has a bad moment."""


class PackageIndexError(ReleaseError):
    """The index refused what it was asked, or gave no answer: the network, the credentials, a fault of its own.

    `status` is that of its HTTP answer, 0 where there was none; `passing` says in a few words why asking again may
    help, and nothing where it will not; `wait` are the seconds that the answer asks for. An answer that came, and is
    wrong, is another error.
    """

    def __init__(
        self, message: str, *, remedy: str = "", status: int = 0, passing: str = "", wait: float = 0.0
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.status = status
        self._passing = passing
        self._wait = wait

    def or_passing(self) -> PackageIndexError | Passing:
        """The error itself, or where asking again may help the `Passing` that says so."""
        return Passing(self, self._passing, wait=self._wait) if self._passing else self


class _Nobody(AuthBase):
    """No credentials, in a form that keeps requests from looking for some in ~/.netrc."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class TimedAdapter(HTTPAdapter):
    """Gives every request the time-outs of `patience`, whoever sends it."""

    def __init__(self, patience: Patience) -> None:
        self._timeouts = (patience.connect, float(patience.seconds))
        super().__init__()

    def send(self, *args: Any, **options: Any) -> requests.Response:
        """As requests has it, with these time-outs where none is given."""
        return super().send(*args, **{**options, "timeout": options.get("timeout") or self._timeouts})


class IndexSession(requests.Session):
    """Requests to the index at one URL.

    The credentials go to that URL's host, scheme and port and to no other, and not back again from there. Redirects are
    followed one by one, their bodies unread: requests would read each as a whole, however long it is.
    """

    def __init__(self, url: str, credentials: Credentials, patience: Patience) -> None:
        super().__init__()
        self.url = url
        self._credentials = credentials
        self._login = _Nobody() if credentials.is_anonymous else basic_auth(credentials)
        for scheme in ("http://", "https://"):
            self.mount(scheme, TimedAdapter(patience))

    def ask(self, url: str, *, accept: str, allow_elsewhere: bool = False) -> requests.Response:
        """GET `url`, its body not read yet. Raise `PackageIndexError` where no answer comes, and for 401, 403.

        With `allow_elsewhere` off, a redirect to another origin is not followed: the response is the redirect itself.
        """
        login: AuthBase = _Nobody() if _is_elsewhere(self.url, url) else self._login
        for _ in range(self.max_redirects + 1):
            response = self._get(url, accept, login)
            target = self._target(response)
            if target is None:
                return response
            if _is_elsewhere(response.url, target):
                if not allow_elsewhere:
                    return response
                login = _Nobody()
            response.close()
            url = target
        raise PackageIndexError(
            f"the index leads on more than {self.max_redirects} times, to {shown_url(url)} at last",
            remedy="is the URL right?",
        )

    def _get(self, url: str, accept: str, login: AuthBase) -> requests.Response:
        try:
            response = self.get(url, headers={"Accept": accept}, auth=login, stream=True)
        except (requests.RequestException, ValueError) as error:
            raise unreachable(url, error) from tellable(url, error)
        if response.status_code in {401, 403}:
            response.close()
            raise refused(url, response, self._credentials)
        return response

    def _target(self, response: requests.Response) -> str | None:
        """Where a redirect leads; None for another answer."""
        target = super().get_redirect_target(response)
        try:
            return None if target is None else urljoin(response.url, requote_uri(target))
        except ValueError as error:
            raise unreachable(target or "", error) from None

    def get_redirect_target(self, resp: requests.Response) -> None:
        """None, so that requests follows no redirect, and reads none."""


def _is_elsewhere(url: str, other: str) -> bool:
    """Whether what belongs to `url` must not go to `other`: another host or port, or a scheme less safe."""
    try:
        here, there = _origin(url), _origin(other)
    except ValueError:
        return True
    return here != there and (here, there) != (("http", here[1], 80), ("https", here[1], 443))


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def unreachable(url: str, error: BaseException) -> PackageIndexError:
    """What to say where no answer came, or not all of it."""
    certificate = isinstance(error, requests.exceptions.SSLError)
    passing = isinstance(error, _MAY_PASS) and not certificate
    return PackageIndexError(
        f"the index does not answer at {shown_url(url)}: {_innermost(error)}",
        remedy="is the URL right, and the host reachable from here (network, proxy, certificate)?",
        passing=f"gave no answer ({type(error).__name__})" if passing else "",
    )


def tellable(url: str, error: Exception) -> Exception | None:
    """`error`, for a traceback to show as the cause; None where its words could hold what is secret in `url`."""
    return error if url == shown_url(url) else None


def unwell(message: str, response: requests.Response, *, remedy: str) -> PackageIndexError:
    """What to say of another answer than was asked for; `remedy` is for one that will stay so."""
    passing = passes(response.status_code)
    return PackageIndexError(
        message,
        remedy="try again later" if passing else remedy,
        status=response.status_code,
        passing=f"answered {response.status_code}" if passing else "",
        wait=asked_for(response.headers.get("Retry-After")),
    )


def refused(url: str, response: requests.Response, credentials: Credentials) -> PackageIndexError:
    """What to say of a 401 or 403."""
    return PackageIndexError(
        f"the index refuses access to {shown_url(url)} ({status(response)})",
        remedy=credentials.advice,
        status=response.status_code,
    )


def status(response: requests.Response) -> str:
    """Status code and reason, as in ``HTTP 503 Service Unavailable``."""
    return f"HTTP {response.status_code} {one_line(response.reason or '', 80)}".strip()


def said(response: requests.Response) -> str:
    """What the body says, for a message: without the tags, where it is a page."""
    text = response.text[:20_000]
    if "html" in response.headers.get("Content-Type", ""):
        text = html.unescape(
            re.sub(r"<(style|script|title)\b.*?</\1\s*>|<[^>]*>", " ", text, flags=re.DOTALL | re.IGNORECASE)
        )
        text = " ".join(text.split())
    return one_line(text, 300)


def _innermost(error: BaseException) -> str:
    seen: Any = error
    while True:
        inner = getattr(seen, "reason", None) or seen.__cause__ or seen.__context__
        inner = next((item for item in seen.args if isinstance(item, BaseException)), inner)
        if not isinstance(inner, BaseException) or inner is seen:
            # What is wrong with a URL is said with all of the URL.
            text = "" if isinstance(seen, ValueError) else str(seen)
            return one_line(text or type(seen).__name__, 200)
        seen = inner


def basic_auth(credentials: Credentials) -> HTTPBasicAuth:
    """User and password in the bytes that are sent: UTF-8, where requests would send text as latin-1. RFC 7617."""
    return HTTPBasicAuth(credentials.username.encode(), credentials.password.encode())
