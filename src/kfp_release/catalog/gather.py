"""What a catalog shows, gathered from git tags, the index and ECR; or from git and a built ``dist/`` alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path

from kfp_release.built import BuiltRelease
from kfp_release.catalog.assembly import AboveBase, Gathered, assemble
from kfp_release.catalog.facts import Facts
from kfp_release.catalog.images import StoredImages, ask_images, by_repository, layers_above_base
from kfp_release.catalog.kept_files import kept_reader
from kfp_release.catalog.model import Catalog
from kfp_release.catalog.offline import of_built
from kfp_release.catalog.pip_line import pip_of
from kfp_release.catalog.public import PublicVersion, of_row, of_tag
from kfp_release.catalog.tagged import TaggedVersion, changelog_sections, tagged_versions
from kfp_release.config import Config
from kfp_release.ecr import EcrRepository
from kfp_release.errors import ReleaseError
from kfp_release.git import Git
from kfp_release.git_trees import committed_blobs, folder_in_repository
from kfp_release.image_ref import Repository
from kfp_release.progress import Progress
from kfp_release.record import Pins
from kfp_release.released_files import PackageIndex
from kfp_release.scan_rules import ScanRules
from kfp_release.source import refuse_shallow
from kfp_release.status import Status, status
from kfp_release.version import ReleaseVersion
from kfp_release.withdrawn import withdrawn_versions


def gather(
    project: Path,
    config: Config,
    *,
    environ: Mapping[str, str],
    stores: Callable[[Repository], EcrRepository],
    index: PackageIndex,
    facts: Facts,
    progress: Progress,
) -> Catalog:
    """The catalog of all versions: of those with a release tag, and of those that are public without one.

    Snapshots are none. Of what `facts` know nobody is asked again. Raise `ReleaseError` as `status` does.
    """
    git = Git(project)
    seen = status(
        project,
        config,
        environ=environ,
        stores=stores,
        index=index,
        progress=progress,
        read=kept_reader(facts),
        scan=ScanRules(),
    )
    progress.step("look at layers, SBOMs and provenance")
    stored = _stored(seen, stores, facts, progress)
    progress.step("compare the interfaces")
    tagged = {one.version: one for one in tagged_versions(git, config, environ)}
    configs = {version: one.config for version, one in tagged.items()}
    rows = [row for row in seen.rows if not row.version.is_snapshot]
    public = {row.version: of_row(row, configs.get(row.version), stored) for row in rows}
    public |= {version: of_tag(one, "") for version, one in tagged.items() if version not in public}
    return assemble(_gathered(git, config, tagged, public), pip=pip_of(config.index), facts=facts)


def gather_offline(
    project: Path,
    config: Config,
    *,
    environ: Mapping[str, str],
    built: BuiltRelease | None,
    facts: Facts,
    progress: Progress,
) -> Catalog:
    """The catalog of what git has, and of one version that is `built`; nobody is asked for anything else."""
    git = Git(project)
    progress.step("look at git")
    refuse_shallow(git)
    pins = built.record.pins if built else None
    untagged = (pins.version, _require_commit(git, pins)) if pins else None
    tagged = {one.version: one for one in tagged_versions(git, config, environ, built=untagged)}
    withdrawn = withdrawn_versions(git)
    public = {version: of_tag(one, withdrawn.get(version, "")) for version, one in tagged.items()}
    if built is not None:
        public[built.record.pins.version] = of_built(built, config.distribution)
    progress.step("compare the interfaces")
    gathered = _gathered(git, config, tagged, public, is_offline=True)
    return assemble(gathered, pip=pip_of(config.index), facts=facts)


def _require_commit(git: Git, pins: Pins) -> str:
    """The commit that it was built from, if this repository has it."""
    if git.resolve(pins.commit) != pins.commit:
        raise ReleaseError(
            f"{pins.distribution} {pins.version} was built from commit {pins.commit}, which this clone does not have",
            remedy="git fetch --all --tags, or name the folder of another build with --dist",
        )
    return pins.commit


def _gathered(
    git: Git,
    config: Config,
    tagged: Mapping[ReleaseVersion, TaggedVersion],
    public: Mapping[ReleaseVersion, PublicVersion],
    *,
    is_offline: bool = False,
) -> Gathered:
    def blobs(names: Iterable[str]) -> Mapping[str, bytes]:
        return dict(committed_blobs(git.root, names))

    return Gathered(
        config=config,
        tagged=tagged,
        public=public,
        sections=changelog_sections(git, tagged.values()),
        above_base=_above_base(git, tagged),
        blobs=blobs,
        is_offline=is_offline,
        folder=folder_in_repository(git.root),
    )


def _stored(
    seen: Status, stores: Callable[[Repository], EcrRepository], facts: Facts, progress: Progress
) -> dict[Repository, StoredImages]:
    images = [
        (image.repository, image.digest)
        for row in seen.rows
        if not row.version.is_snapshot
        for image in row.images
        if image.digest is not None
    ]
    wanted = by_repository(images)
    return {at: ask_images(stores(at), digests, facts=facts, progress=progress) for at, digests in wanted.items()}


def _above_base(git: Git, tagged: Mapping[ReleaseVersion, TaggedVersion]) -> AboveBase:
    count = cache(layers_above_base)  # most commits have the same
    paths = {image.dockerfile for one in tagged.values() if one.config for image in one.config.images}
    commits = [one.commit for one in tagged.values() if one.config]
    files = {path: git.file_at(commits, path) for path in sorted(paths)}

    def above_base(version: ReleaseVersion, name: str) -> int:
        one = tagged.get(version)
        images = [image for image in one.config.images if image.name == name] if one and one.config else []
        data = files[images[0].dockerfile].get(one.commit, b"") if one and images else b""
        return count(data.decode(errors="replace"))

    return above_base
