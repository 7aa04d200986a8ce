"""A release that nothing happened to: what is public of it, how long its steps take, what it asks."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

from relay import Call

from chaos.attempt import Attempt
from chaos.machine import Machine
from chaos.outside import Outside, blobs_of, sha256
from chaos.project import NAME

Repository = str
"""Its name without the registry: ``team/demo``."""
_WRITES = {"InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload", "PutImage"}
_FILENAME = re.compile(rb'filename="([^"]+)"')


@dataclass(frozen=True, slots=True)
class There:
    """What was there of one release at some time."""

    public: Mapping[str, str]
    """Digests by ``repository:tag`` and, of what is attached to an image, by ``repository@digest``; sha256 by file."""
    blobs: frozenset[tuple[Repository, str]]

    def sent_again(self, calls: Iterable[Call]) -> Iterator[str]:
        """Which of `calls` sent something that was there, a line each."""
        for call in calls:
            if call.target == "UploadLayerPart":
                asked = json.loads(call.body)
                blob = "sha256:" + hashlib.sha256(base64.b64decode(asked["layerPartBlob"])).hexdigest()
                if (asked["repositoryName"], blob) in self.blobs:
                    yield f"{blob} was sent to {asked['repositoryName']} again"
            elif call.target == "PutImage":
                asked = json.loads(call.body)
                name = _name(asked)
                if name in self.public:
                    yield f"{name} was put again"
            elif not call.target and call.method == "POST":
                names = [name.decode() for name in _FILENAME.findall(call.body)]
                yield from (f"{name} was uploaded again" for name in names if name in self.public)


@dataclass(frozen=True, slots=True)
class Reference:
    """One version, released without a disturbance."""

    version: str
    there: There
    record: bytes
    """release.json."""
    seconds: Mapping[str, float]
    """By step."""
    writes: tuple[bool, ...]
    """For each request in their order, whether it was one that writes."""

    @classmethod
    def of(cls, version: str, machine: Machine, attempt: Attempt, calls: Iterable[Call], outside: Outside) -> Self:
        """What `attempt`, which has ended well, made of `version` on `machine`."""
        record = json.loads(machine.record)
        tags = [
            (image["declared"].partition("/")[2], tag)
            for image in record["images"].values()
            for tag in (version, f"runtime-{image['runtime_key']}")
        ]
        blobs = {(name, blob) for name, tag in tags for blob in blobs_of(outside.manifest(name, tag) or {})}
        attached = [name for name in map(_put, calls) if "@" in name]
        there = There(_public(outside, tags, attached, version), frozenset(blobs))
        steps = attempt.steps
        seconds = {name: end - began for (name, began), (_, end) in pairwise([*steps, ("end", attempt.took)])}
        return cls(version, there, machine.record, seconds, tuple(_is_write(call) for call in calls))

    def look(self, outside: Outside) -> There:
        """What is there of it elsewhere, or at another time."""
        attached = [name for name in self.there.public if "@" in name]
        names = (key.partition(":") for key in self.there.public if key not in attached)
        tags = [(name, tag) for name, _, tag in names if tag]
        blobs = frozenset(blob for blob in self.there.blobs if outside.has_blob(*blob))
        return There(_public(outside, tags, attached, self.version), blobs)

    def differences(self, there: There, record: bytes) -> Iterator[str]:
        """Where another release of it came to something else, a line each."""
        for name in sorted(self.there.public.keys() | there.public.keys()):
            wanted, seen = self.there.public.get(name, "nothing"), there.public.get(name, "nothing")
            if wanted != seen:
                yield f"{name} is {seen}, and {wanted} without the disturbance"
        if self.there.blobs != there.blobs:
            yield f"{len(self.there.blobs - there.blobs)} blobs are missing"
        if self.record != record:
            yield "release.json is another"


def _is_write(call: Call) -> bool:
    return call.target in _WRITES or (call.method == "POST" and not call.target)


def _put(call: Call) -> str:
    """What a call makes public in ECR; nothing where it is none that does."""
    return _name(json.loads(call.body)) if call.target == "PutImage" else ""


def _name(asked: Mapping[str, str]) -> str:
    """What PutImage is asked for: an image under its tag, or what is attached to one, which has none."""
    return asked["repositoryName"] + (f":{asked['imageTag']}" if "imageTag" in asked else f"@{asked['imageDigest']}")


def _public(
    outside: Outside, tags: Iterable[tuple[Repository, str]], attached: Iterable[str], version: str
) -> dict[str, str]:
    """The images under these tags, what is attached to them, and the files of this version."""
    digests = {f"{name}:{tag}": outside.digest(name, tag) for name, tag in tags}
    digests |= {name: outside.digest(*name.split("@")) for name in attached}
    images = {name: digest for name, digest in digests.items() if digest}
    beginning = f"{NAME.replace('-', '_')}-{version}"
    files = {name: url for name, url in outside.files().items() if name.startswith((f"{beginning}-", f"{beginning}.t"))}
    return images | {name: sha256(outside.download(url)) for name, url in files.items()}
