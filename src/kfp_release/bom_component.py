"""The components of SBOMs: images, Debian packages, Python distributions. Sources: CycloneDX 1.6; package-url's types.

To be imported late: it brings the library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Final

from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.component_evidence import ComponentEvidence, Occurrence
from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression
from cyclonedx.spdx import is_supported_id
from packageurl import PackageURL
from packaging.utils import canonicalize_name

from kfp_release.digest import Digest
from kfp_release.image_ref import Repository
from kfp_release.inventory import FoundDistribution, FoundPackage
from kfp_release.python_distribution import PythonDistribution
from kfp_release.record import PinnedImage
from kfp_release.sbom import RUNTIME_KEY, bom_link, image_serial

_LAYER: Final = "kfp-release:layer"
PLATFORM: Final = "kfp-release:platform"
_REQUIRES: Final = "kfp-release:requires"


def container(
    repository: Repository, digest: Digest, tag: str, *, bom_ref: str, properties: Mapping[str, str]
) -> Component:
    """The subject of an SBOM, or what it names: an image by its digest. A runtime has no `tag`."""
    where = {"repository_url": str(repository), **({"tag": tag} if tag else {})}
    return Component(
        type=ComponentType.CONTAINER,
        name=repository.name,
        version=tag or str(digest),
        bom_ref=bom_ref,
        purl=PackageURL("oci", None, repository.name.rpartition("/")[2], str(digest), where),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest.hex)],
        properties=[Property(name=name, value=text) for name, text in properties.items() if text],
    )


def pinned_container(image: PinnedImage) -> Component:
    """An image that a wheel pins, with a link to the SBOM of its own."""
    ref, told = image.ref, {RUNTIME_KEY: image.runtime_key, PLATFORM: image.platform}
    component = container(ref.repository, ref.digest, ref.tag, bom_ref=f"image:{image.name}", properties=told)
    link = bom_link(image_serial(ref.repository, ref.digest))
    component.external_references.add(ExternalReference(type=ExternalReferenceType.BOM, url=XsUri(link)))
    return component


def required_projects(package: PythonDistribution) -> list[Component]:
    """One for each project that it requires, optional where an extra alone asks for it."""
    found = []
    by_name = sorted(package.requires, key=lambda one: (canonicalize_name(one[1].name), one[0]))
    for name, group in groupby(by_name, lambda one: canonicalize_name(one[1].name)):
        several = list(group)
        always = any(one.marker is None or "extra" not in str(one.marker) for _, one in several)
        found.append(
            Component(
                type=ComponentType.LIBRARY,
                name=name,
                bom_ref=name,
                purl=PackageURL("pypi", None, name),
                scope=ComponentScope.REQUIRED if always else ComponentScope.OPTIONAL,
                properties=[Property(name=_REQUIRES, value=text) for text, _ in several],
            )
        )
    return found


def operating_system(os: Mapping[str, str]) -> list[Component]:
    """The system that os-release names; none where it names none."""
    if not os.get("ID"):
        return []
    version = os.get("VERSION_ID")
    return [Component(type=ComponentType.OPERATING_SYSTEM, name=os["ID"], version=version, bom_ref="os")]


def debian_component(found: FoundPackage, os: Mapping[str, str]) -> Component:
    """A Debian package of the system that os-release names."""
    package = found.package
    vendor = os.get("ID", "debian")
    qualifiers = {"arch": package.architecture}
    if os.get("VERSION_ID"):
        qualifiers["distro"] = f"{vendor}-{os['VERSION_ID']}"
    if package.source != package.name or package.source_version != package.version:
        # What advisories are of. Scanners look for it under this name.
        same = package.source_version == package.version
        qualifiers["upstream"] = package.source if same else f"{package.source}@{package.source_version}"
    return Component(
        type=ComponentType.LIBRARY,
        name=package.name,
        version=package.version,
        bom_ref=f"{package.name}:{package.architecture}",
        purl=PackageURL("deb", vendor, package.name, package.version, qualifiers),
        properties=_layers({found.layer}),
    )


def python_component(group: Sequence[FoundDistribution]) -> Component:
    """A distribution, in all places where it is in this version."""
    package = group[0].distribution
    return Component(
        type=ComponentType.LIBRARY,
        name=package.name,
        version=package.version,
        bom_ref=reference(package),
        purl=PackageURL("pypi", None, package.key, package.version),
        licenses=licences(package),
        properties=_layers({each.layer for each in group}),
        evidence=ComponentEvidence(occurrences=[Occurrence(location=each.path) for each in group]),
    )


def licences(package: PythonDistribution) -> list[DisjunctiveLicense | LicenseExpression]:
    """The licence that a distribution names, as SPDX has it where that is possible."""
    if not package.licence:
        return []
    if not package.has_expression:
        return [DisjunctiveLicense(name=package.licence)]
    if is_supported_id(package.licence):
        return [DisjunctiveLicense(id=package.licence)]
    return [LicenseExpression(package.licence)]


def reference(package: PythonDistribution) -> str:
    """What a distribution is called inside of an SBOM."""
    return f"{package.key}=={package.version}"


def _layers(numbers: set[int]) -> list[Property]:
    """Which layers it came with; it is not said of the first, where most is, for a release sends all of this."""
    return [Property(name=_LAYER, value=str(number)) for number in sorted(numbers)] if numbers != {1} else []
