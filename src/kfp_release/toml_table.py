"""Tables of a TOML file that a person wrote: read by key and type, every problem kept with its line."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from kfp_release.errors import Problem, Problems, ReleaseError

T = TypeVar("T")
Place = tuple[str, ...]
"""The keys that lead to a value: ``("tool", "kfp-release", "images")``."""

_KEY = r"""(?:[A-Za-z0-9_-]+|"[^"\\]*"|'[^']*')"""
_KEYS = rf"({_KEY}(?:[ \t]*\.[ \t]*{_KEY})*)"
_MAX_PARTS = 64
_PART = r"""(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
_ENDLESS = re.compile(rf"(?<![A-Za-z0-9_-])(?:{_PART}[ \t]*+\.[ \t]*+){{{_MAX_PARTS}}}")
"""The beginning of a key in more parts: tomllib takes memory for the square of their number."""
_LONGEST = 1024 * 1024
"""Bytes."""
_HEADER = re.compile(rf"[ \t]*\[\[?[ \t]*{_KEYS}[ \t]*\]")
_PAIR = re.compile(rf"[ \t]*{_KEYS}[ \t]*=")
_AT_LINE = re.compile(r"\(at line (\d+)")
_TYPES: Mapping[type, str] = {
    str: "a text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "a table",
}
_FORMS: Mapping[type, str] = {
    str: "write it in quotes",
    list: "write it in brackets, its texts in quotes",
    dict: "write it in braces, or below a heading of its own",
    bool: "write it without quotes",
}
"""How the types are written that a setting can have."""


@dataclass(frozen=True, slots=True)
class TomlFile:
    """A file, the lines where its keys stand, and the problems found so far."""

    name: str
    value: Mapping[str, Any]
    lines: Mapping[Place, int]
    problems: list[Problem] = field(default_factory=list)

    @classmethod
    def parse(cls, name: str, data: bytes) -> TomlFile:
        """Raise `Problems` unless `data` is TOML."""
        if len(data) > _LONGEST:
            raise Problems([Problem(name, 0, f"the file has {len(data):,} bytes", f"{_LONGEST:,} are the most")])
        try:
            text = data.decode()
            if endless := _ENDLESS.search(text):
                line = text.count("\n", 0, endless.start()) + 1
                raise Problems([Problem(name, line, f"a key has more than {_MAX_PARTS} parts", "shorten it")])
            return cls(name, tomllib.loads(text), _key_lines(text))
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise Problems([Problem(name, line, "the file is not UTF-8", "save it as UTF-8")]) from error
        except tomllib.TOMLDecodeError as error:
            found = _AT_LINE.search(str(error))
            raise _not_toml(name, int(found[1]) if found else 0, error) from error
        except (RecursionError, ValueError) as error:  # too deep; a number with too many digits
            raise _not_toml(name, 0, error) from error

    def report(self, place: Place, message: str, remedy: str = "") -> None:
        """Keep a problem, with the line of `place`, or of the nearest key around it that has one."""
        lines = (self.lines[place[:end]] for end in range(len(place), 0, -1) if place[:end] in self.lines)
        self.problems.append(Problem(self.name, next(lines, 0), message, remedy))

    def table(self, *place: str) -> Table | None:
        """The table at `place`. None where there is none, or no table; that is not reported."""
        value: Any = self.value
        for key in place:
            value = value.get(key) if isinstance(value, dict) else None
        return Table(self, place, value) if isinstance(value, dict) else None


@dataclass(frozen=True, slots=True)
class Table:
    """One table. What is missing or of the wrong type is reported to the file and read as None."""

    file: TomlFile
    place: Place
    value: Mapping[str, Any]

    def name(self, *keys: str) -> str:
        """How a message calls a key of this table: ``tool.kfp-release.package``."""
        return ".".join((*self.place, *keys))[:200]

    def report(self, keys: Place, message: str, remedy: str = "") -> None:
        """Keep a problem of the key, or of the table itself where `keys` is empty."""
        self.file.report((*self.place, *keys), message, remedy)

    def refuse_unknown(self, known: Iterable[str]) -> None:
        """Report each key that is not `known`, with the one that may have been meant."""
        known = list(known)
        for key in self.value:
            if key not in known:
                near = difflib.get_close_matches(key, known, 1)
                remedy = f"did you mean {near[0]}?" if near else f"known are: {', '.join(known)}"
                self.report((key,), f"{self.name(key)} is not known", remedy)

    def read(
        self, key: str, parse: Callable[[str], T], *, default: T | None = None, required: bool = False
    ) -> T | None:
        """What `parse` makes of the text at `key`; its `ReleaseError` is reported."""
        if required and key not in self.value:
            self.report((), f"{self.name(key)} is missing", f"add {key} to [{self.name()}]")
        text = self._typed(key, str)
        return default if text is None else self._parsed((key,), text, parse)

    def read_flag(self, key: str) -> bool:
        """The truth at `key`; false where it is missing."""
        return self._typed(key, bool) or False

    def read_list(self, key: str, parse: Callable[[str], T]) -> tuple[T, ...]:
        """What `parse` makes of each text of the list at `key`; nothing where it is missing."""
        items = self._typed(key, list) or []
        parsed = [self._item(key, item, parse) for item in items]
        for item in sorted({str(item) for item in parsed if item is not None and parsed.count(item) > 1}):
            self.report((key,), f"{self.name(key)} names {item[:120]!r} twice", "name it once")
        return tuple(item for item in parsed if item is not None)

    def tables(self, key: str) -> dict[str, Table]:
        """The tables by name below `key`."""
        names = self._typed(key, dict) or {}
        below = Table(self.file, (*self.place, key), names)
        return {name: table for name in names if (table := below.child(name)) is not None}

    def child(self, key: str) -> Table | None:
        """The table at `key`."""
        value = self._typed(key, dict)
        return None if value is None else Table(self.file, (*self.place, key), value)

    def texts(self, key: str) -> dict[str, str]:
        """The table of texts at `key`, by name; empty where it is missing."""
        child = self.child(key)
        if child is None:
            return {}
        texts = {name: child._typed(name, str) for name in child.value}  # noqa: SLF001 - another of this class
        return {name: text for name, text in texts.items() if text is not None}

    def _typed(self, key: str, wanted: type[T]) -> T | None:
        value = self.value.get(key)
        if value is None or isinstance(value, wanted):
            return value
        seen = f"{_TYPES.get(type(value), 'a date or time')}: {str(value)[:60]}"
        self.report((key,), f"{self.name(key)} must be {_TYPES[wanted]}, and is {seen}", _FORMS[wanted])
        return None

    def _item(self, key: str, item: Any, parse: Callable[[str], T]) -> T | None:
        if isinstance(item, str):
            return self._parsed((key,), item, parse)
        message = f"{self.name(key)} must be a list of texts, and holds {str(item)[:60]}"
        self.report((key,), message, "write each of them in quotes")
        return None

    def _parsed(self, keys: Place, text: str, parse: Callable[[str], T]) -> T | None:
        try:
            return parse(text)
        except ReleaseError as error:
            self.report(keys, f"{self.name(*keys)}: {error.args[0]}", error.remedy)
            return None


def _not_toml(name: str, line: int, error: Exception) -> Problems:
    return Problems([Problem(name, line, f"the file is not TOML: {str(error)[:200]}", "mend the file's syntax")])


def _key_lines(text: str) -> dict[Place, int]:
    """Where keys stand, found line by line: the first place counts, and a key inside of an inline table has none."""
    lines: dict[Place, int] = {}
    header: Place = ()
    for number, line in enumerate(text.split("\n"), 1):
        if found := _HEADER.match(line):
            header = _place(f"[{found[1]}]")
            lines.setdefault(header, number)
        elif found := _PAIR.match(line):
            lines.setdefault(header + _place(f"{found[1]} = 0"), number)
    return lines


def _place(line: str) -> Place:
    value: Any = tomllib.loads(line)
    keys: list[str] = []
    while isinstance(value, dict) and value:
        [(key, value)] = value.items()
        keys.append(key)
    return tuple(keys)
