"""What a release says of itself: pins.json inside the wheel and sdist, release.json beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from kfp_release.digest import Digest
from kfp_release.errors import ReleaseError
from kfp_release.image_ref import ImageRef, Repository
from kfp_release.version import ReleaseVersion

SCHEMA = 1


class BadRecord(ReleaseError):
    """A pins.json or release.json that this version of the tool cannot read."""


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
    """40 hex digits; empty where it is not known (built outside a release)."""
    images: tuple[PinnedImage, ...]
    components: tuple[PinnedComponent, ...]

    @property
    def is_exact(self) -> bool:
        """Whether every owned image is pinned by digest."""
        return all(image.is_exact for image in self.images)

    def to_json(self) -> bytes:
        """Indented JSON with a line end, the same bytes for the same pins."""
        return _dump(self.to_value())

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
        value = _load(data, "pins.json")
        try:
            return cls(
                distribution=_text(value["distribution"]),
                version=ReleaseVersion.parse(_text(value["version"])),
                commit=_text(value["commit"]),
                images=tuple(_image(name, item) for name, item in value["images"].items()),
                components=tuple(_component(name, item) for name, item in value["components"].items()),
            )
        except (KeyError, TypeError, AttributeError, ReleaseError) as error:
            raise BadRecord(f"pins.json is malformed: {error!r}"[:300]) from error


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

    def to_json(self) -> bytes:
        """Indented JSON with a line end, the same bytes for the same release."""
        return _dump(self.to_value())

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
        }

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Raise `BadRecord` unless `data` is a release.json."""
        value = _load(data, "release.json")
        try:
            return cls(
                tag=_text(value["tag"]),
                created=int(value["created"]),
                pins=Pins.parse(data),
                distributions=tuple(
                    Distribution(
                        _text(item["project"]),
                        _file_name(item["filename"]),
                        Digest(_text(item["sha256"])).hex,
                        int(item["size"]),
                    )
                    for item in value["distributions"]
                ),
                tools={_text(name): _text(text) for name, text in value["tools"].items()},
            )
        except (KeyError, TypeError, ValueError, AttributeError, ReleaseError) as error:
            raise BadRecord(f"release.json is malformed: {error!r}"[:300]) from error


def _image(name: str, item: Mapping[str, Any]) -> PinnedImage:
    pin = _text(item["pin"])
    declared = Repository.parse(_text(item["declared"]))
    if "@" in pin and ImageRef.parse(pin).repository.name != declared.name:
        raise BadRecord(f"{pin[:200]} is pinned for {declared}, another repository")
    return PinnedImage(
        name=_text(name),
        declared=declared,
        pin=pin,
        runtime_key=_text(item["runtime_key"]),
        platform=_text(item["platform"]),
    )


def _component(name: str, item: Mapping[str, Any]) -> PinnedComponent:
    return PinnedComponent(
        name=_text(name),
        file=_file_name(item["file"]),
        images=tuple(_text(image) for image in item["images"]),
        sha256=Digest(_text(item["sha256"])).hex,
    )


def _file_name(value: Any) -> str:
    text = _text(value)
    if not text or "/" in text or "\\" in text or "\0" in text or text in {".", ".."}:
        raise BadRecord(f"{text[:120]!r} is not a file's name")
    return text


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise BadRecord(f"{str(value)[:120]} is not a text")
    return value


def _load(data: bytes, what: str) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadRecord(f"{what} is not JSON: {str(error)[:120]}") from error
    if not isinstance(value, dict):
        raise BadRecord(f"{what} is not a JSON object")
    if value.get("schema") != SCHEMA:
        raise BadRecord(
            f"{what} has schema {str(value.get('schema'))[:40]}, and this kfp-release reads {SCHEMA}",
            remedy="use the kfp-release that wrote it, or a newer one",
        )
    return value


def _dump(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
