"""What is seen of a version besides what git has: its state, its images, its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kfp_release.catalog.image_model import CatalogEvidence
from kfp_release.catalog.images import StoredImages
from kfp_release.catalog.model import CatalogFile
from kfp_release.catalog.tagged import TaggedVersion
from kfp_release.config import Config
from kfp_release.digest import Digest
from kfp_release.image import LABEL_RUNTIME_KEY
from kfp_release.image_ref import Repository
from kfp_release.manifest import Manifest
from kfp_release.record import Pins
from kfp_release.release_file import pins_of
from kfp_release.status_row import ImageState, State, StatusRow
from kfp_release.version import ReleaseVersion


@dataclass(frozen=True, slots=True)
class PublicImage:
    """One image of it. `digest` is None where it is not known; then there is no `manifest`."""

    name: str
    repository: str
    tag: str
    runtime_key: str
    platform: str
    digest: Digest | None = None
    manifest: Manifest | None = None
    evidence: Mapping[str, CatalogEvidence] = field(default_factory=dict)
    """By its type."""
    is_evidence_known: bool = True
    scan: str = ""
    """What ECR's scan found, in a few words; empty where it was not asked."""


@dataclass(frozen=True, slots=True)
class PublicVersion:
    """One version; `state` is None where nobody was asked."""

    version: ReleaseVersion
    state: State | None
    withdrawn_by: str
    findings: tuple[str, ...] = ()
    remedies: tuple[str, ...] = ()
    images: tuple[PublicImage, ...] = ()
    files: tuple[CatalogFile, ...] = ()
    pins: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The images that each component's pinned file names, by operator; nothing where no pins are known."""

    @property
    def is_out(self) -> bool:
        """Whether people may have it, as far as it is known."""
        return self.state not in {State.NOT_RELEASED, State.ABANDONED}


def of_row(row: StatusRow, config: Config | None, stored: Mapping[Repository, StoredImages]) -> PublicVersion:
    """As `status` sees it; `config` is that of its commit."""
    pins = pins_of(file for file in row.files if file.project == row.distribution)
    nothing = StoredImages()
    return PublicVersion(
        version=row.version,
        state=row.state,
        withdrawn_by=_branch(row.withdrawn),
        findings=tuple(finding.text for finding in row.findings),
        remedies=row.remedies,
        images=tuple(_image(image, pins, config, stored.get(image.repository, nothing)) for image in row.images),
        files=tuple(
            CatalogFile(
                *(file.project, file.filename, file.sha256, file.size, file.is_yanked),
                is_readable=file.pins is not None,
            )
            for file in row.files
        ),
        pins=pinned_images(pins),
    )


def of_tag(tagged: TaggedVersion, withdrawn_by: str) -> PublicVersion:
    """As git alone has it."""
    images = tagged.config.images if tagged.config else ()
    return PublicVersion(
        version=tagged.version,
        state=None,
        withdrawn_by=_branch(withdrawn_by),
        images=tuple(
            PublicImage(image.name, str(image.repository), tagged.version.image_tag, "", image.platform)
            for image in images
        ),
    )


def pinned_images(pins: Pins | None) -> Mapping[str, tuple[str, ...]]:
    """The images of each component, by operator."""
    return {component.name: component.images for component in pins.components} if pins else {}


def _branch(name: str) -> str:
    """As text: the name of a branch need not be UTF-8."""
    return name.encode(errors="surrogateescape").decode(errors="replace")


def _image(image: ImageState, pins: Pins | None, config: Config | None, stored: StoredImages) -> PublicImage:
    pinned = {one.name: one for one in pins.images}.get(image.name) if pins else None
    declared = {one.name: one for one in config.images}.get(image.name) if config else None
    manifest = stored.manifests.get(image.digest) if image.digest else None
    label = manifest.annotations.get(LABEL_RUNTIME_KEY, "") if manifest else ""
    return PublicImage(
        name=image.name,
        repository=str(image.repository),
        tag=image.tag,
        runtime_key=label or (pinned.runtime_key if pinned else ""),
        platform=pinned.platform if pinned else declared.platform if declared else "",
        digest=image.digest,
        manifest=manifest,
        evidence=stored.evidence.get(image.digest, {}) if image.digest else {},
        is_evidence_known=image.digest is None or image.digest in stored.evidence,
        scan=image.scan.text if image.scan else "",
    )
