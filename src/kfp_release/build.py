"""Makes what a plan describes: package layer → digest → pinned component files → sdist and wheel → release.json.

Needs no credentials, and no network but what the Python build fetches for itself. Everything is made from a clone of
the plan's commit; the checkout is not written to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from kfp_release.arrival import arriving
from kfp_release.built import BuiltRelease, sbom_name, this_tool
from kfp_release.changelog import CHANGELOG, Changelog
from kfp_release.config import Config
from kfp_release.digest import Digest
from kfp_release.errors import ReleaseError
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
from kfp_release.pinned import PinnedPackage, pinned_package
from kfp_release.plan import Plan
from kfp_release.planned_image import PlannedImage
from kfp_release.progress import Progress
from kfp_release.record import Distribution, PinnedImage, Pins, ReleaseRecord
from kfp_release.release_sbom import image_sbom, wheel_sbom
from kfp_release.source import Source
from kfp_release.unpinned import Pair, Unpinned, building
from kfp_release.wheel import Wheel


@dataclass(frozen=True, slots=True)
class _VersionImage:
    """An image of the release, and its package layer where that is ours to push."""

    planned: PlannedImage
    image: Image
    layer: Layer


def build(
    project: Path, plan: Plan, target: Path, *, progress: Progress, made: Callable[[], Unpinned] | None = None
) -> BuiltRelease:
    """Build `plan` from the repository at `project` into the folder `target`, which appears whole or not at all.

    `made` gives the wheels and sdists of the plan's commit, where they are being built already.

    Raise `ReleaseError` where a runtime is missing, or something else is public under this version already.
    """
    _require_runtimes(plan)
    _require_ours(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        if made is None:
            made = stack.enter_context(building(project, plan.source, progress=progress))
        progress.step("build the wheels and sdists")
        from kfp_release import twine_upload  # noqa: PLC0415 - slow to import: while the builds go on

        unpinned = made()
        out = stack.enter_context(arriving(target))
        progress.step("pin the images")
        _make(plan, unpinned, out)
        built = BuiltRelease.read(out)
        twine_upload.check_distributions(map(built.path, built.record.distributions))
    return replace(built, folder=target)


def _make(plan: Plan, unpinned: Unpinned, out: Path) -> None:
    """Write all that a build is of into the folder `out`."""
    main, tree = unpinned.main, unpinned.tree
    images = _images(plan, unpinned.config, main.wheel)
    pinned = _pinned(plan, tree, images)
    pinned = replace(pinned, sbom=wheel_sbom(main.wheel, pinned.pins, created=plan.source.created))
    main = Pair(main.project, pinned.in_sdist(main.sdist), pinned.in_wheel(main.wheel))
    distributions = tuple(item for pair in (*unpinned.extra, main) for item in _write(pair, out, plan.source.created))
    _write_layout(out / "image", images)
    for item, image in zip(images, pinned.pins.images, strict=True):
        extra = unpinned.config.image(image.name).extra
        sbom = image_sbom(item.planned, image, main.wheel, created=plan.source.created, extra=extra)
        (out / sbom_name(image)).write_bytes(sbom.data)
    record = ReleaseRecord(
        tag=plan.source.tag,
        created=plan.source.created,
        pins=pinned.pins,
        distributions=distributions,
        tools={**unpinned.tools, **this_tool()},
        materials={item.planned.name: item.planned.materials for item in images},
    )
    (out / "release.json").write_bytes(record.to_json())
    (out / "notes.md").write_text(_notes(tree, plan.source), encoding="utf-8")


def _require_runtimes(plan: Plan) -> None:
    if missing := plan.missing_runtimes:
        keys = ", ".join(f"{image.name} (runtime-{image.runtime_key} in {image.repository})" for image in missing)
        raise ReleaseError(f"the plan has no runtime for {keys}", remedy="kfp-release runtime, then plan again")
    if missing := plan.missing_sboms:
        keys = ", ".join(f"runtime-{image.runtime_key} in {image.repository}" for image in missing)
        raise ReleaseError(f"the plan has no SBOM of {keys}", remedy="kfp-release runtime, then plan again")


def _require_ours(target: Path) -> None:
    """Refuse to replace a folder that holds something else than an earlier build."""
    if target.is_dir() and any(target.iterdir()) and not (target / "release.json").is_file():
        raise ReleaseError(
            f"{target} holds files that are no earlier build", remedy="empty it, or give another folder with --output"
        )


def _images(plan: Plan, config: Config, wheel: Wheel) -> list[_VersionImage]:
    layers = {
        interpreter: package_layer(wheel, package=config.package, interpreter=interpreter)
        for interpreter in {planned.interpreter for planned in plan.images}
    }
    return [_version_image(planned, plan, config, layers[planned.interpreter]) for planned in plan.images]


def _version_image(planned: PlannedImage, plan: Plan, config: Config, layer: Layer) -> _VersionImage:
    if planned.runtime is None:  # pragma: no cover - `_require_runtimes` has refused it
        raise ReleaseError(f"image {planned.name} has no runtime")
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


def _pinned(plan: Plan, tree: Path, images: Sequence[_VersionImage]) -> PinnedPackage:
    source = plan.source
    pins = Pins(
        distribution=plan.distribution,
        version=source.version,
        commit=source.commit,
        images=tuple(
            PinnedImage(
                name=item.planned.name,
                declared=item.planned.declared,
                pin=str(ImageRef(item.planned.repository, source.version.image_tag, item.image.manifest.digest)),
                runtime_key=item.planned.runtime_key,
                platform=item.planned.platform,
            )
            for item in images
        ),
        components=(),
    )
    return pinned_package(tree, pins=pins, version=str(source.version), commit=source.commit)


def _write(pair: Pair, out: Path, created: int) -> Iterator[Distribution]:
    """Write both files, the wheel last, for that is the order of their upload."""
    for filename, data in (
        (pair.sdist.filename, pair.sdist.to_bytes(created)),
        (pair.wheel.filename, pair.wheel.to_bytes()),
    ):
        (out / filename).write_bytes(data)
        yield Distribution(pair.project, filename, Digest.of(data).hex, len(data))


def _write_layout(path: Path, images: Sequence[_VersionImage]) -> None:
    """The images without the runtimes' layers, which ECR has."""
    layout = Layout.create(path)
    for item in images:
        layout.add(item.image, name=item.planned.name)
        layout.write_blob(item.layer.data)


def _notes(tree: Path, source: Source) -> str:
    """The CHANGELOG section of the version, of a snapshot, which needs none, a line that says what it is."""
    if source.version.is_snapshot:
        return f"Snapshot {source.version} of commit {source.commit}.\n"
    path = tree / CHANGELOG
    section = Changelog.parse(path.read_text(encoding="utf-8")).section(source.version) if path.is_file() else None
    return section.body.strip() + "\n" if section else f"Version {source.version} of commit {source.commit}.\n"
