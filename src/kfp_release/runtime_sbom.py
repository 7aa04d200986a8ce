"""The SBOM of a runtime, made of its layers: wherever they are, here or in ECR."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from kfp_release.attached_sbom import attached_sbom, sbom_attachment
from kfp_release.built import this_tool
from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository
from kfp_release.image import RUNTIME_EPOCH, Image
from kfp_release.inventory import Inventory
from kfp_release.layer_tar import LayerBlob
from kfp_release.manifest import BadImage
from kfp_release.progress import Progress
from kfp_release.referrers import attach
from kfp_release.sbom import BadSbom, Sbom
from kfp_release.terminal_text import one_line

_SHOWN: Final = 3
"""Paths that a note names."""


def ensure_runtime_sbom(
    store: EcrRepository, image: Image, *, tag: str, progress: Progress, layers: Iterable[LayerBlob] | None
) -> int:
    """The runtime `image` has an SBOM attached when this returns; the bytes sent.

    It is made of `layers` if they are at hand, else of those in ECR. Raise `ReleaseError` where it cannot be made, or
    something else is attached as it.
    """
    if runtime_sbom(store, image.manifest.digest) is not None:
        return 0
    progress.step(f"read what is installed in {tag}")
    sbom = made_sbom(store, image, layers=layers)
    progress.note(f"{tag}: {sbom.components} components")
    if unread := sbom.unread:
        first = one_line(", ".join(unread[:_SHOWN]))
        progress.note(
            f"{tag}: metadata of {len(unread)} Python distributions cannot be read, so it is not listed: {first}"
        )
    _, sent = attach(store, image.manifest, sbom_attachment(sbom), progress=progress)
    return sent


def made_sbom(store: EcrRepository, image: Image, *, layers: Iterable[LayerBlob] | None = None) -> Sbom:
    """The SBOM of the runtime `image`, made anew; nothing is written."""
    from kfp_release.cyclonedx_bom import BomImage, runtime_bom  # noqa: PLC0415 - brings the library

    digest = image.manifest.digest
    subject = BomImage(store.repository, digest, image.config.platform, RUNTIME_EPOCH, sbom_tools())
    if layers is None:
        layers = [store.blob(layer) for layer in image.manifest.layers]
    try:
        return runtime_bom(subject, Inventory.of(layers))
    except BadImage as error:
        what = f"what is installed in {store.repository}@{digest} cannot be told"
        raise BadImage(f"{what}: {error.args[0]}", remedy=error.remedy) from error


def runtime_sbom(store: EcrRepository, digest: Digest) -> Sbom | None:
    """The SBOM that is attached to the runtime. Raise as `attached_sbom`, and where it is another tool's."""
    sbom = attached_sbom(store, digest)
    if sbom is not None and not sbom.is_runtime:
        raise BadSbom(
            f"the SBOM that is attached to {store.repository}@{digest} is none that kfp-release made of a runtime",
            remedy="remove it from ECR, and run kfp-release runtime",
        )
    return sbom


def sbom_tools() -> dict[str, str]:
    """Versions by name of what makes SBOMs here."""
    tools = this_tool()
    return {name: tools[name] for name in ("kfp-release", "cyclonedx-python-lib")}
