"""The private Python index: reads the simple API (PEP 503, PEP 691), uploads through twine."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import requests
from packaging.utils import canonicalize_name

from kfp_release.credentials import PASSWORD, USERNAME, Credentials
from kfp_release.errors import ReleaseError
from kfp_release.index_page import ACCEPT, MAX_FILE, MAX_PAGE, IndexFile, parse_page
from kfp_release.index_session import IndexSession, PackageIndexError, status, tellable, unreachable, unwell
from kfp_release.index_settings import IndexUrls
from kfp_release.retry import SILENT, Retry
from kfp_release.url import BadUrl, parse_url, shown_url

_NOT_HERE = {404, 301, 302, 303, 307, 308}
"""Answers for a project that the index does not have: it is not found, or to be looked for elsewhere."""

__all__ = ["Answer", "Credentials", "Index", "IndexFile"]


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; `url` is the one that redirects led to."""

    url: str
    content_type: str
    data: bytes


class Index:
    """An index at two URLs, with the user who asks. Opens connections when it is asked something."""

    def __init__(self, settings: IndexUrls, credentials: Credentials, *, retry: Retry = SILENT) -> None:
        """Raise `ReleaseError` for a URL that must not be used: with credentials in it, say."""
        self._upload_url = _url("the index's upload-url (or TWINE_REPOSITORY_URL)", settings.upload_url)
        self._simple_url = _url("the index's simple-url (or KFP_RELEASE_SIMPLE_URL)", settings.simple_url)
        self._credentials = credentials
        self._retry = retry

    def files(self, project: str) -> dict[str, IndexFile]:
        """The files of `project` by name; none where the index does not know the project.

        A redirect to another host means that as well: pypiserver and others send pip on to the public index for what
        they do not have, and a public project of the same name is not ours. Raise `PackageIndexError` where it cannot
        be asked, another `ReleaseError` where its page cannot be read.
        """
        url = f"{self._simple_url.rstrip('/')}/{canonicalize_name(project)}/"
        try:
            page = self.ask(f"the page of {project}", url, accept=ACCEPT, limit=MAX_PAGE)
        except PackageIndexError as error:
            if error.status in _NOT_HERE:
                return {}
            raise
        return parse_page(project, page.data, content_type=page.content_type, url=page.url)

    def download(self, file: IndexFile) -> bytes:
        """The bytes of `file`. Raise `PackageIndexError` where they cannot be had.

        Raise another `ReleaseError` where they are not those that the index announced, or too many.
        """
        data = self.ask(file.filename, file.url, accept="*/*", limit=MAX_FILE, allow_elsewhere=True).data
        file.require_bytes(data)
        return data

    def require_credentials(self) -> None:
        """Raise `PackageIndexError` where there are none: whom it may be read by, it need not take files from."""
        if self._credentials.is_anonymous:
            raise PackageIndexError(
                f"nothing can be uploaded to {self._upload_url} without credentials",
                remedy=f"set {USERNAME} and {PASSWORD} in the environment",
            )

    def upload(self, path: Path) -> None:
        """Upload one wheel or sdist through twine, once. Raise `PackageIndexError` where the index does not take it."""
        self.require_credentials()
        from kfp_release.twine_upload import upload_distribution  # noqa: PLC0415 - twine is slow to import; readers need none

        upload_distribution(path, url=self._upload_url, credentials=self._credentials, patience=self._retry.patience)

    def ask(self, what: str, url: str, **options: Any) -> Answer:
        """The whole answer to a GET of `url`, which notes call `what`. Raise `PackageIndexError` where there is none.

        `options` are the `accept` header, the `limit` in bytes, and whether it may `allow_elsewhere` redirects lead.
        """
        with IndexSession(self._simple_url, self._credentials, self._retry.patience) as session:
            return self._retry.ask(f"index: {what}", partial(_answer, session, url, **options))


def _url(what: str, text: str) -> str:
    try:
        return parse_url(text)
    except BadUrl as error:
        raise ReleaseError(f"{what}: {error}") from error


def _answer(session: IndexSession, url: str, *, accept: str, limit: int, allow_elsewhere: bool = False) -> Answer:
    """The whole answer. Raise `Passing` where asking again may help, `PackageIndexError` for a redirect that stays."""
    try:
        with session.ask(url, accept=accept, allow_elsewhere=allow_elsewhere) as response:
            if not response.ok or response.is_redirect:
                message = f"the index answers {status(response)} at {shown_url(url)}"
                raise unwell(message, response, remedy="is the URL right?")
            kind = response.headers.get("Content-Type", "text/html")
            return Answer(response.url, kind, _body(url, response, limit))
    except PackageIndexError as error:
        raise error.or_passing() from error.__cause__


def _body(url: str, response: requests.Response, limit: int) -> bytes:
    data = io.BytesIO()  # which hands out what it holds without a copy
    try:
        for chunk in response.iter_content(1024 * 1024):
            data.write(chunk)
            if data.tell() > limit:
                raise ReleaseError(
                    f"{shown_url(url)} has more than {limit} bytes", remedy="that is no file of a release"
                )
    except requests.RequestException as error:
        raise unreachable(url, error) from tellable(url, error)
    return data.getvalue()
