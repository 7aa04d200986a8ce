"""Nodes of a YAML document that know where in the text they stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Node:
    """Part of a document. `start` and `end` count characters from the text's beginning, `line` counts from 1."""

    start: int
    end: int
    line: int
    size: int = field(default=1, kw_only=True)
    """How many nodes it is made of, itself included, with every alias written out."""
    height: int = field(default=1, kw_only=True)
    """How many levels it is made of, itself included, with every alias written out."""


@dataclass(frozen=True, slots=True)
class Scalar(Node):
    """One text; its span covers anchor, tag and quotes."""

    text: str
    style: str
    """Empty for plain, else the character that it begins with: one of ``'"|>``."""

    @property
    def is_null(self) -> bool:
        """Whether it is YAML's null."""
        return not self.style and self.text in {"", "~", "null", "Null", "NULL"}


@dataclass(frozen=True, slots=True)
class Items(Node):
    """A sequence."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Table(Node):
    """A mapping whose keys are texts, each of them once."""

    entries: Mapping[str, Node]

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


@dataclass(frozen=True, slots=True)
class Alias(Node):
    """A place that repeats an anchored node."""

    target: Node


def written_out(node: Node) -> Node:
    """`node`, or what it is an alias of."""
    while isinstance(node, Alias):
        node = node.target
    return node
