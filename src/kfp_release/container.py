"""What a component runs: the words of its command and arguments, literal or placeholder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from kfp_release.yaml_nodes import Items, Node, Scalar, Table, written_out


@dataclass(frozen=True, slots=True)
class Word:
    """One element of a command line. `line` counts from 1."""

    text: str
    """The literal, or what the placeholder names; empty for a placeholder that names nothing by itself."""
    placeholder: str
    """``inputValue``, ``outputPath``, ``concat``, ``if``, … as v1 calls them; empty for a literal."""
    line: int
    inner: tuple[Word, ...] = ()
    """The words inside a ``concat`` or ``if``."""


@dataclass(frozen=True, slots=True)
class Container:
    """One container's command and arguments, in one row as they are run. `line` counts from 1."""

    executor: str
    """Its name in compiled YAML; empty in v1."""
    image: str
    """As written; empty where there is none."""
    program: str
    """The literal that the command begins with; empty where there is none."""
    words: tuple[Word, ...]
    line: int

    @property
    def all_words(self) -> tuple[Word, ...]:
        """All words, each before those inside of it."""
        return tuple(_flat(self.words))


def _flat(words: Iterable[Word]) -> Iterator[Word]:
    for word in words:
        yield word
        yield from _flat(word.inner)


def v1_containers(root: Table) -> tuple[Container, ...]:
    """The one container of a v1 component."""
    implementation = root.table("implementation")
    container = implementation.table("container") if implementation else None
    return (_container("", container),) if container else ()


def ir_containers(root: Table) -> tuple[Container, ...]:
    """The containers of a compiled component, one an executor."""
    deployment = root.table("deploymentSpec")
    executors = deployment.table("executors") if deployment else None
    return tuple(_ir_containers(executors)) if executors else ()


def _ir_containers(executors: Table) -> Iterator[Container]:
    for name in executors.entries:
        executor = executors.table(name)
        container = executor.table("container") if executor else None
        if container:
            yield _container(name, container)


def _container(executor: str, container: Table) -> Container:
    command, args = (tuple(map(_word, _nodes(container.get(key)))) for key in ("command", "args"))
    program = command[0].text if command and not command[0].placeholder else ""
    return Container(executor, container.text("image") or "", program, (*command, *args), container.line)


def _nodes(node: Node | None) -> tuple[Node, ...]:
    if node is None or (isinstance(node, Scalar) and node.is_null):
        return ()
    return node.nodes if isinstance(node, Items) else (node,)


def _word(node: Node) -> Word:
    node = written_out(node)
    if isinstance(node, Scalar):
        return _struct(node) or Word(node.text, "", node.line)
    if isinstance(node, Table) and len(node.entries) == 1:
        placeholder = next(iter(node.entries))
        named = node.get(placeholder)
        if isinstance(named, Scalar):
            return Word(named.text if named.is_text else "", placeholder, node.line)
        return Word("", placeholder, node.line, tuple(_inner(named)))
    return Word("", "?", node.line)


def _inner(node: Node | None) -> Iterator[Word]:
    if isinstance(node, Items):
        for item in node.nodes:
            yield _word(item)
    elif isinstance(node, Table):
        for key in node.entries:
            entry = node.get(key)
            yield from (_word(item) for item in _nodes(entry))


def _struct(node: Scalar) -> Word | None:
    """A compiled ``concat`` or ``if``, which is JSON in a text (kfp.dsl.placeholders); None for any other text."""
    if not node.text.startswith(('{"Concat": ', '{"IfPresent": ')):
        return None
    try:
        return _json_word(json.loads(node.text), node.line)
    except (ValueError, RecursionError):
        return None


def _json_word(value: Any, line: int) -> Word:
    match value:
        case str():
            return Word(value, "", line)
        case {"Concat": list(items)}:
            return Word("", "concat", line, tuple(_json_word(item, line) for item in items))
        case {"IfPresent": {"InputName": str(name), **rest}}:
            chosen = [item for key in ("Then", "Else") for item in _listed(rest.get(key, []))]
            inner = (Word(name, "isPresent", line), *(_json_word(item, line) for item in chosen))
            return Word("", "if", line, inner)
    return Word("", "?", line)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
