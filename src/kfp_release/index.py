"""The private Python index: reads the simple API (PEP 503, PEP 691), uploads through twine."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import requests
from pypi_simple import ACCEPT_ANY, PyPISimple

from kfp_release.credentials import PASSWORD, USERNAME, Credentials
from kfp_release.digest import Digest
from kfp_release.errors import ReleaseError
from kfp_release.index_page import IndexFile, parse_page
from kfp_release.index_session import IndexSession, PackageIndexError, status, unreachable
from kfp_release.retry import passes
from kfp_release.settings import IndexSettings
from kfp_release.url import BadUrl, parse_url

MAX_FILE = 256 * 1024 * 1024
"""Bytes. A longer file is none of ours."""
MAX_PAGE = 64 * 1024 * 1024
"""Bytes of a project's page."""

__all__ = ["Credentials", "Index", "IndexFile"]


class Index:
    """An index at two URLs, with the user who asks. Opens connections when it is asked something."""

    def __init__(
        self, settings: IndexSettings, credentials: Credentials, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """Raise `ReleaseError` for a URL that must not be used: with credentials in it, say. `sleep` waits to retry."""
        self._upload_url = _url("the index's upload-url (or TWINE_REPOSITORY_URL)", settings.upload_url)
        self._simple_url = _url("the index's simple-url (or KFP_RELEASE_SIMPLE_URL)", settings.simple_url)
        self._credentials = credentials
        self._sleep = sleep

    def files(self, project: str) -> dict[str, IndexFile]:
        """The files of `project` by name; none where the index does not know the project.

        A redirect to another host means that as well: pypiserver and others send pip on to the public index for what
        they do not have, and a public project of the same name is not ours. Raise `PackageIndexError` where it cannot
        be asked, another `ReleaseError` where its page cannot be read.
        """
        with self._session() as session:
            url = PyPISimple(self._simple_url, session=session).get_project_url(project)
            with session.ask(url, accept=ACCEPT_ANY) as response:
                if response.status_code == requests.codes.not_found or response.is_redirect:
                    return {}
                _require_ok(url, response)
                data = _body(url, response, MAX_PAGE)
                kind = response.headers.get("Content-Type", "text/html")
                return parse_page(project, data, content_type=kind, url=response.url)

    def download(self, file: IndexFile) -> bytes:
        """The bytes of `file`. Raise `PackageIndexError` where they cannot be had.

        Raise another `ReleaseError` where they are not those that the index announced, or too many.
        """
        with (
            self._session() as session,
            session.ask(file.url, accept="*/*", allow_elsewhere=True) as response,
        ):
            _require_ok(file.url, response)
            data = _body(file.url, response, MAX_FILE)
        seen = Digest.of(data).hex
        if file.sha256 is not None and file.sha256 != seen:
            raise ReleaseError(
                f"{file.filename} from the index has sha256 {seen}, its page says {file.sha256}",
                remedy="try again; if it stays so, the file or the page was changed on the index",
            )
        return data

    def require_credentials(self) -> None:
        """Raise `PackageIndexError` where there are none: whom it may be read by, it need not take files from."""
        if self._credentials.is_anonymous:
            raise PackageIndexError(
                f"nothing can be uploaded to {self._upload_url} without credentials",
                remedy=f"set {USERNAME} and {PASSWORD} in the environment",
            )

    def upload(self, path: Path) -> None:
        """Upload one wheel or sdist through twine. Raise `PackageIndexError` where the index does not take it."""
        self.require_credentials()
        from kfp_release.twine_upload import upload_distribution  # noqa: PLC0415 - twine is slow to import; readers need none

        upload_distribution(path, url=self._upload_url, credentials=self._credentials)

    def _session(self) -> IndexSession:
        return IndexSession(self._simple_url, self._credentials, sleep=self._sleep)


def _url(what: str, text: str) -> str:
    try:
        return parse_url(text)
    except BadUrl as error:
        raise ReleaseError(f"{what}: {error}") from error


def _require_ok(url: str, response: requests.Response) -> None:
    if response.ok and not response.is_redirect:
        return
    raise PackageIndexError(
        f"the index answers {status(response)} at {url}",
        remedy="try again later" if passes(response.status_code) else "is the URL right?",
        status=response.status_code,
    )


def _body(url: str, response: requests.Response, limit: int) -> bytes:
    data = bytearray()
    try:
        for chunk in response.iter_content(1024 * 1024):
            data += chunk
            if len(data) > limit:
                raise ReleaseError(f"{url} has more than {limit} bytes", remedy="that is no file of a release")
    except requests.RequestException as error:
        raise unreachable(url, error) from error
    return bytes(data)
