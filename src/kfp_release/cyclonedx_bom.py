"""SBOMs written: of a runtime, of an image, of a wheel. CycloneDX 1.6 in JSON, in one byte form.

Nothing but what it is given is in it: no clock, no chance, nothing of this machine. To be imported late: it brings the
library. Sources: CycloneDX 1.6; package-url's types deb, oci and pypi.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Final

from cyclonedx.exception import CycloneDxException
from cyclonedx.model import Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.bom_ref import BomRef
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.dependency import Dependency
from cyclonedx.model.tool import ToolRepository
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from kfp_release.bom_component import (
    PLATFORM,
    container,
    debian_component,
    licences,
    operating_system,
    pinned_container,
    python_component,
    reference,
    required_projects,
)
from kfp_release.digest import Digest
from kfp_release.image_ref import Repository
from kfp_release.interpreter import Interpreter
from kfp_release.inventory import FoundDistribution, Inventory
from kfp_release.manifest import canonical_json
from kfp_release.python_distribution import PythonDistribution
from kfp_release.record import PinnedImage
from kfp_release.sbom import PART, RUNTIME, RUNTIME_KEY, UNREAD, BadSbom, Sbom, distribution_serial, image_serial

_NOTE: Final = "kfp-release:note"
_NO_DEBIAN: Final = "no Debian packages seen: it has no /var/lib/dpkg"
_UNREADABLE: Final = (CycloneDxException, ValueError, TypeError, KeyError, AttributeError)
"""What the library raises."""
_NO_PYTHON: Final = "no Python distributions seen"
_MACHINES: Final = {"amd64": "x86_64", "arm64": "aarch64", "386": "i686"}
"""What Python calls an architecture of OCI's, where it calls it otherwise."""


@dataclass(frozen=True, slots=True)
class BomImage:
    """The subject of an SBOM: a runtime, or an image of a release."""

    repository: Repository
    digest: Digest
    platform: str
    created: int
    """When it was made, in seconds since 1970."""
    tools: Mapping[str, str]
    """What makes the SBOM: versions by name."""
    tag: str = ""
    runtime_key: str = ""
    """Of a release's image, as its tag. A runtime of the same bytes can have several."""

    @property
    def machine(self) -> str:
        """The architecture as Python calls it."""
        architecture = [*self.platform.split("/"), ""][1]
        return _MACHINES.get(architecture, architecture)


def runtime_bom(subject: BomImage, inventory: Inventory) -> Sbom:
    """What `inventory` lists, as the SBOM of the runtime that it is of."""
    groups = _same(inventory.distributions)
    components = [
        *operating_system(inventory.os),
        *(debian_component(found, inventory.os) for found in inventory.packages),
    ]
    components += [python_component(group) for group in groups]
    notes = [Property(name=UNREAD, value=path) for path in inventory.unread]
    notes += [Property(name=_NOTE, value=_NO_DEBIAN)] * (not inventory.packages)
    notes += [Property(name=_NOTE, value=_NO_PYTHON)] * (not inventory.distributions)
    bom = _bom(subject, components, notes)
    for group in groups:
        wanted = {name for found in group for name in _required(found, subject.machine)}
        _depend(bom, reference(group[0].distribution), [_nearest(groups, group, name) for name in sorted(wanted)])
    return _written(bom)


def image_bom(
    subject: BomImage, runtime: Sbom, package: FoundDistribution, *, interpreter: Interpreter, extra: str
) -> Sbom:
    """What the SBOM of the runtime lists, and the package on it.

    The package draws on what it declares for `extra` and `interpreter` has. Raise `BadSbom` where the library cannot
    read the runtime's.
    """
    try:
        return _written(_with_package(subject, _read(runtime), package, interpreter=interpreter, extra=extra))
    except _UNREADABLE as error:
        raise BadSbom(
            f"the SBOM of the runtime of {subject.repository.name} cannot be read: {str(error)[:160]}",
            remedy="remove it from ECR, and run kfp-release runtime",
        ) from error


def wheel_bom(package: PythonDistribution, images: Iterable[PinnedImage], *, commit: str, created: int) -> Sbom:
    """What goes into a wheel: what it requires, and the images that it pins, each with a link to the SBOM of its own.

    `created` is the commit's time. It names no tools: the bytes of a wheel are the same whichever version makes them.
    """
    root = Component(
        type=ComponentType.LIBRARY,
        name=package.name,
        version=package.version,
        bom_ref=reference(package),
        purl=PackageURL("pypi", None, package.key, package.version),
        licenses=licences(package),
    )
    components = [*map(pinned_container, images), *required_projects(package)]
    metadata = BomMetaData(component=root, timestamp=datetime.fromtimestamp(created, UTC))
    serial = distribution_serial(package.key, package.version, commit)
    return _written(Bom(components=components, metadata=metadata, serial_number=serial))


def _with_package(
    subject: BomImage, below: Bom, package: FoundDistribution, *, interpreter: Interpreter, extra: str
) -> Bom:
    root = below.metadata.component
    added = python_component([package])
    bom = _bom(subject, [*below.components, added], below.metadata.properties)
    for each in below.dependencies:
        if root is None or each.ref != root.bom_ref:
            _depend(bom, str(each.ref.value), [str(one.ref.value) for one in each.dependencies])
    there = [one for one in below.components if one.purl and one.purl.type == "pypi"]
    # Of a name that is there twice it is the one that the interpreter has, not its system's: the last that is named.
    there.sort(key=lambda one: bool(_below(one, interpreter)))
    named = {str(one.purl.name): str(one.bom_ref.value) for one in there if one.purl}
    paths = [path for one in there for path in _below(one, interpreter)]
    python = next(filter(None, map(FoundDistribution.python_of, paths)), package.python)
    wanted = package.distribution.required(python=python, machine=subject.machine, extra=extra)
    _depend(bom, str(added.bom_ref.value), [named[name] for name in wanted if name in named])
    return bom


def _bom(subject: BomImage, components: Iterable[Component], notes: Iterable[Property]) -> Bom:
    root = container(
        subject.repository,
        subject.digest,
        subject.tag,
        bom_ref="image",
        properties={
            PART: "image" if subject.tag else RUNTIME,
            RUNTIME_KEY: subject.runtime_key,
            PLATFORM: subject.platform,
        },
    )
    tools = [
        Component(type=ComponentType.APPLICATION, name=name, version=text, purl=PackageURL("pypi", None, name, text))
        for name, text in subject.tools.items()
    ]
    metadata = BomMetaData(
        component=root,
        timestamp=datetime.fromtimestamp(subject.created, UTC),
        tools=ToolRepository(components=tools),
        properties=notes,
    )
    serial = image_serial(subject.repository, subject.digest)
    return Bom(components=components, metadata=metadata, serial_number=serial)


def _same(found: Iterable[FoundDistribution]) -> list[list[FoundDistribution]]:
    """Those of one name and version together, by name."""
    ordered = sorted(found, key=lambda each: (reference(each.distribution), each.path))
    return [list(group) for _, group in groupby(ordered, lambda each: reference(each.distribution))]


def _required(found: FoundDistribution, machine: str) -> Sequence[str]:
    return found.distribution.required(python=found.python, machine=machine)


def _nearest(groups: Sequence[Sequence[FoundDistribution]], near: Sequence[FoundDistribution], name: str) -> str:
    """The reference of the distribution of this name, in the same folder if it is there; empty where none is."""
    folders = {each.folder for each in near}
    named = [group for group in groups if group[0].distribution.key == name]
    named.sort(key=lambda group: folders.isdisjoint(each.folder for each in group))
    return reference(named[0][0].distribution) if named else ""


def _below(component: Component, interpreter: Interpreter) -> list[str]:
    """The places of it that are the interpreter's."""
    prefix = str(interpreter).rpartition("/bin/")[0]
    found = component.evidence.occurrences if component.evidence else ()
    return [str(each.location) for each in found if str(each.location).startswith(f"{prefix}/")]


def _depend(bom: Bom, of: str, on: Iterable[str]) -> None:
    """What has the reference `of` depends on those of `on` that are no empty texts and not itself."""
    others = [Dependency(BomRef(each)) for each in on if each and each != of]
    if others:
        bom.dependencies.add(Dependency(BomRef(of), others))


def _read(sbom: Sbom) -> Bom:
    bom = Bom.from_json(json.loads(sbom.data))  # type: ignore[attr-defined] # the library adds it
    if not isinstance(bom, Bom):
        raise TypeError("it is none")
    return bom


def _written(bom: Bom) -> Sbom:
    """Its bytes. What nothing else depends on, its subject does."""
    root = bom.metadata.component
    needed = {one.ref.value for each in bom.dependencies for one in each.dependencies}
    if root is not None:
        free = [str(one.bom_ref.value) for one in bom.components if one.bom_ref.value not in needed]
        _depend(bom, str(root.bom_ref.value), free)
    value = json.loads(JsonV1Dot6(bom).output_as_string())
    for component in value.get("components", ()):
        # The library leaves them in no order.
        component.get("evidence", {}).get("occurrences", []).sort(key=canonical_json)
    return Sbom.parse(canonical_json(value))
