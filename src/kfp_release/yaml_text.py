"""YAML as a tree of nodes that know where in the text they stand, so that one value can be changed and nothing else.

PyYAML's own node graph forgets where an alias stands, which an exact splice has to know; so the tree is made from its
events. The limits keep hostile files cheap: libyaml takes minutes for a megabyte of nested brackets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import yaml

from kfp_release.errors import Problem, Problems
from kfp_release.yaml_nodes import Alias, Items, Node, Scalar, Table

MAX_BYTES = 1 << 20
MAX_DEPTH = 100
MAX_NODES = 100_000
"""Aliases count with all that they stand for."""
MAX_ALIASES = 1_000

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN_TAGS = {None, "tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}
_PROPERTIES = re.compile(r"(?:[&!]\S*(?:\s|#[^\r\n]*)*)*")


@dataclass(frozen=True, slots=True)
class YamlText:
    """The documents of one file, and every alias in them."""

    text: str
    documents: tuple[Node, ...]
    aliases: tuple[Alias, ...]

    @classmethod
    def parse(cls, name: str, data: bytes) -> YamlText:
        """Raise `Problems`, with `name` as the path, unless `data` is plain YAML in UTF-8 within the limits."""
        if len(data) > MAX_BYTES:
            raise _problem(
                name, 0, f"has {len(data):,} bytes, and a component file has {MAX_BYTES:,} at most", "shorten it"
            )
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise _problem(
                name, line, f"is not UTF-8: byte 0x{data[error.start]:02x}", "save the file as UTF-8"
            ) from error
        tree = _Tree(name, 1 if text.startswith("\ufeff") else 0)
        try:
            tree.read(yaml.parse(text.removeprefix("\ufeff"), Loader=_LOADER))
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            what = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
            raise _problem(
                name, mark.line + 1 if mark else 0, f"is not YAML: {what[:200]}", "mend the file's syntax"
            ) from error
        return cls(text, tuple(tree.documents), tuple(tree.aliases))

    def value_span(self, scalar: Scalar) -> tuple[int, int]:
        """Where the characters of a one-line scalar's value stand: without anchor, tag, quotes and block header."""
        shown = self.text[scalar.start : scalar.end]
        begin = _PROPERTIES.match(shown).end() if shown[:1] in {"&", "!"} else 0  # type: ignore[union-attr] # matches ""
        if scalar.style in {"'", '"'}:
            return scalar.start + begin + 1, scalar.end - 1
        if scalar.style:
            header = re.compile(r"[^\r\n\x85\u2028\u2029]*").match(shown, begin)
            at = scalar.start + shown.index(scalar.text.strip(), header.end() if header else begin)
            return at, at + len(scalar.text.strip())
        return scalar.start + begin, scalar.end


def _problem(name: str, line: int, message: str, remedy: str) -> Problems:
    return Problems([Problem(name, line, message, remedy)])


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come yet."""

    event: yaml.NodeEvent
    nodes: list[Node] = field(default_factory=list)


class _Tree:
    """Turns events into nodes. `shift` is what the text's byte order mark takes."""

    def __init__(self, name: str, shift: int) -> None:
        self.documents: list[Node] = []
        self.aliases: list[Alias] = []
        self._name = name
        self._shift = shift
        self._open: list[_Open] = []
        self._anchors: dict[str, Node | None] = {}

    def read(self, events: Iterable[yaml.Event]) -> None:
        for event in events:
            match event:
                case yaml.ScalarEvent():
                    self._begin(event)
                    start, end, line = self._span(event, event)
                    style, is_plain = event.style or "", event.implicit[0]
                    self._add(event, Scalar(start, end, line, text=event.value, style=style, is_plain=is_plain))
                case yaml.CollectionStartEvent():
                    self._begin(event)
                    self._open.append(_Open(event))
                    if len(self._open) > MAX_DEPTH:
                        raise self._refused(event, f"nests more than {MAX_DEPTH} levels deep", "write it flatter")
                case yaml.CollectionEndEvent():
                    opened = self._open.pop()
                    self._add(opened.event, self._collection(opened, event))
                case yaml.AliasEvent():
                    self._add(event, self._alias(event))
                case yaml.DocumentStartEvent():
                    self._anchors = {}

    def _begin(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        if event.tag not in _PLAIN_TAGS:
            raise self._refused(
                event, f"has the tag {str(event.tag)[:80]!r}", "component files hold plain YAML: no tags"
            )
        if event.anchor is not None:
            if event.anchor in self._anchors:
                raise self._refused(event, f"has the anchor &{str(event.anchor)[:80]} twice", "give one another name")
            self._anchors[event.anchor] = None

    def _add(self, event: yaml.NodeEvent, node: Node) -> None:
        if node.size > MAX_NODES or node.height > MAX_DEPTH:
            raise self._refused(
                event, f"has more than {MAX_NODES:,} values or {MAX_DEPTH} levels", "use fewer aliases, or split it"
            )
        if event.anchor is not None and not isinstance(event, yaml.AliasEvent):
            self._anchors[event.anchor] = node
        if self._open:
            self._open[-1].nodes.append(node)
        else:
            self.documents.append(node)

    def _collection(self, opened: _Open, end: yaml.Event) -> Node:
        start, stop, line = self._span(opened.event, end)
        nodes = opened.nodes
        size = 1 + sum(node.size for node in nodes)
        height = 1 + max((node.height for node in nodes), default=0)
        if isinstance(opened.event, yaml.SequenceStartEvent):
            return Items(start, stop, line, nodes=tuple(nodes), size=size, height=height)
        keys: dict[str, Scalar] = {}
        for node in nodes[::2]:
            key = self._key(node, keys)
            keys[key.text] = key
        entries = dict(zip(keys, nodes[1::2], strict=True))
        return Table(start, stop, line, entries=entries, keys=keys, size=size, height=height)

    def _key(self, key: Node, earlier: Mapping[str, Scalar]) -> Scalar:
        if not isinstance(key, Scalar):
            message, remedy = "has a key that is no text", "write the key as a word"
        elif key.text == "<<" and not key.style:
            message, remedy = (
                "has a merge key <<",
                "write its entries out: the file's values must stand where they count",
            )
        elif key.text in earlier:
            message, remedy = f"has the key {key.text[:80]!r} twice", "remove one of them"
        else:
            return key
        raise _problem(self._name, key.line, message, remedy)

    def _alias(self, event: yaml.AliasEvent) -> Alias:
        if event.anchor not in self._anchors:
            raise self._refused(
                event, f"has an alias *{str(event.anchor)[:80]} of no anchor", "name an anchor above it"
            )
        target = self._anchors[event.anchor]
        if target is None:
            raise self._refused(event, f"has an alias *{str(event.anchor)[:80]} inside its own anchor", "write it out")
        if len(self.aliases) == MAX_ALIASES:
            raise self._refused(event, f"has more than {MAX_ALIASES:,} aliases", "write the values out")
        start, end, line = self._span(event, event)
        alias = Alias(start, end, line, target=target, size=target.size, height=target.height)
        self.aliases.append(alias)
        return alias

    def _span(self, first: yaml.Event, last: yaml.Event) -> tuple[int, int, int]:
        begin, end = first.start_mark, last.end_mark
        if begin is None or end is None:
            raise TypeError("PyYAML gave an event without marks")
        return begin.index + self._shift, end.index + self._shift, begin.line + 1

    def _refused(self, event: yaml.Event, message: str, remedy: str) -> Problems:
        return _problem(self._name, self._span(event, event)[2], message, remedy)
