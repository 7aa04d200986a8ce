"""YAML as texts, lists and dicts. Each text knows where it stands in the file, so that it alone can be changed.

The limits keep hostile files cheap: libyaml takes minutes for a megabyte of nested brackets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import yaml

MOST_BYTES = 8 << 20
MOST_DEPTH = 100
MOST_VALUES = 500_000
MOST_ALIASES = 1_000

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN_TAGS = {None, "tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}
_NULL = {"", "~", "null", "Null", "NULL"}


class BadYaml(ValueError):
    """A text that is no plain YAML, or more of it than is read. `line` counts from 1, and is 0 for the whole text."""

    def __init__(self, message: str, *, line: int = 0, remedy: str = "") -> None:
        super().__init__(message)
        self.line = line
        self.remedy = remedy


class Text(str):
    """A scalar's text. `start` and `end` count characters, over quotes, anchor and tag too; `line` counts from 1."""

    __slots__ = ("end", "is_bare", "line", "start")

    start: int
    end: int
    line: int
    is_bare: bool
    """Whether it stands without quotes."""

    @property
    def is_null(self) -> bool:
        """Whether it is YAML's null."""
        return self.is_bare and self in _NULL


class Span(NamedTuple):
    """What an alias repeats: characters from `start` to `end`."""

    start: int
    end: int
    line: int
    """Of the alias."""


class YamlPlaces(NamedTuple):
    """The documents of one text, what its aliases repeat, and all that stands in it, in one row."""

    text: str
    documents: list[Any]
    repeated: list[Span]
    row: list[str | None]
    """Texts as they are, and None for where a list or mapping ends: for two texts that differ in some of them alone."""

    @classmethod
    def parse(cls, data: bytes) -> YamlPlaces:
        """Raise `BadYaml` unless `data` is plain YAML in UTF-8 within the limits."""
        if len(data) > MOST_BYTES:
            raise BadYaml(f"has more than {MOST_BYTES:,} bytes, which are read at most")
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise BadYaml(f"is not UTF-8: byte 0x{data[error.start]:02x}", line=line) from error
        reader = _Reader(1 if text.startswith("\ufeff") else 0)
        try:
            reader.read(text.removeprefix("\ufeff"))
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            what = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
            raise BadYaml(f"is not YAML: {str(what)[:200]}", line=mark.line + 1 if mark else 0) from error
        return cls(text, reader.documents, reader.repeated, reader.row)

    def with_texts(self, changed: Sequence[tuple[Text, str]]) -> str:
        """The text with other values in place of some, each after the one that stands there; all else stays as it is.

        Raise `BadYaml` where one is repeated by an alias, or not written as it is read.
        """
        parts: list[str] = []
        done = 0
        for old, new in sorted(changed, key=lambda pair: pair[0].start):
            start, end = old.start, old.end
            for span in self.repeated:
                if span.start <= start < span.end:
                    raise BadYaml(
                        "repeats an image by an alias", line=span.line, remedy="write it out instead of the alias"
                    )
            shown = self.text[start:end]
            if shown.count(old) != 1:
                raise BadYaml(
                    "writes an image with escapes or over several lines", line=old.line, remedy="write it on one line"
                )
            quoted = f"'{new}'" if old.is_bare and new.startswith("[") else new  # as YAML reads no list
            parts += (self.text[done:start], shown.replace(old, quoted))
            done = end
        written = "".join([*parts, self.text[done:]])
        self._verify(written, changed)
        return written

    def _verify(self, written: str, changed: Sequence[tuple[Text, str]]) -> None:
        """Read it back: what else has changed must never be written."""
        by_start = {old.start: new for old, new in changed}
        wanted = [by_start.get(one.start, one) if isinstance(one, Text) else one for one in self.row]
        if YamlPlaces.parse(written.encode()).row != wanted:
            raise BadYaml("cannot be changed in its images alone", remedy="compile it anew with kfp")


class _Reader:
    """Turns events into values. `shift` is what the text's byte order mark takes."""

    def __init__(self, shift: int) -> None:
        self.documents: list[Any] = []
        self.repeated: list[Span] = []
        self.row: list[str | None] = []
        self._shift = shift
        self._anchors: dict[str, tuple[Any, int, int] | None] = {}

    def read(self, text: str) -> None:
        loader: Any = _Loader(text)
        try:
            self._read(iter(loader.get_event, None))
        finally:
            loader.dispose()

    def _read(self, events: Iterator[Any]) -> None:
        nodes = self.documents
        opened: list[tuple[Any, list[Any]]] = []
        for event in events:
            kind = type(event)
            if kind is yaml.ScalarEvent:
                nodes.append(self._text(event))
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                self._begin(event)
                opened.append((event, nodes))
                nodes = []
                if len(opened) > MOST_DEPTH:
                    raise _refused(event, f"nests more than {MOST_DEPTH} levels deep")
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                first, outer = opened.pop()
                made = nodes if kind is yaml.SequenceEndEvent else _mapping(nodes, first)
                self._end(first, made, event)
                self.row.append(None)
                outer.append(made)
                nodes = outer
            elif kind is yaml.AliasEvent:
                nodes.append(self._alias(event))
            elif kind is yaml.DocumentStartEvent:
                self._anchors = {}
            if len(self.row) > MOST_VALUES:
                raise _refused(event, f"has more than {MOST_VALUES:,} values")

    def _text(self, event: Any) -> Text:
        text = Text(event.value)
        text.start, text.end = event.start_mark.index + self._shift, event.end_mark.index + self._shift
        text.line, text.is_bare = event.start_mark.line + 1, not event.style
        self.row.append(text)
        if event.tag is not None or event.anchor is not None:
            self._begin(event)
            self._end(event, text, event)
        return text

    def _begin(self, event: Any) -> None:
        if event.tag not in _PLAIN_TAGS:
            raise _refused(event, f"has the tag {str(event.tag)[:80]!r}")
        if event.anchor is not None:
            self._anchors[event.anchor] = None

    def _end(self, first: Any, made: Any, last: Any) -> None:
        if first.anchor is not None:
            span = first.start_mark.index + self._shift, last.end_mark.index + self._shift
            self._anchors[first.anchor] = (made, *span)

    def _alias(self, event: Any) -> Any:
        found = self._anchors.get(event.anchor)
        if found is None:
            raise _refused(event, f"has an alias *{str(event.anchor)[:80]} of nothing before it")
        if len(self.repeated) == MOST_ALIASES:
            raise _refused(event, f"has more than {MOST_ALIASES:,} aliases")
        made, start, end = found
        self.repeated.append(Span(start, end, event.start_mark.line + 1))
        self.row.append(f"*{event.anchor}")
        return made


def _mapping(nodes: list[Any], event: Any) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in zip(nodes[::2], nodes[1::2], strict=True):
        if not isinstance(key, Text) or (key.is_bare and key == "<<"):
            raise _refused(event, "has a key that is no text" if not isinstance(key, Text) else "has a merge key <<")
        if key in made:
            raise BadYaml(f"has the key {key[:80]!r} twice", line=key.line)
        made[key] = value
    return made


def _refused(event: Any, message: str) -> BadYaml:
    return BadYaml(message, line=event.start_mark.line + 1)
