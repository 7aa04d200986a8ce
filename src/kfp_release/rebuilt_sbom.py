"""SBOMs of a rebuilt version: the runtime's, read from its layers anew, and each image's beside the attached one."""

from __future__ import annotations

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


def sbom_of_runtime(store: EcrRepository, runtime: Image, *, progress: Progress) -> Sbom:
    """The SBOM of a runtime in ECR, made of its layers; where they cannot be read, the one that it has attached.

    Raise `ReleaseError` where there is neither.
    """
    try:
        return made_sbom(store, runtime)
    except (BadImage, EcrError) as error:
        there = runtime_sbom(store, runtime.manifest.digest)
        if there is None:
            raise
        progress.note(f"the SBOM that is attached to the runtime stands in: {one_line(str(error.args[0]))}")
        return there


def image_sbom_part(store: EcrRepository, published: Digest, rebuilt: Sbom, *, name: str) -> RebuiltPart:
    """The SBOM that is attached to the public image, beside the rebuilt one. `name` is the image's."""
    try:
        return _part(attached_sbom(store, published), rebuilt, name=name)
    except BadSbom as error:
        digest = str(Digest.of(rebuilt.data))
        return RebuiltPart(f"SBOM of {name}", NONE, digest, Verdict.DIFFERS, one_line(str(error.args[0])), error.remedy)


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
