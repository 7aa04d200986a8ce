"""The catalog, joined of what git has and what is seen of each version. Asks nobody for anything but blobs of git."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from kfp_release.catalog.described import Place, described, takers
from kfp_release.catalog.facts import Facts
from kfp_release.catalog.history import History, histories, previous_version
from kfp_release.catalog.image_model import CatalogImage
from kfp_release.catalog.images import PROVENANCE, SBOM, layers_of
from kfp_release.catalog.model import Catalog, CatalogComponent, CatalogVersion
from kfp_release.catalog.public import PublicImage, PublicVersion
from kfp_release.catalog.snippet import Snippets
from kfp_release.catalog.tagged import TaggedVersion
from kfp_release.catalog.upgrade import Blobs, Upgrade, upgrades
from kfp_release.component import ComponentFile
from kfp_release.config import Config
from kfp_release.digest import Digest
from kfp_release.errors import Problems
from kfp_release.version import ReleaseVersion
from kfp_release.version_bump import needed_bump

AboveBase = Callable[[ReleaseVersion, str], int]
"""How many layers the Dockerfile of a version's image, by its name, puts on its base."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """All that there is to join: by version, what git has, what is seen, and what the CHANGELOG says."""

    config: Config
    tagged: Mapping[ReleaseVersion, TaggedVersion]
    public: Mapping[ReleaseVersion, PublicVersion]
    sections: Mapping[ReleaseVersion, str]
    above_base: AboveBase
    blobs: Blobs
    is_offline: bool
    folder: str
    """Where the project is in the repository, as the catalog has it."""

    @property
    def out(self) -> list[ReleaseVersion]:
        """The versions with a tag that people may have, the lowest first."""
        return [version for version in sorted(self.tagged) if self.public[version].is_out]


def assemble(gathered: Gathered, *, pip: str, facts: Facts) -> Catalog:
    """The catalog of all versions, which are those of `gathered.public`."""
    out = gathered.out
    before = {version: previous_version(version, out) for version in sorted(gathered.public)}
    pairs = [(one, _of(gathered.tagged, before[version])) for version, one in sorted(gathered.tagged.items())]
    found = upgrades(pairs, blobs=gathered.blobs, facts=facts)
    versions = [
        _version(version, gathered, found, before[version]) for version in sorted(gathered.public, reverse=True)
    ]
    catalog = Catalog(
        distribution=gathered.config.distribution,
        package=gathered.config.package,
        source=gathered.config.source,
        pip=pip,
        versions=tuple(versions),
        components=(),
        is_offline=gathered.is_offline,
        folder=gathered.folder,
    )
    history = histories([found[one.version] for one, _ in pairs], out)
    newest = catalog.newest.version if catalog.newest else None
    return replace(catalog, components=tuple(_Components(gathered, found, history, newest).all()))


def _of(tagged: Mapping[ReleaseVersion, TaggedVersion], version: ReleaseVersion | None) -> TaggedVersion | None:
    return None if version is None else tagged[version]


def _version(
    version: ReleaseVersion,
    gathered: Gathered,
    found: Mapping[ReleaseVersion, Upgrade],
    before: ReleaseVersion | None,
) -> CatalogVersion:
    public, upgrade = gathered.public[version], found.get(version)
    changes = upgrade.changes if upgrade else ()
    is_breaking = any(change.is_breaking for change in changes)
    unreadable = dict(sorted(upgrade.unreadable.items())) if upgrade else {}
    there = _layers(gathered.public[before]) if before else ()
    if upgrade:
        components = [operator for operator in sorted(upgrade.tagged.paths) if operator not in unreadable]
    else:
        components = sorted(public.pins)
    return CatalogVersion(
        version=version,
        commit=upgrade.tagged.commit if upgrade else "",
        released=upgrade.tagged.released if upgrade else 0,
        state=public.state,
        withdrawn_by=public.withdrawn_by,
        findings=public.findings,
        remedies=public.remedies,
        changelog=gathered.sections.get(version, ""),
        images=tuple(_image(image, gathered.above_base(version, image.name), there) for image in public.images),
        files=public.files,
        components=tuple(components),
        previous=before,
        changes=changes,
        bump=needed_bump(before, is_changed=bool(changes), is_breaking=is_breaking),
        unreadable=tuple(unreadable.values()),
        uncompared=tuple(unreadable),
    )


def _layers(public: PublicVersion) -> Sequence[Digest]:
    """What a node has that ran it."""
    return [layer.digest for image in public.images if image.manifest for layer in image.manifest.layers]


def _image(image: PublicImage, above_base: int, before: Iterable[Digest]) -> CatalogImage:
    manifest, is_packaged = image.manifest, bool(image.runtime_key)
    return CatalogImage(
        name=image.name,
        repository=image.repository,
        tag=image.tag,
        digest=image.digest,
        runtime_key=image.runtime_key,
        platform=image.platform,
        layers=layers_of(manifest, is_packaged=is_packaged, above_base=above_base, before=before) if manifest else (),
        sbom=image.evidence.get(SBOM),
        provenance=image.evidence.get(PROVENANCE),
        scan=image.scan,
        is_evidence_known=image.is_evidence_known,
    )


class _Components:
    """The components of all versions, each as the last version has it that does."""

    def __init__(
        self,
        gathered: Gathered,
        found: Mapping[ReleaseVersion, Upgrade],
        history: History,
        newest: ReleaseVersion | None,
    ) -> None:
        self._gathered = gathered
        self._history = history
        self._newest = newest
        self._homes = self._found_homes(found)
        self._files = self._parsed()
        current = [file for name, file in self._files.items() if self._homes[name].version == newest]
        self._taking = takers(current)
        self._snippets = Snippets(gathered.config.package, current)

    def all(self) -> list[CatalogComponent]:
        """By name: those of the newest version, those that are coming, those that are gone."""
        found = [self._described(operator) for operator in sorted(self._files)]
        return sorted(found, key=lambda component: (component.is_gone, component.is_coming))

    def _found_homes(self, found: Mapping[ReleaseVersion, Upgrade]) -> dict[str, TaggedVersion]:
        """The newest version if it has the component; else the last one before it, else the last one after it.

        Those first that people may have.
        """
        newest, out = self._newest, set(self._gathered.out)

        def order(version: ReleaseVersion) -> tuple[bool, bool, bool, ReleaseVersion]:
            is_after = newest is not None and version > newest
            return version == newest, version in out, not is_after, version

        homes: dict[str, TaggedVersion] = {}
        for version in sorted(found, key=order):
            upgrade = found[version]
            homes |= {name: upgrade.tagged for name in upgrade.tagged.paths if name not in upgrade.unreadable}
        return homes

    def _parsed(self) -> dict[str, ComponentFile]:
        paths = {name: home.paths[name] for name, home in self._homes.items()}
        wanted = {name: home.folder.blobs[paths[name]] for name, home in self._homes.items()}
        data = self._gathered.blobs(wanted.values())
        found = {}
        for name, blob in wanted.items():
            with suppress(Problems):  # where what was kept says otherwise
                found[name] = ComponentFile.parse(paths[name], data[blob])
        return found

    def _described(self, operator: str) -> CatalogComponent:
        home, file, newest = self._homes[operator], self._files[operator], self._newest
        config = home.config or self._gathered.config
        is_current = home.version == newest
        snippets = self._snippets if is_current else Snippets(config.package, [file])
        place = Place(
            version=home.version,
            config=config,
            pins=self._gathered.public[home.version].pins.get(operator, ()),
            snippet=snippets.of(operator),
            history=self._history.get(operator, ()),
            is_gone=newest is not None and home.version < newest,
            is_coming=newest is not None and home.version > newest,
        )
        return described(file, place, self._taking)
