"""YAML as a tree of nodes that know where in the text they stand, so that one value can be changed and nothing else.

PyYAML's own node graph forgets where an alias stands, which an exact splice has to know; so the tree is made from its
events. The limits keep hostile files cheap: libyaml takes minutes for a megabyte of nested brackets.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

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
_new = tuple.__new__
"""Makes a node in half the time that calling its class takes, and nodes are what most of the time goes into."""
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
            tree.read(text.removeprefix("\ufeff"))
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


class _Extent(NamedTuple):
    """How many nodes and levels a node is, itself included, with every alias written out."""

    size: int
    height: int


class _Tree:
    """Turns events into nodes. `shift` is what the text's byte order mark takes."""

    def __init__(self, name: str, shift: int) -> None:
        self.documents: list[Node] = []
        self.aliases: list[Alias] = []
        self._name = name
        self._shift = shift
        self._size = 0
        """How many nodes the document has so far, with every alias written out."""
        self._anchors: dict[str, Node | None] = {}
        self._extents: dict[str, _Extent] = {}

    def read(self, text: str) -> None:
        """Raise `Problems`, or PyYAML's own error."""
        loader: Any = _LOADER(text)
        nodes, opened, shift = self.documents, list[tuple[Any, list[Node]]](), self._shift
        try:
            # Not yaml.parse, which looks at each event before it hands it out. Most of them are scalars.
            for event in iter(loader.get_event, None):
                kind = type(event)
                if kind is yaml.ScalarEvent:
                    start, end = event.start_mark, event.end_mark
                    place = start.index + shift, end.index + shift, start.line + 1
                    scalar = _new(Scalar, (*place, event.value, event.style or "", event.implicit[0]))
                    if event.tag is not None or event.anchor is not None:
                        self._begin(event)
                        self._anchors[event.anchor] = scalar
                    nodes.append(scalar)
                elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                    self._begin(event)
                    opened.append((event, nodes))
                    nodes = []
                    if len(opened) == MAX_DEPTH:  # what it holds is a level more
                        raise self._refused(event, f"nests more than {MAX_DEPTH} levels deep", "write it flatter")
                elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                    first, outer = opened.pop()
                    outer.append(self._collection(first, nodes, event))
                    nodes = outer
                elif kind is yaml.AliasEvent:
                    nodes.append(self._alias(event, len(opened)))
                elif kind is yaml.DocumentStartEvent:
                    self._size, self._anchors, self._extents = 0, {}, {}
        finally:
            loader.dispose()

    def _begin(self, event: Any) -> None:
        if event.tag not in _PLAIN_TAGS:
            raise self._refused(
                event, f"has the tag {str(event.tag)[:80]!r}", "component files hold plain YAML: no tags"
            )
        if event.anchor is not None:
            if event.anchor in self._anchors:
                raise self._refused(event, f"has the anchor &{str(event.anchor)[:80]} twice", "give one another name")
            self._anchors[event.anchor] = None

    def _collection(self, event: Any, nodes: list[Node], end: Any) -> Items | Table:
        first = event.start_mark
        span = first.index + self._shift, end.end_mark.index + self._shift, first.line + 1
        self._size += len(nodes)
        if self._size >= MAX_NODES:
            raise self._refused(event, f"has more than {MAX_NODES:,} values", "use fewer aliases, or split it")
        made: Items | Table
        if type(event) is yaml.SequenceStartEvent:
            made = _new(Items, (*span, tuple(nodes)))
        else:
            keys: dict[str, Scalar] = {}
            for node in nodes[::2]:
                key = node
                if not isinstance(key, Scalar) or key.text in keys or key.text == "<<":
                    key = self._key(node, keys)
                keys[key.text] = key
            made = _new(Table, (*span, dict(zip(keys, nodes[1::2], strict=True)), keys))
        if event.anchor is not None:
            self._anchors[event.anchor] = made
        return made

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

    def _alias(self, event: Any, depth: int) -> Alias:
        """The alias, below `depth` collections."""
        name = str(event.anchor)[:80]
        if event.anchor not in self._anchors:
            raise self._refused(event, f"has an alias *{name} of no anchor", "name an anchor above it")
        target = self._anchors[event.anchor]
        if target is None:
            raise self._refused(event, f"has an alias *{name} inside its own anchor", "write it out")
        if len(self.aliases) == MAX_ALIASES:
            raise self._refused(event, f"has more than {MAX_ALIASES:,} aliases", "write the values out")
        extent = self._extents.get(event.anchor) or self._extent(target)
        self._extents[event.anchor] = extent
        self._size += extent.size - 1
        if self._size >= MAX_NODES or depth + extent.height > MAX_DEPTH:
            raise self._refused(
                event, f"has more than {MAX_NODES:,} values or {MAX_DEPTH} levels", "use fewer aliases, or split it"
            )
        first = event.start_mark
        span = first.index + self._shift, event.end_mark.index + self._shift, first.line + 1
        alias = Alias(*span, target, event.anchor)
        self.aliases.append(alias)
        return alias

    def _extent(self, node: Node) -> _Extent:
        if isinstance(node, Scalar):
            return _Extent(1, 1)
        if isinstance(node, Alias):
            return self._extents[node.anchor]
        inner = node.nodes if isinstance(node, Items) else (*node.keys.values(), *node.entries.values())
        extents = [self._extent(one) for one in inner]
        return _Extent(1 + sum(one.size for one in extents), 1 + max((one.height for one in extents), default=0))

    def _refused(self, event: Any, message: str, remedy: str) -> Problems:
        return _problem(self._name, event.start_mark.line + 1, message, remedy)
