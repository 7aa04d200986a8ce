"""What twine does for a release: checks its distributions as ``twine check --strict`` does, and uploads them.

twine's Python API, not its command line, which would take the password as an argument.
"""

from __future__ import annotations

import contextlib
import io
import logging
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import requests
from twine.commands.check import check
from twine.exceptions import TwineException
from twine.package import PackageFile
from twine.repository import Repository

from kfp_release.credentials import Credentials
from kfp_release.errors import Problem, Problems, ReleaseError
from kfp_release.index_session import (
    PackageIndexError,
    TimedAdapter,
    basic_auth,
    refused,
    said,
    status,
    unreachable,
    unwell,
)
from kfp_release.patience import Patience
from kfp_release.terminal_text import one_line

_UNREADABLE = (TwineException, OSError, ValueError, KeyError, zipfile.BadZipFile, tarfile.TarError, zlib.error)


def check_distributions(paths: Iterable[Path]) -> None:
    """Raise `Problems`, one for each wheel or sdist whose metadata an index would not take or render."""
    problems = []
    for path in paths:
        with _twine_said() as lines:
            try:
                failed = check([str(path)], strict=True)
            except _UNREADABLE as error:
                lines.append(str(error))
                failed = True
        if failed:
            message = one_line("; ".join(lines), 500) or "twine check --strict refuses it"
            problems.append(Problem(path.name, 0, message, "mend the metadata in pyproject.toml, or the README"))
    if problems:
        raise Problems(problems)


def upload_distribution(path: Path, *, url: str, credentials: Credentials, patience: Patience) -> None:
    """Upload one wheel or sdist to the index at `url` (PyPI's legacy upload API), once.

    Raise `PackageIndexError` where the index does not take it.
    """
    with _twine_said():
        response = _send(path, url, credentials, patience)
    if response.status_code in {401, 403}:
        raise refused(url, response, credentials)
    if response.is_redirect:
        raise PackageIndexError(
            f"{url} sends the upload of {path.name} elsewhere ({status(response)})",
            remedy="have the index's settings name where it leads, if that is yours; often a / at the end is missing",
            status=response.status_code,
        )
    if not response.ok:
        raise unwell(
            f"the index at {url} does not take {path.name} ({status(response)}): {credentials.hide(said(response))}",
            response,
            remedy="a file that is there is never replaced: look at what the index lists, and release a new version",
        )


def _send(path: Path, url: str, credentials: Credentials, patience: Patience) -> requests.Response:
    try:
        package = PackageFile.from_filename(str(path), None)
    except _UNREADABLE as error:
        raise ReleaseError(
            f"{path} is no wheel or sdist: {one_line(str(error), 300)}", remedy="build it again"
        ) from error
    with contextlib.closing(Repository(url, "", "", disable_progress_bar=True)) as repository:
        repository.session.auth = basic_auth(credentials)
        for scheme in ("http://", "https://"):
            repository.session.mount(scheme, TimedAdapter(patience))
        try:
            # Once: whether and when it is sent again is not twine's to say, which repeats a 5xx five times at once.
            response: requests.Response = repository.upload(package, max_redirects=1)
        except requests.RequestException as error:
            raise unreachable(url, error) from error
    return response


class _Said(logging.Handler):
    """Keeps what twine logs as warnings and errors."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(record.getMessage())


@contextlib.contextmanager
def _twine_said() -> Iterator[list[str]]:
    # stdout carries results alone; what twine prints there says nothing that we do not.
    lines: list[str] = []
    logger = logging.getLogger("twine")
    handler, propagate = _Said(lines), logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield lines
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagate
