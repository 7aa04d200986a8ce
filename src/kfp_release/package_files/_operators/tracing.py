"""From the tasks of a compiled pipeline to the version that their images are of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from .catalog import Catalog
from .image_name import ImageName
from .known import Known
from .pipeline import Pipeline, Task

PINNED = "pinned"
"""By digest, as the package has it."""
MIRRORED = "mirrored"
"""The same digest, on another registry."""
NO_IMAGE = "no image"
"""An importer, which runs none."""
UNPINNED = "unpinned"
"""Without a digest: what runs can change or be missing."""
DRIFT = "drift"
"""The tag says another version than the digest."""
UNKNOWN = "unknown"
"""Of a repository of the package, and not of its version."""
FOREIGN = "foreign"
"""An image of others, which no component file names."""
GOOD = frozenset({PINNED, MIRRORED, NO_IMAGE})
"""All other states are flagged."""


class Origin(NamedTuple):
    """What is known of an image: its state, why it is that, and the version and commit that it is of, else empty."""

    state: str
    why: str = ""
    version: str = ""
    commit: str = ""


class Traced(NamedTuple):
    """One task, and where what it runs comes from."""

    task: str
    component: str | None
    """Its operator; None for one that is not of the package."""
    image: str
    """Empty where it runs none."""
    origin: Origin

    @property
    def is_good(self) -> bool:
        """Whether it is certain what it runs, and whence that is."""
        return self.origin.state in GOOD


class Trace(NamedTuple):
    """All tasks of one pipeline."""

    pipeline: str
    tasks: tuple[Traced, ...]

    @property
    def is_good(self) -> bool:
        """Whether no task is flagged."""
        return all(task.is_good for task in self.tasks)

    @property
    def totals(self) -> Mapping[str, int]:
        """How many tasks are in each state, the good ones first."""
        counted = Counter(task.origin.state for task in self.tasks)
        return dict(sorted(counted.items(), key=lambda item: (item[0] not in GOOD, -item[1], item[0])))

    @property
    def remarks(self) -> Mapping[tuple[str, str, str], Sequence[str]]:
        """Image, state and reason, where there is one, of each task that is flagged or is to be told of: its tasks."""
        found: dict[tuple[str, str, str], list[str]] = {}
        for task in self.tasks:
            if task.origin.why:
                found.setdefault((task.image, task.origin.state, task.origin.why), []).append(task.task)
        return found

    @property
    def own(self) -> int:
        """How many tasks run an image of the package with a command that is none of its components'."""
        return sum(bool(task.origin.version) and task.component is None for task in self.tasks)


def trace(pipeline: Pipeline, catalog: Catalog) -> Trace:
    """What the installation of `catalog` knows of a pipeline. Raise `ValueError` where its component files are bad."""
    known = Known.of(catalog)
    found = [
        Traced(task.path, known.component(task), task.image, _origin(task, known, catalog)) for task in pipeline.tasks
    ]
    return Trace(pipeline.name, tuple(found))


def unpinned(image: str) -> Origin | None:
    """That of an image whose digest is not known before it runs; None for any other."""
    if not image:
        return Origin(UNPINNED, "it names no image")
    if "{{" in image:
        return Origin(UNPINNED, "an input decides on it when the pipeline runs")
    if not ImageName.parse(image).digest:
        return Origin(UNPINNED, "it has no digest, so what runs can change or be missing")
    return None


def _at_home(image: ImageName, pinned: ImageName) -> tuple[str, str]:
    """State and reason of an image that has the digest of a pin."""
    if image.tag not in {"", pinned.tag}:
        return DRIFT, f"its tag is {image.tag}, and its digest is that of {pinned.tag}"
    return PINNED if image.repository == pinned.repository else MIRRORED, ""


def _origin(task: Task, known: Known, catalog: Catalog) -> Origin:
    if task.container is None:
        return Origin(NO_IMAGE)
    if (without := unpinned(task.image)) is not None:
        return without
    image, pins = ImageName.parse(task.image), catalog.pins
    home = known.owned.home(image)
    pinned = known.pins.get(home or "")
    version = (pins.version, pins.commit) if pins else ("", "")
    if pinned is not None and pinned.digest == image.digest:
        return Origin(*_at_home(image, pinned), *version)
    if home is not None:
        here = f"{catalog.distribution} {pins.version}" if pins else "this checkout, which has no pins,"
        return Origin(UNKNOWN, f"{here} does not know its digest: another version may")
    if image.digest not in {ImageName.parse(other).digest for other in known.named}:
        return Origin(FOREIGN, f"no component file of {catalog.distribution} names it")
    return Origin(PINNED if task.image in known.named else MIRRORED, "", *version)
