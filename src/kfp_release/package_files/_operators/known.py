"""What an installation knows of a pipeline's images: its own repositories and pins, and what its components run."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from .catalog import Catalog
from .command_line import MALFORMED, Container, compiled_container, v1_container
from .image_name import ImageName, path_of
from .owned import Owned, owned_by
from .pipeline import Task
from .yaml_places import BadYaml, YamlPlaces

Programs = Mapping[tuple[str, ...], Sequence[tuple[str, ImageName]]]
"""The operators that run a command line, each with the image that its component file names."""
_NUMBER = re.compile(r"-\d+$")


class Known(NamedTuple):
    """Repositories of its own images, images as its component files name them, and their programs."""

    owned: Owned
    pins: Mapping[str, ImageName]
    """By their repositories; none in a checkout."""
    named: frozenset[str]
    """All images that component files name, with tag and digest."""
    programs: Programs

    @classmethod
    def of(cls, catalog: Catalog) -> Known:
        """Raise `ValueError` where a component file is none."""
        files = {name: containers(name, catalog.text(name)) for name in catalog.files}
        named = frozenset(str(one.image) for found in files.values() for one in found if one.image is not None)
        pins = [ImageName.parse(pin) for pin in catalog.pins.images.values()] if catalog.pins else []
        return cls(owned_by(catalog, named), {pin.repository: pin for pin in pins}, named, programs(files))

    def component(self, task: Task) -> str | None:
        """The operator that `task` is of; None where no component file runs the same words in the same image.

        Two that do are told apart by the task's name, and named both where that says nothing.
        """
        if task.container is None or not task.image:
            return None
        image = ImageName.parse(task.image)
        fitting = dict.fromkeys(
            operator for operator, other in self.programs.get(task.container.words, ()) if self._is_same(image, other)
        )
        name = _NUMBER.sub("", task.path.rpartition("/")[2]).replace("-", "_")
        called = [operator for operator in fitting if operator == f"{name}_op"]
        return " or ".join(called or fitting) or None

    def _is_same(self, image: ImageName, other: ImageName) -> bool:
        if image.digest and image.digest == other.digest:
            return True
        home, others = self.owned.home(image), self.owned.home(other)
        if home is None or others is None:
            return image.repository == other.repository
        return path_of(home) == path_of(others)  # a registry for staging has the same paths


def containers(operator: str, text: str) -> tuple[Container, ...]:
    """What a component file runs. Raise `ValueError` where it is no component."""
    try:
        return containers_of(operator, YamlPlaces.parse(text.encode()))
    except BadYaml as error:
        raise ValueError(f"the definition of {operator} {error}") from error


def containers_of(operator: str, places: YamlPlaces) -> tuple[Container, ...]:
    """What a component file runs that is read already. Raise `ValueError` where it is no component."""
    try:
        root = places.documents[0]
        if "implementation" in root:
            return (v1_container(root),)
        executors = root["deploymentSpec"]["executors"].values()
        return tuple(compiled_container(one["container"]) for one in executors if "container" in one)
    except MALFORMED as error:
        said = f"{type(error).__name__}: {error}"[:300]
        raise ValueError(f"the definition of {operator} is no component YAML: {said}") from error


def programs(files: Mapping[str, Sequence[Container]]) -> Programs:
    """By what they run, the operators of component files."""
    found: dict[tuple[str, ...], list[tuple[str, ImageName]]] = {}
    for operator, inner in files.items():
        for one in inner:
            if one.image is not None:
                found.setdefault(one.words, []).append((operator, ImageName.parse(one.image)))
    return found
