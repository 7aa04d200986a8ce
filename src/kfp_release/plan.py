"""What a release of one commit would do: looks at git, ECR and the index, and writes down what it saw.

The plan is handed to `build`, which has no credentials: it carries the runtimes' manifests and configs, and what is
already public under the version.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol, Self

from kfp_release.beside import look_beside
from kfp_release.check import check_release
from kfp_release.commit import parse_commit
from kfp_release.config import Config, ImageSettings
from kfp_release.digest import Digest
from kfp_release.distributions import project_name, version_of_file
from kfp_release.errors import Problem, Problems, ReleaseError
from kfp_release.git import Git, ignore_all
from kfp_release.image import Image
from kfp_release.image_ref import Repository
from kfp_release.json_text import read_json
from kfp_release.manifest import Descriptor, ImageConfig, Manifest
from kfp_release.materials import Materials
from kfp_release.plain_file import MOST, read_plain
from kfp_release.planned_image import BadPlan, PlannedImage
from kfp_release.record_json import file_name_of, list_of, project_of, seconds_of, text_of
from kfp_release.retention import PolicyHolder, retention_warnings
from kfp_release.runtime import find_runtime, materials_of, runtime_tag
from kfp_release.runtime_sbom import runtime_sbom
from kfp_release.runtime_sources import Files
from kfp_release.source import Source
from kfp_release.version import ReleaseVersion
from kfp_release.version_home import require_home

SCHEMA = 3


class ImageReader(Protocol):
    """What a plan asks of one ECR repository."""

    def describe(self) -> Any:
        """Its state, None where it does not exist."""

    def find(self, tag: str | Digest) -> Manifest | None:
        """The image that can be pulled by this tag or digest."""

    def read_blob(self, descriptor: Descriptor) -> bytes:
        """A small blob, verified."""


class PlannedStore(ImageReader, PolicyHolder, Protocol):
    """A repository that is planned for."""


class FileLister(Protocol):
    """What a plan asks of the index."""

    def files(self, project: str) -> Mapping[str, Any]:
        """The files of a project, by name; each with `sha256`, hex or None."""


@dataclass(frozen=True, slots=True)
class Plan:
    """plan.json: one release, as it would be made now."""

    source: Source
    distribution: str
    images: tuple[PlannedImage, ...]
    files: Mapping[str, Mapping[str, str | None]]
    """By project: the files of this version that the index has, with sha256 in hex where it tells."""
    warnings: tuple[Problem, ...] = ()
    """What may go wrong later: lifecycle rules that would take away what is released."""

    @property
    def missing_runtimes(self) -> tuple[PlannedImage, ...]:
        """The images whose runtime is not in ECR yet."""
        return tuple(image for image in self.images if image.runtime is None)

    @property
    def missing_sboms(self) -> tuple[PlannedImage, ...]:
        """The images whose runtime is in ECR, and has no SBOM attached yet."""
        return tuple(image for image in self.images if image.runtime and image.runtime_sbom is None)

    def to_json(self) -> dict[str, Any]:
        """What `parse` reads."""
        return {
            "schema": SCHEMA,
            "version": str(self.source.version),
            "tag": self.source.tag,
            "commit": self.source.commit,
            "created": self.source.created,
            "distribution": self.distribution,
            "images": [image.to_json() for image in self.images],
            "files": {project: dict(files) for project, files in self.files.items()},
            "warnings": [asdict(warning) for warning in self.warnings],
        }

    def write(self, path: Path) -> None:
        """Write plan.json. git ignores the folder if it is new, for a release wants a clean checkout."""
        if not path.parent.is_dir():
            path.parent.mkdir(parents=True)
            ignore_all(path.parent)
        path.write_text(json.dumps(self.to_json(), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read plan.json. Raise `BadPlan` where it is missing or is none."""
        try:
            data = read_plain(path)
        except OSError as error:
            raise BadPlan(f"{path} cannot be read: {error.strerror}", remedy="kfp-release plan vX.Y") from error
        return cls.parse(data)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Raise `BadPlan` unless `data` is a plan.json."""
        remedy = "write it anew: kfp-release plan vX.Y"
        try:
            value = read_json(data, most=MOST)
            schema = value["schema"]
            if schema == SCHEMA:
                return cls._of(value)
        except (KeyError, TypeError, AttributeError, ReleaseError) as error:
            seen = error.args[0] if isinstance(error, ReleaseError) else error
            raise BadPlan(f"plan.json is malformed: {str(seen)[:200]}", remedy=remedy) from error
        raise BadPlan(f"plan.json has schema {str(schema)[:40]}, and this kfp-release reads {SCHEMA}", remedy=remedy)

    @classmethod
    def _of(cls, value: Mapping[str, Any]) -> Self:
        return cls(
            source=Source(
                version=ReleaseVersion.tagged(text_of(value["version"]), text_of(value["tag"])),
                tag=value["tag"],
                commit=parse_commit(text_of(value["commit"])),
                created=seconds_of(value["created"]),
            ),
            distribution=project_of(value["distribution"]),
            images=tuple(PlannedImage.parse(image) for image in list_of(value["images"])),
            files={
                project_of(project): {file_name_of(name): _sha256(hex_) for name, hex_ in files.items()}
                for project, files in value["files"].items()
            },
            warnings=tuple(map(_warning, list_of(value["warnings"]))),
        )


def _sha256(value: str | None) -> str | None:
    return None if value is None else Digest(text_of(value)).hex


def make_plan(
    project: Path,
    config: Config,
    source: Source,
    *,
    stores: Callable[[Repository], PlannedStore],
    index: FileLister | None,
) -> Plan:
    """Look, and change nothing. `index` is None where none is to be asked.

    Raise `Problems` where the version must not be released: withdrawn, not in the CHANGELOG, out of order, or breaking
    pipelines without being a major one.
    """
    git = Git(project)
    if problems := [item for item in check_release(project, config, git, source) if item.severity == "error"]:
        raise Problems(problems)
    files = partial(git.files, source.commit)
    projects = (config.distribution, *(project_name(project / folder) for folder in config.extra_projects))
    looks: dict[str, Callable[[], Any]] = {
        image.name: partial(_look, image, files, source=source, stores=stores) for image in config.images
    }
    if index is not None:
        looks |= {f"project {name}": partial(_files, index, name, source.version) for name in projects}
    seen = look_beside(looks)
    looked: list[tuple[PlannedImage, list[Problem]]] = [seen[image.name] for image in config.images]
    return Plan(
        source,
        config.distribution,
        tuple(image for image, _ in looked),
        {name: seen[f"project {name}"] for name in projects} if index is not None else {},
        tuple(warning for _, warnings in looked for warning in warnings),
    )


def _look(
    settings: ImageSettings, files: Files, *, source: Source, stores: Callable[[Repository], PlannedStore]
) -> tuple[PlannedImage, list[Problem]]:
    """The image, and what its repository would take away later."""
    store = stores(settings.repository)
    image = _plan_image(settings, materials_of(settings, files), source=source, store=store)
    return image, retention_warnings(store, _tags(image, source.version)) if image.repository_exists else []


def _plan_image(settings: ImageSettings, materials: Materials, *, source: Source, store: Any) -> PlannedImage:
    state, key = store.describe(), materials.key
    runtime = existing = sbom = None
    if state is not None:
        require_home(settings.repository, state, source.version.image_tag, mutable=settings.mutable_tags)
        runtime = find_runtime(store, key)
        sbom = runtime_sbom(store, runtime.manifest.digest) if runtime else None
        manifest = store.find(source.version.image_tag)
        if manifest is not None:
            existing = Image(manifest, ImageConfig.parse(store.read_blob(manifest.config)))
    return PlannedImage(
        name=settings.name,
        declared=settings.declared,
        repository=settings.repository,
        repository_exists=state is not None,
        runtime_key=key,
        platform=settings.platform,
        materials=materials,
        interpreter=settings.interpreter,
        runtime=runtime,
        existing=existing,
        runtime_sbom=sbom,
    )


def _tags(image: PlannedImage, version: ReleaseVersion) -> list[set[str]]:
    """Those that are meant to stay: a snapshot's may go."""
    return [{runtime_tag(image.runtime_key)}] + ([] if version.is_snapshot else [{version.image_tag}])


def _warning(value: Mapping[str, Any]) -> Problem:
    path, message, remedy = (text_of(value[key]) for key in ("path", "message", "remedy"))
    return Problem(path, 0, message, remedy, severity="warning")


def _files(index: FileLister, project: str, version: ReleaseVersion) -> dict[str, str | None]:
    files = index.files(project)
    return {name: file.sha256 for name, file in sorted(files.items()) if version_of_file(name) == version.version}
