"""The SBOM that is attached to an image in ECR: found, and held against the image that it should be of."""

from __future__ import annotations

from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository
from kfp_release.errors import ReleaseError
from kfp_release.referrers import Attached, Attachment, look_at_attached
from kfp_release.sbom import SBOM_TYPE, BadSbom, Sbom, is_marked

_SHOWN = 3
"""Digests that a line names."""
_REMEDY = "see who attached it and remove it from ECR; kfp-release runtime and kfp-release publish attach what is right"


def attached_sbom(store: EcrRepository, subject: Digest) -> Sbom | None:
    """The SBOM of the image `subject` that this tool made; None where none is attached. Other tools' are left alone.

    Of several it is the one with the lowest digest. Raise `BadSbom` where they differ in more than the tools that wrote
    them, or the only ones are none, of another image, or cannot be read; `ReleaseError` where ECR cannot be asked.
    """
    look = look_at_attached(store, subject, SBOM_TYPE)
    marked = (one for one in look.read if is_marked(one.data))
    found: list[tuple[Attached, Sbom]] = []
    refused: list[BadSbom] = []
    for one in sorted(marked, key=lambda one: one.digest):
        try:
            found.append((one, _sbom(one, subject, str(store.repository))))
        except BadSbom as error:
            refused.append(error)
    if not found:
        if refused:
            raise refused[0]
        if look.unread:
            where = f"{store.repository}@{subject}"
            raise BadSbom(
                f"{where} has something attached as an SBOM that cannot be read: {look.unread[0]}", remedy=_REMEDY
            )
        return None
    first, sbom = found[0]
    # Whoever may push can attach one: to choose among those that differ would be to believe any of them.
    if differing := [one for one, other in found if not sbom.agrees(other.data)]:
        raise BadSbom(
            f"{store.repository}@{subject} has SBOMs attached that differ: "
            + ", ".join(str(one.digest) for one in (first, *differing)[:_SHOWN]),
            remedy=_REMEDY,
        )
    return sbom


def sbom_attachment(sbom: Sbom) -> Attachment:
    """What an image gets as its SBOM."""
    return Attachment("SBOM", SBOM_TYPE, SBOM_TYPE, sbom.data, sbom.agrees, is_rival=is_marked)


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
