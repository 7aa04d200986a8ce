"""What a catalog shows: components, versions, images. Every text is data from outside, and is shown as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from kfp_release.catalog.first_sentence import first_sentence
from kfp_release.catalog.image_model import CatalogImage, distinct_layers
from kfp_release.interface_change import InterfaceChange
from kfp_release.status_row import State
from kfp_release.version import ReleaseVersion
from kfp_release.version_bump import Bump

_NOT_TO_HAVE = (State.NOT_RELEASED, State.ABANDONED, State.WITHDRAWN)


class EventKind(StrEnum):
    """What happened to a component in a version."""

    CAME = "came"
    CHANGED = "changed"
    WENT = "went"


@dataclass(frozen=True, slots=True)
class CatalogInput:
    """An input: `name` as the file has it, `parameter` as a pipeline writes it."""

    name: str
    parameter: str
    type: str
    is_artifact: bool
    is_required: bool
    default: str
    """As Python writes it; empty where there is none."""
    description: str


@dataclass(frozen=True, slots=True)
class CatalogOutput:
    """An output: `name` as the file has it, `attribute` as a pipeline asks ``task.outputs[…]`` for it."""

    name: str
    attribute: str
    type: str
    is_artifact: bool
    description: str
    taken_by: tuple[tuple[str, str], ...]
    """Operators of the newest version that take this type, each with the parameter that does."""


@dataclass(frozen=True, slots=True)
class CatalogEvent:
    """One version in which a component came, changed or went; what changed, breaking changes first."""

    version: ReleaseVersion
    kind: EventKind
    changes: tuple[InterfaceChange, ...] = ()

    @property
    def is_breaking(self) -> bool:
        """Whether a pipeline that calls it may not compile any more."""
        return self.kind is EventKind.WENT or any(change.is_breaking for change in self.changes)


@dataclass(frozen=True, slots=True)
class CatalogComponent:
    """A component as the last version has it that does: `version`, the newest unless it `is_gone` or `is_coming`."""

    operator: str
    """``multiply_op``."""
    title: str
    """The file's own name for it."""
    description: str
    file: str
    image: str
    """The name of the owned image, or the image that the file names; empty where it has none."""
    pins: tuple[str, ...]
    """The images that the pinned file names."""
    inputs: tuple[CatalogInput, ...]
    outputs: tuple[CatalogOutput, ...]
    is_keyword_only: bool
    snippet: str
    """A pipeline that calls it, as it compiles."""
    version: ReleaseVersion
    is_gone: bool
    history: tuple[CatalogEvent, ...]
    """The newest first."""
    is_coming: bool = False
    """Whether the newest version does not have it yet: it is in a pre-release, or in a version that is not out."""

    @property
    def successor(self) -> str:
        """The operator that it was renamed to when it went; empty where it was not."""
        last = self.history[0] if self.is_gone and self.history else None
        names = [change.after for change in last.changes if change.before == self.operator] if last else []
        return next(iter(names), "")

    @property
    def purpose(self) -> str:
        """One line: the first sentence of the description; empty where it has none."""
        return first_sentence(self.description)


@dataclass(frozen=True, slots=True)
class CatalogFile:
    """A wheel or sdist; `sha256` is in hex, empty where the index does not tell. `size` in bytes, None likewise."""

    project: str
    filename: str
    sha256: str
    size: int | None
    is_yanked: bool = False
    is_readable: bool = True
    """Whether it carries pins that can be read, as far as it was looked at."""

    @property
    def is_wheel(self) -> bool:
        """Or an sdist."""
        return self.filename.endswith(".whl")


@dataclass(frozen=True, slots=True)
class CatalogVersion:
    """A version. `state` is None where ECR and the index were not asked."""

    version: ReleaseVersion
    commit: str
    """In hex; empty where no tag is there."""
    released: int
    """The commit's time, in seconds since 1970; 0 where there is none."""
    state: State | None
    withdrawn_by: str
    """A branch whose CHANGELOG withdraws it; empty where none does."""
    findings: tuple[str, ...]
    """What is missing or disagrees, a line each, as `status` tells it."""
    remedies: tuple[str, ...]
    changelog: str
    """The Markdown of its section in the CHANGELOG; empty where it has none."""
    images: tuple[CatalogImage, ...]
    files: tuple[CatalogFile, ...]
    components: tuple[str, ...]
    """The operators that it has."""
    previous: ReleaseVersion | None
    """The version before, which `changes` are from."""
    changes: tuple[InterfaceChange, ...]
    bump: Bump
    """What `changes` ask of a version."""
    unreadable: tuple[str, ...] = ()
    """Component files that could not be read, and why."""
    uncompared: tuple[str, ...] = ()
    """Their operators: `changes` and `bump` do not tell of these."""

    @property
    def is_installable(self) -> bool:
        """Whether it is to be had, as far as it is known: it is out, and not withdrawn."""
        return not self.withdrawn_by and self.state not in _NOT_TO_HAVE

    @property
    def size(self) -> int:
        """Bytes of the layers of all its images; what they share counts once."""
        return sum(layer.size for layer in distinct_layers(self.images).values())

    @property
    def pulled(self) -> int:
        """Bytes that a node has to pull for all its images, if it has those of the version before."""
        return sum(layer.size for layer in distinct_layers(self.images).values() if layer.is_new)

    @property
    def is_breaking(self) -> bool:
        """Whether a pipeline of the version before may not compile with it."""
        return any(change.is_breaking for change in self.changes)


@dataclass(frozen=True, slots=True)
class Catalog:
    """All of it."""

    distribution: str
    package: str
    source: str
    """URL of the repository."""
    pip: str
    """What installs a project, up to the project: from the components' index and no other. Without credentials."""
    versions: tuple[CatalogVersion, ...]
    """The newest first."""
    components: tuple[CatalogComponent, ...]
    """By name; those that are coming after those of the newest version, those that are gone last."""
    is_offline: bool = False
    folder: str = ""
    """Where the project is in the repository: empty, or with ``/`` at its end."""

    def is_taken(self, version: CatalogVersion) -> bool:
        """Whether pip takes it unasked, as far as it is known: an installable one with a sound file on the index."""
        files = (file for file in version.files if file.project == self.distribution)
        is_there = version.state is None or any(file.is_readable and not file.is_yanked for file in files)
        return version.is_installable and is_there

    @property
    def newest(self) -> CatalogVersion | None:
        """The newest final version that pip takes; else the newest that it takes, else of all.

        None where there is no version. Of one without a tag nobody knows the components.
        """
        good = [one for one in self.versions if one.commit and self.is_taken(one)]
        final = [one for one in good if not one.version.version.is_prerelease]
        return next(iter([*final, *good, *self.versions]), None)

    def pip_install(self, version: ReleaseVersion) -> str:
        """What installs exactly this version."""
        return f"{self.pip} {self.distribution}=={version}"

    def by_operator(self) -> Mapping[str, CatalogComponent]:
        """The components by operator."""
        return {component.operator: component for component in self.components}

    def by_version(self) -> Mapping[ReleaseVersion, CatalogVersion]:
        """The versions by what they are called."""
        return {version.version: version for version in self.versions}
