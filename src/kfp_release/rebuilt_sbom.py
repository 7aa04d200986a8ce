"""SBOMs of a rebuilt version: the runtime's, read from its layers anew, and each image's beside the attached one."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from kfp_release.attached_sbom import attached_sbom
from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository
from kfp_release.ecr_errors import EcrError
from kfp_release.image import Image
from kfp_release.manifest import BadImage
from kfp_release.progress import Progress
from kfp_release.rebuilt_part import NONE, OTHER_TOOLS, RebuiltPart, Verdict, first_few
from kfp_release.runtime_sbom import made_sbom, runtime_sbom
from kfp_release.sbom import BadSbom, Sbom
from kfp_release.terminal_text import one_line

_REMEDY: Final = "look again with --rebuild-runtime, which reads the layers of a runtime that is built anew"


def sbom_of_runtime(store: EcrRepository, runtime: Image, *, progress: Progress) -> tuple[Sbom, bool]:
    """The SBOM of a runtime in ECR, and whether it is made anew of its layers.

    Where they are gone or cannot be read, it is the one that the runtime has attached. Raise `ReleaseError` where there
    is neither, or ECR cannot be asked.
    """
    try:
        return made_sbom(store, runtime), True
    except (BadImage, EcrError) as error:
        if isinstance(error, EcrError) and not error.is_absence:
            raise
        there = runtime_sbom(store, runtime.manifest.digest)
        if there is None:
            raise
        progress.note(f"the SBOM that is attached to the runtime stands in: {one_line(str(error.args[0]))}")
        return there, False


def image_sbom_part(
    store: EcrRepository, published: Digest, rebuilt: Sbom, *, name: str, anew: bool = True
) -> RebuiltPart:
    """The SBOM that is attached to the public image, beside the rebuilt one. `name` is the image's.

    Unless what is below it was made `anew`, it is not rebuilt, whatever it agrees with.
    """
    try:
        part = _part(attached_sbom(store, published), rebuilt, name=name)
    except BadSbom as error:
        digest = str(Digest.of(rebuilt.data))
        return RebuiltPart(f"SBOM of {name}", NONE, digest, Verdict.DIFFERS, one_line(str(error.args[0])), error.remedy)
    if anew or part.verdict not in {Verdict.IDENTICAL, Verdict.SAME_CONTENT}:
        return part
    text = f"{part.what}: it goes with the one that is attached to the runtime, whose layers cannot be read"
    return replace(part, verdict=Verdict.NOT_REBUILT, text=text, remedy=_REMEDY)


def _part(published: Sbom | None, rebuilt: Sbom, *, name: str) -> RebuiltPart:
    """The SBOM that is attached to an image."""
    what, ours = f"SBOM of {name}", str(Digest.of(rebuilt.data))
    if published is None:
        text = f"{what}: none is attached to the public image; a release of an older kfp-release has none"
        return RebuiltPart(what, NONE, ours, Verdict.ABSENT, text)
    theirs = str(Digest.of(published.data))
    if theirs == ours:
        return RebuiltPart(what, theirs, ours, Verdict.IDENTICAL)
    if rebuilt.agrees(published.data):
        text = f"{what}: the same, written by another version of the tools"
        return RebuiltPart(what, theirs, ours, Verdict.SAME_CONTENT, text)
    differing = sorted({*published.listed} ^ {*rebuilt.listed})
    text = f"{what}: {first_few(differing) if differing else 'the same components, and other facts of them'}"
    return RebuiltPart(what, theirs, ours, Verdict.DIFFERS, text, OTHER_TOOLS)
