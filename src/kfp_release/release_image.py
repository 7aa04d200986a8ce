"""One image of a version, as ECR has it, and whether it is what is pinned."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from kfp_release.digest import Digest
from kfp_release.finding import Finding, Kind
from kfp_release.image import LABEL_REVISION, LABEL_RUNTIME_KEY, LABEL_VERSION
from kfp_release.image_ref import Repository
from kfp_release.image_summary import ACTIVE
from kfp_release.record import PinnedImage, Pins


@dataclass(frozen=True, slots=True)
class ReleaseImage:
    """One image. `status` is ACTIVE for what can be pulled."""

    digest: Digest
    tags: tuple[str, ...]
    status: str = ACTIVE
    labels: Mapping[str, str] | None = None
    """None where ECR hands out no manifest of an image for one platform."""
    lacking: Collection[Digest] = ()
    """Its layers and config, as far as ECR lacks them."""


def pinned_findings(
    pinned: PinnedImage, pins: Pins, *, tagged: ReleaseImage | None, exact: ReleaseImage | None
) -> Iterator[Finding]:
    """Where ECR does not have what is `pinned`, exactly: `tagged` is what its tag leads to, `exact` has its digest."""
    ref, name = pinned.ref, pinned.name
    if tagged is None:
        yield Finding(Kind.IMAGE_TAG_MISSING, name, f"{ref}: ECR has no tag {ref.tag}")
    elif tagged.digest != ref.digest:
        yield Finding(
            Kind.IMAGE_TAG_MOVED,
            name,
            f"{ref}: in ECR the tag {ref.tag} is at {tagged.digest}",
            "put the tag back, and make tags immutable: aws ecr put-image-tag-mutability "
            f"--repository-name {ref.repository.name} --image-tag-mutability IMMUTABLE",
        )
    if exact is None:
        yield Finding(Kind.IMAGE_MISSING, name, f"{ref}: ECR has no image of this digest")
        return
    expected = {
        LABEL_VERSION: str(pins.version),
        LABEL_REVISION: pins.commit,
        LABEL_RUNTIME_KEY: pinned.runtime_key,
    }
    for kind, text, remedy in _content(ref.repository, exact, expected, "the published pins say"):
        yield Finding(kind, name, f"{ref}: {text}", remedy)


def unpinned_findings(
    name: str, repository: Repository, tag: str, image: ReleaseImage | None, *, labels: Mapping[str, str]
) -> Iterator[Finding]:
    """Where the image that a version's tag leads to is not there, or not what the git tag's `labels` say.

    For a version without a wheel, whose pins would tell its digest.
    """
    ref = f"{repository}:{tag}"
    if image is None:
        yield Finding(Kind.IMAGE_MISSING, name, f"{ref}: ECR has no such image")
        return
    for kind, text, remedy in _content(repository, image, labels, "the git tag says"):
        yield Finding(kind, name, f"{ref}: {text}", remedy)


def _content(
    repository: Repository, image: ReleaseImage, expected: Mapping[str, str], says: str
) -> Iterator[tuple[Kind, str, str]]:
    """Kind, text and remedy of each disagreement between the image and the labels that are expected."""
    if image.status != ACTIVE:
        remedy = (
            f"restore it: aws ecr update-image-storage-class --repository-name {repository.name} "
            f"--image-id imageDigest={image.digest} --target-storage-class STANDARD"
        )
        yield Kind.IMAGE_ARCHIVED, f"it is {image.status} in ECR and cannot be pulled", remedy
        return
    if image.lacking:
        yield Kind.LAYERS_MISSING, f"ECR lacks {len(image.lacking)} of its layers, {min(image.lacking)} for one", ""
    elif image.labels is None:
        yield Kind.OTHER_IMAGE, "ECR hands out no image for one platform", ""
    if (seen := image.labels) is None:
        return
    for label, text in expected.items():
        if seen.get(label) != text:
            kind = Kind.OTHER_COMMIT if label == LABEL_REVISION else Kind.OTHER_IMAGE
            yield kind, f"its label {label} is {seen.get(label)!r}, {says} {text!r}", ""
