"""What a release says of itself: pins.json inside the wheel and sdist, release.json beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from kfp_release.commit import parse_commit
from kfp_release.digest import Digest
from kfp_release.errors import ReleaseError
from kfp_release.image_ref import ImageRef, Repository
from kfp_release.materials import Materials
from kfp_release.record_json import (
    SCHEMA,
    BadRecord,
    count_of,
    dump,
    file_name_of,
    list_of,
    load,
    malformed,
    project_of,
    seconds_of,
    text_of,
)
from kfp_release.version import ReleaseVersion

__all__ = ["BadRecord", "Distribution", "PinnedComponent", "PinnedImage", "Pins", "ReleaseRecord"]


@dataclass(frozen=True, slots=True)
class PinnedImage:
    """One owned image of a release: what component files call it, and what they are pinned to."""

    name: str
    declared: Repository
    pin: str
    """``repository:tag@sha256:…``; ``repository:tag`` where no release's digest was at hand."""
    runtime_key: str
    """Empty where no release's digest was at hand."""
    platform: str

    @property
    def is_exact(self) -> bool:
        """Whether the pin carries a digest."""
        return "@" in self.pin

    @property
    def ref(self) -> ImageRef:
        """The exact pin. Raise `BadImageName` where it is a tag only."""
        return ImageRef.parse(self.pin)

    @property
    def repository(self) -> Repository:
        """Where it is pulled from, with the account and region of the repository that it was declared as."""
        return self.declared.at_host(self.ref.repository.host)


@dataclass(frozen=True, slots=True)
class PinnedComponent:
    """One component file of a release. `name` is the operator's, as in ``multiply_op``."""

    name: str
    file: str
    """Its file name in the package's ``yaml`` folder."""
    images: tuple[str, ...]
    """The exact image texts that the file names, owned and foreign, in order."""
    sha256: str
    """Hex, of the pinned file."""


@dataclass(frozen=True, slots=True)
class Pins:
    """pins.json: the part of a release's record that can be inside the wheel and the sdist."""

    distribution: str
    version: ReleaseVersion
    commit: str
    """In hex; empty where it is not known (built outside a release)."""
    images: tuple[PinnedImage, ...]
    components: tuple[PinnedComponent, ...]

    @property
    def is_exact(self) -> bool:
        """Whether every owned image is pinned by digest."""
        return all(image.is_exact for image in self.images)

    def to_json(self) -> bytes:
        """Indented JSON with a line end, the same bytes for the same pins."""
        return dump(self.to_value())

    def to_value(self) -> dict[str, Any]:
        """What `to_json` writes, before it is text."""
        return {
            "schema": SCHEMA,
            "distribution": self.distribution,
            "version": str(self.version),
            "commit": self.commit,
            "images": {
                image.name: {
                    "declared": str(image.declared),
                    "pin": image.pin,
                    "runtime_key": image.runtime_key,
                    "platform": image.platform,
                }
                for image in self.images
            },
            "components": {
                component.name: {"file": component.file, "images": list(component.images), "sha256": component.sha256}
                for component in self.components
            },
        }

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Raise `BadRecord` unless `data` is a pins.json (or the same part of a release.json)."""
        value = load(data, "pins.json")
        try:
            return cls(
                distribution=project_of(value["distribution"]),
                version=ReleaseVersion.parse(text_of(value["version"])),
                commit=text_of(value["commit"]) and parse_commit(value["commit"]),
                images=tuple(_image(name, item) for name, item in value["images"].items()),
                components=tuple(_component(name, item) for name, item in value["components"].items()),
            )
        except (KeyError, TypeError, AttributeError, ReleaseError) as error:
            raise malformed("pins.json", error) from error


@dataclass(frozen=True, slots=True)
class Distribution:
    """One file for the index."""

    project: str
    """Its project's name on the index, ``kubeflow-demo-components``."""
    filename: str
    sha256: str
    """Hex."""
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class ReleaseRecord:
    """release.json: the record of one release."""

    tag: str
    """The git tag; empty for a snapshot."""
    created: int
    """The commit's time, in seconds since 1970."""
    pins: Pins
    distributions: tuple[Distribution, ...]
    """In the order in which they are uploaded: the wheel, whose upload is the release, last."""
    tools: Mapping[str, str]
    """Versions of what built it."""
    materials: Mapping[str, Materials] = field(default_factory=dict)
    """What the runtime of each image is built from, by the image's name; none where an earlier version wrote it."""

    def to_json(self) -> bytes:
        """Indented JSON with a line end, the same bytes for the same release."""
        return dump(self.to_value())

    def to_value(self) -> dict[str, Any]:
        """What `to_json` writes, before it is text."""
        return {
            **self.pins.to_value(),
            "tag": self.tag,
            "created": self.created,
            "distributions": [
                {"project": item.project, "filename": item.filename, "sha256": item.sha256, "size": item.size}
                for item in self.distributions
            ],
            "tools": dict(self.tools),
            "materials": {name: materials.to_value() for name, materials in self.materials.items()},
        }

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Raise `BadRecord` unless `data` is a release.json."""
        value = load(data, "release.json")
        try:
            pins, tag = Pins.parse(data), text_of(value["tag"])
            ReleaseVersion.tagged(str(pins.version), tag)
            return cls(
                tag=tag,
                created=seconds_of(value["created"]),
                pins=pins,
                distributions=tuple(
                    Distribution(
                        project_of(item["project"]),
                        file_name_of(item["filename"]),
                        Digest(text_of(item["sha256"])).hex,
                        count_of(item["size"]),
                    )
                    for item in list_of(value["distributions"])
                ),
                tools={text_of(name): text_of(text) for name, text in value["tools"].items()},
                materials={text_of(name): Materials.parse(item) for name, item in value.get("materials", {}).items()},
            )
        except (KeyError, TypeError, AttributeError, ReleaseError) as error:
            raise malformed("release.json", error) from error


def _image(name: str, item: Mapping[str, Any]) -> PinnedImage:
    pin = text_of(item["pin"])
    declared = Repository.parse(text_of(item["declared"]))
    repository = ImageRef.parse(pin).repository if "@" in pin else Repository.tagged(pin)[0]
    if repository.name != declared.name:
        raise BadRecord(f"{pin[:200]} is pinned for {declared}, another repository")
    return PinnedImage(
        name=text_of(name),
        declared=declared,
        pin=pin,
        runtime_key=text_of(item["runtime_key"]),
        platform=text_of(item["platform"]),
    )


def _component(name: str, item: Mapping[str, Any]) -> PinnedComponent:
    return PinnedComponent(
        name=text_of(name),
        file=file_name_of(item["file"]),
        images=tuple(text_of(image) for image in list_of(item["images"])),
        sha256=Digest(text_of(item["sha256"])).hex,
    )
