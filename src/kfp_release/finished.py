"""Whether a release is finished: what lies in ``dist/`` was built of this commit, and is public as it lies there.

Then it need not be built again to be compared with what is public.
"""

from __future__ import annotations

from pathlib import Path

from kfp_release.built import BuiltRelease, this_tool
from kfp_release.errors import ReleaseError
from kfp_release.plan import Plan
from kfp_release.planned_image import PlannedImage
from kfp_release.record import PinnedImage
from kfp_release.source import Source


def earlier_build(folder: Path, source: Source) -> BuiltRelease | None:
    """What an earlier run of this version of the tool has built of `source`; None where `folder` is not wholly that."""
    try:
        built = BuiltRelease.read(folder)
    except ReleaseError:
        return None
    record = built.record
    made = (record.tag, record.created, record.pins.version, record.pins.commit)
    same = made == (source.tag, source.created, source.version, source.commit)
    return built if same and this_tool().items() <= record.tools.items() and (folder / "notes.md").is_file() else None


def is_public(built: BuiltRelease, plan: Plan) -> bool:
    """Whether `plan` would have the same made, and saw all of it in ECR and on the index: each digest, each sha256."""
    pins = built.record.pins
    pinned = {image.name: image for image in pins.images}
    ours = {(item.project, item.filename): item.sha256 for item in built.record.distributions}
    there = {(project, name): sha256 for project, files in plan.files.items() for name, sha256 in files.items()}
    return (
        pins.distribution == plan.distribution
        and pinned.keys() == {image.name for image in plan.images}
        and all(_is_there(pinned[image.name], image) for image in plan.images)
        and {project for project, _ in ours} == plan.files.keys()
        and ours.items() <= there.items()
    )


def _is_there(pinned: PinnedImage, planned: PlannedImage) -> bool:
    """Whether the image is public by its digest, and stands on the runtime that the plan found."""
    runtime, existing = planned.runtime, planned.existing
    wanted = (planned.declared, planned.repository, planned.runtime_key, planned.platform)
    return (
        (pinned.declared, pinned.repository, pinned.runtime_key, pinned.platform) == wanted
        and runtime is not None
        and existing is not None
        and existing.manifest.digest == pinned.ref.digest
        and existing.config.diff_ids[:-1] == runtime.config.diff_ids
    )
