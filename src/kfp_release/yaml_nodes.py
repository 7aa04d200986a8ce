"""Nodes of a YAML document that know where in the text they stand.

Of each, `start` and `end` count characters from the text's beginning, and `line` counts from 1. They are tuples, for a
repository has tens of thousands of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

import yaml

_LOADER = yaml.SafeLoader("")
"""Only for what it makes of scalars."""
_SHORT = 100
"""Letters of a text whose value is remembered."""
_LONGEST_NUMBER = 1000
"""Letters. YAML 1.1 has sexagesimal numbers, and the loader's time for one grows with the square of its length."""
_NUMBERS = {"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"}


UNLOADABLE = (yaml.YAMLError, ValueError, OverflowError)
"""What is raised of a value that cannot be loaded: a date in month 13, a number of 200 sexagesimal places or of more
than `_LONGEST_NUMBER` letters."""


class Scalar(NamedTuple):
    """One text; its span covers anchor, tag and quotes."""

    start: int
    end: int
    line: int
    text: str
    style: str
    """Empty for plain, else the character that it begins with: one of ``'"|>``."""
    is_plain: bool
    """Whether its text decides what it is: neither quotes nor a tag do."""

    @property
    def is_null(self) -> bool:
        """Whether it is YAML's null."""
        return self.is_plain and self.text in {"", "~", "null", "Null", "NULL"}

    @property
    def is_text(self) -> bool:
        """Whether it is loaded as a text."""
        try:
            return isinstance(self.value, str)
        except UNLOADABLE:
            return False

    @property
    def value(self) -> Any:
        """What it is loaded as: a text, a number, a truth, a date or time, or None. YAML 1.1, as kfp's loader has it.

        Raise one of `UNLOADABLE` where it cannot be loaded.
        """
        if not self.is_plain:
            return self.text
        return _loaded_before(self.text) if len(self.text) <= _SHORT else _loaded(self.text)


def _loaded(text: str) -> Any:
    tag = _LOADER.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call] # types-PyYAML
    if tag in _NUMBERS and len(text) > _LONGEST_NUMBER:
        raise ValueError(f"a number of {len(text):,} letters")
    # Not construct_object, which would keep every node for its aliases.
    construct = _LOADER.yaml_constructors.get(tag, yaml.SafeLoader.construct_undefined)
    return construct(_LOADER, yaml.ScalarNode(tag, text))


_loaded_before = lru_cache(maxsize=4096)(_loaded)
"""A repository's files repeat the same few words: names of types, flags, programs."""


class Items(NamedTuple):
    """A sequence."""

    start: int
    end: int
    line: int
    nodes: tuple[Node, ...]


class Table(NamedTuple):
    """A mapping whose keys are texts, each of them once."""

    start: int
    end: int
    line: int
    entries: Mapping[str, Node]
    keys: Mapping[str, Scalar]
    """The keys themselves, by their texts."""

    def get(self, key: str) -> Node | None:
        """What stands at `key`, an alias followed to what it stands for."""
        node = self.entries.get(key)
        return None if node is None else written_out(node)

    def table(self, key: str) -> Table | None:
        """The mapping at `key`, where there is one."""
        node = self.get(key)
        return node if isinstance(node, Table) else None

    def text(self, key: str) -> str | None:
        """The text at `key`, where there is one and it is not null."""
        node = self.get(key)
        return node.text if isinstance(node, Scalar) and not node.is_null else None


class Alias(NamedTuple):
    """A place that repeats an anchored node."""

    start: int
    end: int
    line: int
    target: Node
    anchor: str


Node: TypeAlias = Scalar | Items | Table | Alias


def written_out(node: Node) -> Node:
    """`node`, or what it is an alias of."""
    while isinstance(node, Alias):
        node = node.target
    return node


def loaded(node: Node) -> Any:
    """What `node` is loaded as: a scalar's value, a list or a dict. Raise one of `UNLOADABLE` where it cannot be."""
    node = written_out(node)
    if isinstance(node, Items):
        return [loaded(item) for item in node.nodes]
    if isinstance(node, Table):
        return {key: loaded(item) for key, item in node.entries.items()}
    return node.value if isinstance(node, Scalar) else None
