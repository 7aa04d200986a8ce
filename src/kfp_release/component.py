"""Component files: v1 component YAML and compiled IR YAML, and where in their text the images stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Literal, Self, TypeAlias

from kfp_release.container import Container, ir_containers, v1_containers
from kfp_release.errors import Problem, Problems
from kfp_release.image_ref import has_digest, repository_of
from kfp_release.interface import Interface, Port, ir_interfaces, require_names, v1_interface
from kfp_release.yaml_nodes import Alias, Node, Scalar, Table, written_out
from kfp_release.yaml_text import YamlText

SUFFIXES = (".yaml", ".yml")
PYTHONS_OWN = "__"
"""A module's ``__getattr__`` gives no operator that begins so: such names are Python's own, or changed in a class."""
_DESCRIPTION, _FOLLOWS = "# Description: ", "#             "

_IMAGE = re.compile(r"[\w\[][\w.:/\[\]-]*(?:@[\w+.:-]+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class ImageText:
    """An image as a component file names it, and where: `start` and `end` count characters, `line` counts from 1."""

    value: str
    start: int
    end: int
    line: int
    is_bare: bool
    """Whether the span stands without quotes around it, so that what replaces it may need some."""

    @property
    def repository(self) -> str:
        """The image without tag and digest."""
        return repository_of(self.value)

    @property
    def has_digest(self) -> bool:
        """Whether it names exact bytes."""
        return has_digest(self.value)


@dataclass(frozen=True, slots=True)
class ComponentFile:
    """One component file, ready to be pinned."""

    name: str
    """Its path, as problems show it."""
    text: str
    kind: Literal["v1", "ir"]
    images: tuple[ImageText, ...]
    """In the order of the text; an image that aliases repeat counts once, at its anchor."""
    root: Table = field(repr=False, compare=False)
    """The first document."""
    documents: tuple[Node, ...] = field(repr=False, compare=False)
    """All of them."""

    @classmethod
    def parse(cls, name: str, data: bytes) -> Self:
        """Raise `Problems` where `data` is no component file, or its images cannot be told apart from other values.

        `name` is the file's path as problems shall show it.
        """
        yaml_text = YamlText.parse(name, data)
        root, kind = _root(name, yaml_text)
        if kind == "v1":
            require_names(name, root)
        images = _Images(name, yaml_text)
        for node, through in _v1_image(root) if kind == "v1" else _ir_images(root):
            images.add(node, through)
        return cls(
            name=name,
            text=yaml_text.text,
            kind=kind,
            images=images.found(root.line),
            root=root,
            documents=yaml_text.documents,
        )

    @property
    def commands(self) -> tuple[Container, ...]:
        """What its containers run, in the order of the text."""
        return v1_containers(self.root) if self.kind == "v1" else ir_containers(self.root)

    @property
    def interfaces(self) -> tuple[Interface, ...]:
        """That of the component as a whole first; in compiled YAML those of the components that it is made of, too."""
        return (v1_interface(self.name, self.root),) if self.kind == "v1" else ir_interfaces(self.root)

    @property
    def inputs(self) -> tuple[Port, ...]:
        """What a pipeline gives to the component."""
        return self.interfaces[0].inputs

    @property
    def outputs(self) -> tuple[Port, ...]:
        """What a pipeline takes from it."""
        return self.interfaces[0].outputs

    @property
    def description(self) -> str:
        """What it says of itself; empty where it says nothing. kfp writes that of a compiled one into a comment.

        Source: kfp.dsl.structures.ComponentSpec.from_yaml_documents, which reads the third line and those below it.
        """
        if self.kind == "v1":
            return self.root.text("description") or ""
        first, *more = self.text.splitlines()[2:] or [""]
        if not first.startswith(_DESCRIPTION):
            return ""
        follows = takewhile(lambda line: line.startswith(_FOLLOWS), more)
        return "\n".join([first.removeprefix(_DESCRIPTION), *(line.removeprefix(_FOLLOWS)[1:] for line in follows)])

    @property
    def stem(self) -> str:
        """Its file name without folder and suffix."""
        return _stem(self.name)

    @property
    def operator(self) -> str:
        """The name of its operator: ``multiply_op`` of multiply.yaml."""
        return operator_of(self.name)


def operator_of(path: str) -> str:
    """The name of the operator that a component file of this path gives."""
    return _stem(path).replace("-", "_") + "_op"


def _stem(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[0]


def _root(name: str, yaml_text: YamlText) -> tuple[Table, Literal["v1", "ir"]]:
    count = len(yaml_text.documents)
    root = written_out(yaml_text.documents[0]) if count else None
    if isinstance(root, Table):
        if "implementation" in root.entries and count == 1:
            return root, "v1"
        if "deploymentSpec" in root.entries and count in {1, 2}:
            return root, "ir"
        if {"implementation", "deploymentSpec"} & set(root.entries):
            message = f"has {count} YAML documents; a v1 component is one, a compiled one is one or two"
            raise Problems([Problem(name, 0, message, "split the file")])
    raise Problems(
        [
            Problem(
                name,
                0,
                "is no component: it has neither `implementation` (v1) nor `deploymentSpec` (compiled) at its top",
                "write a kfp component, or move the file out of the components' folder",
            )
        ]
    )


_Place: TypeAlias = tuple[Node, tuple[Alias, ...]]
"""A node, and the aliases on the way to it."""


def _step(place: _Place, key: str) -> Iterator[_Place]:
    node, through = place
    if isinstance(node, Alias):
        through, node = (*through, node), written_out(node)
    if isinstance(node, Table) and key in node.entries:
        yield node.entries[key], through


def _walk(place: _Place, *keys: str) -> Iterator[_Place]:
    if not keys:
        yield place
        return
    for found in _step(place, keys[0]):
        yield from _walk(found, *keys[1:])


def _v1_image(root: Table) -> Iterator[_Place]:
    return _walk((root, ()), "implementation", "container", "image")


def _ir_images(root: Table) -> Iterator[_Place]:
    for executors in _walk((root, ()), "deploymentSpec", "executors"):
        table = written_out(executors[0])
        for executor in table.entries if isinstance(table, Table) else ():
            yield from _walk(executors, executor, "container", "image")


class _Images:
    """Collects the places of images, and finds out whether each can be changed without changing anything else."""

    def __init__(self, name: str, yaml_text: YamlText) -> None:
        self._name = name
        self._yaml = yaml_text
        self._written: dict[int, Node] = {}
        """Places that no alias leads to, by their start."""
        self._borrowed: dict[int, Node] = {}
        self._roads: set[int] = set()
        """Where the aliases stand that lead to images."""

    def add(self, node: Node, through: tuple[Alias, ...]) -> None:
        self._roads.update(alias.start for alias in through)
        if isinstance(node, Alias):
            self._roads.add(node.start)
        (self._borrowed if through else self._written)[node.start] = node

    def found(self, line: int) -> tuple[ImageText, ...]:
        if not self._written and not self._borrowed:
            remedy = "add implementation.container.image; a compiled one has deploymentSpec.executors.….container.image"
            raise self._refused(line, "names no image", remedy)
        for start, node in self._borrowed.items():
            if start not in self._written:
                raise self._refused(node.line, "has its container at an alias", "write the container out at its place")
        images = tuple(self._image(node) for _, node in sorted(self._written.items()) if not self._is_served(node))
        for alias in self._yaml.aliases:
            if alias.start not in self._roads and any(
                alias.target.start <= image.start < alias.target.end for image in images
            ):
                message = "repeats, by an alias, an image where no image belongs; pinning would change it too"
                raise self._refused(alias.line, message, "write the text out instead of the alias")
        return images

    def _is_served(self, node: Node) -> bool:
        """Whether it is an alias of a text that is itself an image's, and changes with it."""
        return isinstance(node, Alias) and node.target.start in self._written

    def _image(self, node: Node) -> ImageText:
        scalar = written_out(node)
        if not isinstance(scalar, Scalar) or not _IMAGE.fullmatch(scalar.text):
            seen = repr(scalar.text[:120]) if isinstance(scalar, Scalar) else "a list or mapping"
            raise self._refused(
                node.line,
                f"names an image that is none: {seen}",
                "write repository, or repository:tag@sha256:… for a foreign image, without spaces, line ends and {{…}}",
            )
        if isinstance(node, Alias):
            return ImageText(scalar.text, node.start, node.end, node.line, is_bare=True)
        start, end = self._yaml.value_span(scalar)
        return ImageText(scalar.text, start, end, node.line, is_bare=not scalar.style)

    def _refused(self, line: int, message: str, remedy: str) -> Problems:
        return Problems([Problem(self._name, line, message, remedy)])
