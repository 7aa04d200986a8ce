"""The SBOM that is attached to an image in ECR: found, and held against the image that it should be of."""

from __future__ import annotations

from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository
from kfp_release.errors import ReleaseError
from kfp_release.referrers import Attached, Attachment, attached
from kfp_release.sbom import SBOM_TYPE, BadSbom, Sbom

_REMEDY = "see who attached it and remove it from ECR; kfp-release runtime and kfp-release publish attach what is right"


def attached_sbom(store: EcrRepository, subject: Digest) -> Sbom | None:
    """The SBOM of the image `subject`; None where none is attached.

    Raise `BadSbom` where what is attached as one is none, or of another image; `ReleaseError` where ECR does not hand
    it out. Of several, which differ in the tools that wrote them, it is the one with the lowest digest.
    """
    found = sorted(attached(store, subject, SBOM_TYPE), key=lambda one: one.digest)
    return _sbom(found[0], subject, str(store.repository)) if found else None


def sbom_attachment(sbom: Sbom) -> Attachment:
    """What an image gets as its SBOM."""
    return Attachment("SBOM", SBOM_TYPE, SBOM_TYPE, sbom.data, sbom.agrees)


def _sbom(one: Attached, subject: Digest, where: str) -> Sbom:
    try:
        sbom = Sbom.parse(one.data)
    except ReleaseError as error:
        raise BadSbom(
            f"{where}@{subject} has {one.digest} attached as its SBOM: {error.args[0]}", remedy=_REMEDY
        ) from error
    if sbom.digest != subject:
        of = f"of {sbom.digest}" if sbom.digest else f"of {sbom.name} {sbom.version}, which is no image"
        raise BadSbom(f"{where}@{subject} has {one.digest} attached as its SBOM, and that is {of}", remedy=_REMEDY)
    return sbom
