"""What a component runs: the words of its command and arguments, literal or placeholder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kfp_release.yaml_nodes import Items, Node, Scalar, Table, written_out


@dataclass(frozen=True, slots=True)
class Word:
    """One element of a command line. `line` counts from 1."""

    text: str
    """The literal, or what the placeholder names; empty for a placeholder that names nothing by itself."""
    placeholder: str
    """``inputValue``, ``outputPath``, ``concat``, … of v1; empty for a literal."""
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
        return Word(node.text, "", node.line)
    if isinstance(node, Table) and len(node.entries) == 1:
        placeholder = next(iter(node.entries))
        named = node.get(placeholder)
        if isinstance(named, Scalar):
            return Word("" if named.is_null else named.text, placeholder, node.line)
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
