"""What ECR says of one image of a pipeline: which version and commit it is of, and whether it can still be pulled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from kfp_release.commit import is_commit
from kfp_release.digest import Digest
from kfp_release.ecr_errors import EcrError
from kfp_release.image import LABEL_REVISION, LABEL_VERSION
from kfp_release.image_ref import Repository
from kfp_release.image_summary import ACTIVE
from kfp_release.package_files._operators.image_name import ImageName
from kfp_release.package_files._operators.tracing import DRIFT, MIRRORED, PINNED, UNKNOWN, Origin
from kfp_release.release_image import ReleaseImage
from kfp_release.version import BadVersion, ReleaseVersion

MISSING: Final = "missing"
"""ECR has no image of this digest."""
ARCHIVED: Final = "archived"
"""It is in ECR, and cannot be pulled."""
INCOMPLETE: Final = "incomplete"
"""ECR lacks some of its layers."""
UNASKED: Final = "unasked"
"""ECR gave no answer about it."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """What was seen of one repository. `images` are those that were looked for, by digest."""

    at: Repository
    images: Mapping[Digest, ReleaseImage] = field(default_factory=dict)
    tags: Mapping[str, Digest] = field(default_factory=dict)
    """All of them, and what they lead to."""
    refusal: EcrError | None = None
    """Why it could not be asked."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where ECR was asked for an image: at its own repository, or, where no ECR has it, at its home."""

    shelf: Shelf
    is_home: bool
    """Whether the pipeline names the repository that releases push to."""
    unasked: str = ""
    """The registry that the pipeline names, where that is none of ECR."""


def image_origin(image: ImageName, place: Place, tags: Mapping[str, str]) -> Origin:
    """Of an image with a digest. `tags` are git's, with their commits."""
    found = place.shelf.images.get(Digest.parse(image.digest))
    if found is None or found.status != ACTIVE or found.lacking:
        return _not_to_be_had(place, found)
    labels = found.labels or {}
    version, revision = _version(labels.get(LABEL_VERSION, "")), labels.get(LABEL_REVISION, "")
    if version is None or not is_commit(revision):
        return Origin(UNKNOWN, "its labels name no version and commit, so no release made it")
    state, why = PINNED if place.is_home else MIRRORED, ""
    if place.unasked:
        state, why = MIRRORED, f"{place.unasked} is no ECR and was not asked; {place.shelf.at} has it"
    if drift := _drift(image, version, revision, place, tags):
        state, why = DRIFT, drift
    return Origin(state, why, str(version), revision)


def _not_to_be_had(place: Place, found: ReleaseImage | None) -> Origin:
    shelf = place.shelf
    also = f", and {place.unasked}, which is no ECR, was not asked" if place.unasked else ""
    if shelf.refusal is not None:
        return Origin(UNASKED, str(shelf.refusal.args[0]))
    if found is None:
        return Origin(MISSING, f"{shelf.at} has no image of this digest{also}")
    if found.status != ACTIVE:
        restore = "aws ecr update-image-storage-class --target-storage-class STANDARD restores it"
        return Origin(ARCHIVED, f"{shelf.at} has it {found.status}, so it cannot be pulled{also}: {restore}")
    return Origin(INCOMPLETE, f"{shelf.at} lacks {len(found.lacking)} of its layers{also}")


def _drift(image: ImageName, version: ReleaseVersion, revision: str, place: Place, tags: Mapping[str, str]) -> str:
    """Where the pipeline's tag, ECR's tag or git's does not say what the image's labels do."""
    if image.tag not in {"", version.image_tag}:
        return f"its tag is {image.tag}, and its labels say {version}"
    holder = place.shelf.tags.get(version.image_tag)
    if holder is None and place.is_home:
        return f"{place.shelf.at} has no tag {version.image_tag} any more"
    if holder is not None and str(holder) != image.digest:
        return f"{place.shelf.at}:{version.image_tag} is {holder} now"
    commit = None if version.is_snapshot else tags.get(version.tag)
    if commit not in {None, revision}:
        return f"its labels say commit {revision[:12]}, and the git tag {version.tag} is at {commit[:12]}"
    return ""


def _version(text: str) -> ReleaseVersion | None:
    try:
        return ReleaseVersion.parse(text)
    except BadVersion:
        return None
