"""The last line of a file that `kfp-release compile` wrote: what it was compiled from, as a comment.

At the end, for kfp takes a description from fixed lines at the beginning.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from kfp_release.json_text import BadJson, read_json
from kfp_release.python_code import code_content

_HEAD = "# kfp-release compile:"
_LONGEST = 256 * 1024
"""Bytes of such a line."""
_HEX = 32
"""Digits of a hash: it tells what was changed, not who changed it."""


class BadMark(BadJson):
    """A last line that is damaged. The message goes on from the name of the file."""


@dataclass(frozen=True, slots=True)
class CompileMark:
    """Where a compiled file is from, and hashes that tell whether that or the file was changed since."""

    module: str
    function: str
    functions: str
    """The `name_hash` of all of the module that were compiled: a missing file does not go unnoticed."""
    files: tuple[str, ...]
    """The files of the project that the module was made from; their paths are relative to it."""
    sources: str
    """Their `source_hash`."""
    text: str
    """The `text_hash` of what stands above the line."""

    @classmethod
    def find(cls, text: str) -> Self | None:
        """That of the component file `text`; None where it has none. Raise `BadMark` where it is damaged."""
        _, line = _split(text)
        if not line:
            return None
        try:
            value = read_json(line.removeprefix(_HEAD).encode(), most=_LONGEST)
            return cls(
                module=_name(value["module"]),
                function=_name(value["function"]),
                functions=_text(value["functions"]),
                files=_texts(value["files"]),
                sources=_text(value["sources"]),
                text=_text(value["text"]),
            )
        except (BadJson, LookupError, TypeError) as error:
            raise BadMark("has a damaged last line, which says what kfp-release compile made it of") from error

    @property
    def origin(self) -> str:
        """As messages call it: ``package.module:function``."""
        return f"{self.module}:{self.function}"

    def is_of(self, text: str) -> bool:
        """Whether the component file `text` is as it was written."""
        return self.text == text_hash(unmarked(text))

    def line(self) -> str:
        """The comment, without a line end."""
        value = {
            "module": self.module,
            "function": self.function,
            "functions": self.functions,
            "files": self.files,
            "sources": self.sources,
            "text": self.text,
        }
        return f"{_HEAD} {json.dumps(value)}"


def marked(text: str, *, module: str, function: str, functions: Iterable[str], sources: Mapping[str, bytes]) -> str:
    """The component file that `text` becomes; `sources` are the files that it was made from, by their paths."""
    body = text if text.endswith("\n") else f"{text}\n"
    mark = CompileMark(
        module=module,
        function=function,
        functions=name_hash(functions),
        files=tuple(sorted(sources)),
        sources=source_hash(sources),
        text=text_hash(body),
    )
    return f"{body}{mark.line()}\n"


def unmarked(text: str) -> str:
    """What stands above the mark; all of a text that has none."""
    return _split(text)[0]


def name_hash(names: Iterable[str]) -> str:
    """The hash of names, in whatever order."""
    return text_hash("\n".join(sorted(names)))


def source_hash(sources: Mapping[str, bytes]) -> str:
    """The hash of files by their paths, the same with either kind of line end: git may write both.

    Python counts without comments and layout, and component files without their marks, which hold such hashes.
    """
    digest = hashlib.sha256()
    for path, data in sorted(sources.items()):
        content = hashlib.sha256(_counted(path, data.replace(b"\r\n", b"\n"))).hexdigest()
        digest.update(f"{content} {path}\n".encode())
    return digest.hexdigest()[:_HEX]


def _counted(path: str, data: bytes) -> bytes:
    if path.endswith((".yaml", ".yml")):
        return unmarked(data.decode(errors="surrogateescape")).encode(errors="surrogateescape")
    return code_content(data) if path.endswith(".py") else data


def text_hash(text: str) -> str:
    """The hash of a text, the same with either kind of line end."""
    return hashlib.sha256(text.replace("\r\n", "\n").encode()).hexdigest()[:_HEX]


def _split(text: str) -> tuple[str, str]:
    """The text above the mark, and the mark's line; empty where it has none."""
    start = text.rstrip().rfind("\n") + 1
    line = text[start:].strip()
    return (text[:start], line) if line.startswith(_HEAD) else (text, "")


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(value)
    return tuple(map(_text, value))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _name(value: Any) -> str:
    """A name as Python has it, with dots in between."""
    if not all(part.isidentifier() for part in _text(value).split(".")):
        raise TypeError(value)
    return _text(value)
