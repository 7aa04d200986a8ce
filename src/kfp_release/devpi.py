"""An index of a devpi server, read and written as any other; what devpi knows of it is asked first.

An index that is volatile overwrites what is there, and says nothing. What an index inherits from its bases, a mirror of
the public index perhaps, is on its pages too, and none of ours. Source: devpi's documentation, "Indices".
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from kfp_release.credentials import Credentials
from kfp_release.errors import ReleaseError
from kfp_release.index import Index
from kfp_release.index_page import IndexFile
from kfp_release.index_session import PackageIndexError
from kfp_release.index_settings import DevpiIndex, IndexUrls
from kfp_release.json_text import BadJson, read_json
from kfp_release.retry import SILENT, Retry

_MOST = 1024 * 1024
"""Bytes of an index's state, which names no projects."""
_KEY = "devpi of [tool.kfp-release.index]"


@dataclass(frozen=True, slots=True)
class DevpiState:
    """What devpi says of an index."""

    is_mirror: bool
    is_volatile: bool

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Raise `BadJson` unless `data` is devpi's answer to a question for an index."""
        value = read_json(data, most=_MOST)
        state: Any = value.get("result") if isinstance(value, dict) and value.get("type") == "indexconfig" else None
        if not isinstance(state, dict) or state.get("type") not in ("stage", "mirror"):
            raise BadJson("is not what devpi says of an index")
        volatile = state.get("volatile")
        if not isinstance(volatile, bool):
            raise BadJson("does not say whether the index is volatile")
        return cls(state["type"] == "mirror", volatile)


class Devpi:
    """One index. Its state is asked for at the first question, once, for all threads."""

    def __init__(self, settings: DevpiIndex, credentials: Credentials, *, retry: Retry = SILENT) -> None:
        self._settings = settings
        self._index = Index(IndexUrls(f"{settings.url}/", f"{settings.url}/+simple/"), credentials, retry=retry)
        self._lock = threading.Lock()
        self._known: DevpiState | None = None

    def files(self, project: str) -> dict[str, IndexFile]:
        """As `Index` has it, of this index itself: not those that it inherits from its bases.

        Raise `PackageIndexError` where there is no such index.
        """
        self._state()
        return {name: file for name, file in self._index.files(project).items() if self._is_own(file)}

    def download(self, file: IndexFile) -> bytes:
        """As `Index` has it."""
        return self._index.download(file)

    def require_credentials(self) -> None:
        """Raise `PackageIndexError` where there are none, or where the index would not keep what it takes."""
        state, name = self._state(), self._settings.name
        if state.is_mirror:
            raise PackageIndexError(
                f"{self._settings} is a mirror, which takes no files", remedy=f"name an index of your own in {_KEY}"
            )
        if state.is_volatile:
            raise PackageIndexError(
                f"{self._settings} is volatile: devpi overwrites its files and says nothing",
                remedy=f"devpi index {name} volatile=False",
            )
        self._index.require_credentials()

    def upload(self, path: Path) -> None:
        """As `Index` has it."""
        self.require_credentials()
        self._index.upload(path)

    def _is_own(self, file: IndexFile) -> bool:
        # devpi keeps each file below the index that it was uploaded to: USER/INDEX/+f/…, or +e/… for a mirror's.
        return f"/{self._settings.name}/+" in unquote(urlsplit(file.url).path)

    def _state(self) -> DevpiState:
        with self._lock:
            if self._known is None:
                self._known = self._asked()
            return self._known

    def _asked(self) -> DevpiState:
        url, name = self._settings.url, self._settings.name
        try:
            data = self._index.ask(
                f"the index {name}", f"{url}?no_projects=", accept="application/json", limit=_MOST
            ).data
            return DevpiState.parse(data)
        except PackageIndexError as error:
            if error.status not in {404, 410}:
                raise
            raise PackageIndexError(
                f"there is no devpi index at {url} (HTTP {error.status})",
                remedy=f"correct {_KEY}, or create it: devpi index -c {name} volatile=False",
                status=error.status,
            ) from error
        except BadJson as error:
            raise ReleaseError(
                f"{url} is no index of a devpi server: its answer {error.args[0]}", remedy=f"correct {_KEY}"
            ) from error
