"""A compiled pipeline with its owned images on a mirror, whose ECR is asked whether it has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kfp_release.config import Config
from kfp_release.errors import Problem, Problems, ReleaseError
from kfp_release.image_origin import ARCHIVED, INCOMPLETE, MISSING, UNASKED
from kfp_release.image_ref import Registry
from kfp_release.package_files._operators import image_name
from kfp_release.package_files._operators.image_name import ImageName
from kfp_release.package_files._operators.pipeline import BadPipeline, Pipeline
from kfp_release.package_files._operators.rehoming import Rehomed, rehome
from kfp_release.package_files._operators.tracing import Trace
from kfp_release.trace import asked_repository, owned_images

_REMEDIES: Final = {
    MISSING: "copy the image there with its digest first, or name a mirror that has it",
    ARCHIVED: "restore it on the mirror",
    INCOMPLETE: "copy the image there anew",
    UNASKED: "use credentials that may read the mirror, or --no-check",
}
"""By the states of what cannot be pulled, or may not be there."""


@dataclass(frozen=True, slots=True)
class Move:
    """A pipeline on a mirror, before it is written."""

    rehomed: Rehomed
    has_ecr: bool
    """Whether the mirror is one that can be asked."""
    digests: Mapping[str, str]
    """The owned repository that each digest is of."""


def move(file: str, pipeline: Pipeline, registry: Registry, *, config: Config) -> Move:
    """`pipeline`, which is that of `file`, with the images of the configuration on `registry`.

    Raise `ReleaseError` where it has none of them, one has no digest, or one cannot be changed alone.
    """
    owned = owned_images(config)
    try:
        rehomed = rehome(file, pipeline, owned, image_name.Registry.parse(str(registry)))
    except BadPipeline as error:
        raise ReleaseError(str(error.args[0]), remedy=error.remedy) from error
    asked, digests = [], {}
    for before, there in (*rehomed.moved.items(), *((text, text) for text in rehomed.stayed)):
        image, home = ImageName.parse(there), owned.home(ImageName.parse(before))
        if home is not None:
            asked.append(asked_repository(config, home, image.repository))
            digests[image.digest] = home
    return Move(rehomed, any(asked), digests)


def require_there(found: Trace) -> None:
    """Raise `Problems` where ECR does not have an image of the pipeline, all of them at once."""
    problems = [
        Problem(image, 0, f"{state}: {why}", _REMEDIES[state])
        for image, state, why in found.remarks
        if state in _REMEDIES
    ]
    if problems:
        raise Problems(problems)
