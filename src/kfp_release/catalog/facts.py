"""What was found out for a catalog before, kept by the content that it was found out of: it cannot have changed.

A commit's files, a wheel of a sha256, a manifest of a digest are the same for ever. So a second run asks for what is
new, and reads that alone. Nobody misses the file where they are kept: without it everything is asked for again.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from kfp_release.errors import ReleaseError
from kfp_release.json_text import BadJson, read_json
from kfp_release.manifest import canonical_json
from kfp_release.plain_file import read_plain
from kfp_release.whole_file import replace_file

SCHEMA: Final = 1
_MOST: Final = 256 * 1024 * 1024
"""Bytes of such a file."""
_PROJECTS: Final = 20
"""Files that stay: those that were written last."""


class Facts:
    """The facts of one project, by kind and by key. Those that a run does not ask for are gone after it."""

    def __init__(self, path: Path | None = None, *, fresh: bool = False) -> None:
        """Those that `path` holds; none where it is None, is not there, is damaged, or is another version's.

        A `fresh` one begins with none, and takes the place of what was there.
        """
        self._path = path
        self._before = {} if path is None or fresh else _read(path)
        self._now: dict[str, dict[str, Any]] = {}
        self._is_new = False

    @classmethod
    def of(cls, cache: Path, project: str, *, fresh: bool = False) -> Facts:
        """Those of the `project`, whatever text names it, below the folder `cache`."""
        return cls(cache / "catalog" / f"{hashlib.sha256(project.encode()).hexdigest()[:32]}.json", fresh=fresh)

    def get(self, kind: str, key: str) -> Any:
        """The fact, as JSON has it; None where it is not known."""
        value = self._now.get(kind, {}).get(key)
        if value is None:
            value = self._before.get(kind, {}).get(key)
            if value is not None:
                self._now.setdefault(kind, {})[key] = value
        return value

    def put(self, kind: str, key: str, value: Any) -> None:
        """Keep it; `value` is what JSON can hold, and not None."""
        self._now.setdefault(kind, {})[key] = value
        self._is_new = True

    def write(self) -> bool:
        """Write what was asked for or put, and nothing else; whether it could be, or needed not to be."""
        if self._path is None or (not self._is_new and self._now == self._before):
            return True
        try:
            data = canonical_json({"schema": _schema(), "facts": self._now})
            folder = self._path.parent
            folder.mkdir(parents=True, exist_ok=True)
            replace_file(self._path, data, mode=0o600)
            _forget_the_oldest(folder)
        except (OSError, ReleaseError):
            return False
        return True


def _schema() -> str:
    """Other code may find out other things of the same content."""
    return f"{SCHEMA} of kfp-release {metadata.version('kfp-release')}"


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        value = read_json(read_plain(path, most=_MOST), most=_MOST)
    except (OSError, BadJson):
        return {}
    match value:
        case {"schema": str(schema), "facts": dict(facts)} if schema == _schema():
            return {kind: found for kind, found in facts.items() if isinstance(found, dict)}
    return {}


def _forget_the_oldest(folder: Path) -> None:
    with suppress(OSError):
        files = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in files[_PROJECTS:]:
            path.unlink(missing_ok=True)
