"""Compiled pipelines: their tasks, and the images that these run. Read with PyYAML alone, without kfp.

A compiled component is a pipeline of one task. Source: kfp 2.17, kfp.pipeline_spec.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .command_line import MALFORMED, Container, compiled_container, text_of
from .yaml_places import MOST_BYTES, BadYaml, Text, YamlPlaces

MOST_TASKS = 10_000
MOST_LETTERS = 2_000
"""Of an image, and of a task's name with those of the graphs that it is in: each is told again and again."""
_MOST_LEVELS = 50
_COMPILE = "compile it with kfp: kfp dsl compile --py FILE.py --output FILE.yaml"


class BadPipeline(ValueError):
    """A file that is no compiled pipeline."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message}\n  → {self.remedy}" if self.remedy else message


class Task(NamedTuple):
    """One task that runs something."""

    path: str
    """Its name, after those of the graphs that it is in: ``for-loop-1/multiply-2``."""
    container: Container | None
    """None for an importer, which runs no image."""

    @property
    def image(self) -> str:
        """The image that it runs; empty where it names none."""
        return str(self.container.image or "") if self.container else ""


class Pipeline(NamedTuple):
    """One compiled pipeline."""

    name: str
    """As it calls itself."""
    tasks: tuple[Task, ...]
    """In the order of their names; a graph that is used twice has its tasks twice."""
    images: tuple[Text, ...]
    """Those of all executors, in the order of the text."""
    places: YamlPlaces

    @classmethod
    def parse(cls, file: str, data: bytes) -> Pipeline:
        """Raise `BadPipeline`, with the name of the `file`, unless `data` is a pipeline that kfp 2 compiled."""
        try:
            places = YamlPlaces.parse(data)
            spec = _spec(places.documents)
            try:
                return cls(*_read(spec), places)
            except MALFORMED as error:
                if isinstance(error, BadPipeline):
                    raise
                raise BadPipeline(f"is no sound pipeline: {_said(error)}", remedy=_COMPILE) from error
        except BadYaml as error:
            raise _named(file, str(error), error.line, error.remedy or _COMPILE) from error
        except BadPipeline as error:
            raise _named(file, str(error.args[0]), 0, error.remedy) from error

    def with_images(self, file: str, images: Mapping[str, str]) -> str:
        """The text with other images in place of those that are keys of `images`; every other letter stays.

        Raise `BadPipeline` where an image cannot be changed alone.
        """
        try:
            return self.places.with_texts([(image, images[image]) for image in self.images if image in images])
        except BadYaml as error:
            raise _named(file, str(error), error.line, error.remedy) from error


def read_pipeline(path: Path) -> Pipeline:
    """The pipeline in a file. Raise `BadPipeline` where it cannot be read, or is none."""
    try:
        with path.open("rb") as stream:  # a pipe will do
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise BadPipeline(f"{path} cannot be read: {error.strerror}", remedy="name a compiled pipeline") from error
    return Pipeline.parse(str(path), data)


def _named(file: str, message: str, line: int, remedy: str) -> BadPipeline:
    return BadPipeline(f"{file}{f':{line}' if line else ''}: {message}", remedy=remedy)


def _said(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"it has no {str(error.args[0])[:80]!r} where one belongs"
    return "a part of it is not what it should be"


def _spec(documents: list[Any]) -> Mapping[str, Any]:
    """The pipeline among the documents of a file, beside what Kubernetes is told of it."""
    found = [spec for document in documents if (spec := _spec_of(document)) is not None]
    if len(found) == 1:
        return found[0]
    if found:
        raise BadPipeline(f"holds {len(found)} pipelines", remedy="split the file: a pipeline each")
    if any(isinstance(document, dict) and "implementation" in document for document in documents):
        raise BadPipeline(
            "is component YAML (v1), which has no tasks", remedy="give a compiled pipeline that uses the component"
        )
    if any(isinstance(document, dict) and "spec" in document and "apiVersion" in document for document in documents):
        raise BadPipeline("is a Kubernetes manifest without a pipeline of kfp 2", remedy=_COMPILE)
    what = "is empty" if not documents else "is no compiled pipeline: it has no `deploymentSpec` and `root` at its top"
    raise BadPipeline(what, remedy=_COMPILE)


def _spec_of(document: Any) -> Mapping[str, Any] | None:
    if not isinstance(document, dict):
        return None
    if document.get("kind") == "PipelineVersion" and isinstance(document.get("spec"), dict):
        document = document["spec"].get("pipelineSpec")
    is_spec = isinstance(document, dict) and "deploymentSpec" in document and "root" in document
    return document if is_spec else None


def _read(spec: Mapping[str, Any]) -> tuple[str, tuple[Task, ...], tuple[Text, ...]]:
    executors = {
        label: _container(label, executor)
        for label, executor in (spec["deploymentSpec"].get("executors") or {}).items()
    }
    found: list[Task] = []
    for task in _Graph(spec.get("components") or {}, executors).tasks(spec["root"], "", ()):
        found.append(task)
        if len(found) > MOST_TASKS:
            raise BadPipeline(f"has more than {MOST_TASKS:,} tasks")
    if not found:
        raise BadPipeline("has no tasks", remedy=_COMPILE)
    images = {one.image.start: one.image for one in executors.values() if one is not None and one.image is not None}
    for image in images.values():
        _require_short(image, "an image")
    return text_of(spec["pipelineInfo"]["name"]), tuple(found), tuple(images[start] for start in sorted(images))


def _container(label: str, executor: Mapping[str, Any]) -> Container | None:
    """That of an executor; None of an importer's. What is neither runs something that is not known."""
    if "container" in executor:
        return compiled_container(executor["container"])
    if isinstance(executor.get("importer"), dict):
        return None
    raise BadPipeline(f"has an executor that is neither container nor importer: {label[:80]!r}", remedy=_COMPILE)


def _require_short(name: str, what: str) -> None:
    if len(name) > MOST_LETTERS:
        raise BadPipeline(f"names {what} with {len(name):,} letters, {name[:40]!r}…", remedy=_COMPILE)


class _Graph:
    """Walks from a pipeline's root to what runs."""

    def __init__(self, components: Mapping[str, Any], executors: Mapping[str, Container | None]) -> None:
        self._components = components
        self._executors = executors
        self._steps = 0

    def tasks(self, component: Mapping[str, Any], path: str, above: tuple[str, ...]) -> Iterator[Task]:
        """The tasks of `component`, which is at `path` below the components `above`."""
        self._steps += 1
        if len(above) > _MOST_LEVELS or self._steps > MOST_TASKS:
            raise BadPipeline(f"nests graphs more than {_MOST_LEVELS} levels deep, or has more than {MOST_TASKS:,}")
        if "dag" not in component:
            label = component["executorLabel"]
            if label not in self._executors:
                raise BadPipeline(f"has no executor {label[:80]!r}, which {path or 'its root'} names", remedy=_COMPILE)
            yield Task(path, self._executors[label])
            return
        for name, task in component["dag"]["tasks"].items():
            inner = task["componentRef"]["name"]
            below = f"{path}/{name}" if path else str(name)
            _require_short(below, "a task")
            if inner in above:
                raise BadPipeline(f"runs in a circle: {below[:200]} leads back to {inner[:80]}", remedy=_COMPILE)
            if inner not in self._components:
                raise BadPipeline(f"has no component {inner[:80]!r}, which {below[:200]} names", remedy=_COMPILE)
            yield from self.tasks(self._components[inner], below, (*above, inner))
