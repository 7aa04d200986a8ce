"""Makes what a plan describes: package layer → digest → pinned component files → wheel and sdist → release.json.

Needs no credentials, and no network but what the Python build fetches for itself. Everything is made from a clone of
the plan's commit; the checkout is not written to.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from kfp_release.built import BuiltRelease
from kfp_release.changelog import Changelog
from kfp_release.config import PYPROJECT, Config
from kfp_release.digest import Digest
from kfp_release.distributions import project_name
from kfp_release.errors import ReleaseError
from kfp_release.git import Git, Source
from kfp_release.image import (
    LABEL_REVISION,
    LABEL_RUNTIME_KEY,
    LABEL_SOURCE,
    LABEL_VERSION,
    Image,
    with_package,
)
from kfp_release.image_ref import ImageRef
from kfp_release.layer import Layer, package_layer
from kfp_release.layout import Layout
from kfp_release.pinned import PINS_SETTING, pinned_components
from kfp_release.plan import Plan
from kfp_release.planned_image import PlannedImage
from kfp_release.progress import Progress
from kfp_release.projects import open_project
from kfp_release.record import Distribution, PinnedImage, Pins, ReleaseRecord
from kfp_release.twine_upload import check_distributions
from kfp_release.wheel import Wheel


@dataclass(frozen=True, slots=True)
class _VersionImage:
    """An image of the release, and its package layer where that is ours to push."""

    planned: PlannedImage
    image: Image
    layer: Layer


def build(project: Path, plan: Plan, target: Path, *, progress: Progress) -> BuiltRelease:
    """Build `plan` from the repository at `project` into the folder `target`, which appears whole or not at all.

    Raise `ReleaseError` where a runtime is missing, or something else is public under this version already.
    """
    _require_runtimes(plan)
    _require_ours(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="kfp-release-") as scratch, _arriving(target) as out:
        tree = Path(scratch, "source")
        Git(project).clone_at(plan.source.commit, tree)
        config = Config.parse((tree / PYPROJECT).read_bytes(), {})
        with ThreadPoolExecutor() as pool:
            extra = [
                pool.submit(_build_extra, tree / folder, plan.source, out, progress=progress)
                for folder in config.extra_projects
            ]
            images, pins, main, tools = _build_main(tree, config, plan, out, progress=progress)
            distributions = (*(item for future in extra for item in future.result()), *main)
        _write_layout(out / "image", images)
        record = ReleaseRecord(
            tag=plan.source.tag,
            created=plan.source.created,
            pins=pins,
            distributions=distributions,
            tools={**tools, "kfp-release": metadata.version("kfp-release"), "python": sys.version.split()[0]},
        )
        progress.step("check the distributions")
        check_distributions(out / item.filename for item in distributions)
        (out / "release.json").write_bytes(record.to_json())
        (out / "notes.md").write_text(_notes(tree, plan.source), encoding="utf-8")
        BuiltRelease.read(out)
    return BuiltRelease.read(target)


def _build_main(
    tree: Path, config: Config, plan: Plan, out: Path, *, progress: Progress
) -> tuple[list[_VersionImage], Pins, tuple[Distribution, ...], Mapping[str, str]]:
    """The images made of the unpinned wheel, the pins to them, the pinned sdist and wheel, and the tools' versions."""
    source = plan.source
    progress.step("build the package")
    with (
        tempfile.TemporaryDirectory(prefix="kfp-release-") as scratch,
        open_project(tree, version=source.version, epoch=source.created, progress=progress) as project,
    ):
        wheel = project.wheel(Path(scratch))
        images = _images(plan, config, Wheel.parse(wheel.name, wheel.read_bytes()))
        pins = _pins(plan, config, tree, images)
        pins_file = Path(scratch, "pins.json")
        pins_file.write_bytes(pins.to_json())
        progress.step("build the pinned sdist and wheel")
        settings = {PINS_SETTING: str(pins_file)}
        files = (project.sdist(out, settings), project.wheel(out, settings))
        return images, pins, tuple(_distribution(plan.distribution, file) for file in files), project.tools


def _build_extra(folder: Path, source: Source, out: Path, *, progress: Progress) -> tuple[Distribution, ...]:
    """The sdist and the wheel of a further project, unpinned."""
    name = project_name(folder)
    progress.note(f"build {name} beside it")
    with open_project(folder, version=source.version, epoch=source.created, progress=progress) as project:
        return tuple(_distribution(name, file) for file in (project.sdist(out), project.wheel(out)))


def _require_runtimes(plan: Plan) -> None:
    if missing := plan.missing_runtimes:
        keys = ", ".join(f"{image.name} (runtime-{image.runtime_key} in {image.repository})" for image in missing)
        raise ReleaseError(f"the plan has no runtime for {keys}", remedy="kfp-release runtime, then plan again")


def _require_ours(target: Path) -> None:
    """Refuse to replace a folder that holds something else than an earlier build."""
    if target.is_dir() and any(target.iterdir()) and not (target / "release.json").is_file():
        raise ReleaseError(
            f"{target} holds files that are no earlier build", remedy="empty it, or give another folder with --output"
        )


@contextmanager
def _arriving(target: Path) -> Iterator[Path]:
    """A folder beside `target` that takes its place when all is written."""
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as beside:
        new, old = Path(beside, "new"), Path(beside, "old")
        new.mkdir()
        yield new
        if target.exists():
            target.rename(old)
        new.rename(target)


def _images(plan: Plan, config: Config, wheel: Wheel) -> list[_VersionImage]:
    return [_version_image(planned, plan, config, wheel) for planned in plan.images]


def _version_image(planned: PlannedImage, plan: Plan, config: Config, wheel: Wheel) -> _VersionImage:
    if planned.runtime is None:  # pragma: no cover - `_require_runtimes` has refused it
        raise ReleaseError(f"image {planned.name} has no runtime")
    layer = package_layer(wheel, package=config.package, interpreter=planned.interpreter)
    labels = {
        LABEL_VERSION: str(plan.source.version),
        LABEL_REVISION: plan.source.commit,
        LABEL_SOURCE: config.source,
        LABEL_RUNTIME_KEY: planned.runtime_key,
    }
    image = with_package(planned.runtime, layer, labels=labels, created=plan.source.created)
    if planned.existing is not None and planned.existing.manifest.digest != image.manifest.digest:
        _require_same_content(planned, planned.existing, image)
        image = planned.existing
    return _VersionImage(planned, image, layer)


def _require_same_content(planned: PlannedImage, existing: Image, image: Image) -> None:
    """Adopt an image of this version, commit, runtime and layers; refuse any other."""
    identity = (LABEL_VERSION, LABEL_REVISION, LABEL_RUNTIME_KEY)
    same_labels = all(existing.config.labels.get(label) == image.config.labels[label] for label in identity)
    if same_labels and existing.config.diff_ids == image.config.diff_ids:
        return
    version = image.config.labels[LABEL_VERSION]
    commit = existing.config.labels.get(LABEL_REVISION, "an unknown commit")
    raise ReleaseError(
        f"{planned.repository}:{version} is public already with other content: "
        f"{existing.manifest.digest} of {commit}, this commit gives {image.manifest.digest}",
        remedy="nothing is overwritten: release this commit under the next version",
    )


def _pins(plan: Plan, config: Config, tree: Path, images: Sequence[_VersionImage]) -> Pins:
    tag = plan.source.version.image_tag
    pinned = tuple(
        PinnedImage(
            name=item.planned.name,
            declared=item.planned.declared,
            pin=str(ImageRef(item.planned.repository, tag, item.image.manifest.digest)),
            runtime_key=item.planned.runtime_key,
            platform=item.planned.platform,
        )
        for item in images
    )
    return Pins(
        distribution=plan.distribution,
        version=plan.source.version,
        commit=plan.source.commit,
        images=pinned,
        components=pinned_components(tree / config.components, {str(item.declared): item.pin for item in pinned}),
    )


def _distribution(project: str, path: Path) -> Distribution:
    data = path.read_bytes()
    return Distribution(project, path.name, Digest.of(data).hex, len(data))


def _write_layout(path: Path, images: Sequence[_VersionImage]) -> None:
    """The images without the runtimes' layers, which ECR has."""
    layout = Layout.create(path)
    for item in images:
        layout.add(item.image, name=item.planned.name)
        layout.write_blob(item.layer.data)


def _notes(tree: Path, source: Source) -> str:
    """The CHANGELOG section of the version; a line that says what it is where there is none (a snapshot)."""
    path = tree / "CHANGELOG.md"
    section = Changelog.parse(path.read_text(encoding="utf-8")).section(source.version) if path.is_file() else None
    return section.body.strip() + "\n" if section else f"Snapshot {source.version} of commit {source.commit}.\n"
