"""In which version each component came, changed and went."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from kfp_release.catalog.model import CatalogEvent, EventKind
from kfp_release.catalog.upgrade import Upgrade
from kfp_release.interface_change import ChangeKind, InterfaceChange
from kfp_release.version import ReleaseVersion

_OF_ALL = {ChangeKind.OPERATOR_ADDED, ChangeKind.OPERATOR_REMOVED}
"""What the kind of the event says already."""

History = Mapping[str, tuple[CatalogEvent, ...]]
"""By operator, the newest event first."""


def previous_version(version: ReleaseVersion, out: Collection[ReleaseVersion]) -> ReleaseVersion | None:
    """The version before it, which people may have: of those that are `out`, the next lower one.

    Before a final version that is a final one, if there is one.
    """
    lower = [one for one in out if one < version]
    finals = [] if version.version.is_prerelease else [one for one in lower if not one.version.is_prerelease]
    return max(finals or lower, default=None)


def histories(upgrades: Sequence[Upgrade], out: Collection[ReleaseVersion]) -> History:
    """Of all components that any version has or had; `upgrades` are in the order of the versions.

    A pre-release counts until its final version is `out`, and what is not out does not count: but for components that
    are in no other version.
    """
    finals = {one.version.release for one in out if not one.version.is_prerelease}
    counted = [
        one
        for one in upgrades
        if (version := one.tagged.version) in out
        and not (version.version.is_prerelease and version.version.release in finals)
    ]
    return {**_events(upgrades), **_events(counted)}


def _events(upgrades: Iterable[Upgrade]) -> dict[str, tuple[CatalogEvent, ...]]:
    found: dict[str, tuple[CatalogEvent, ...]] = {}
    for upgrade in upgrades:
        for operator, event in _of_one(upgrade):
            found[operator] = (event, *found.get(operator, ()))
    return found


def _of_one(upgrade: Upgrade) -> Iterator[tuple[str, CatalogEvent]]:
    version = upgrade.tagged.version
    now, was = upgrade.tagged.paths, upgrade.previous.paths if upgrade.previous else {}
    changes: dict[str, list[InterfaceChange]] = {}
    for change in upgrade.changes:
        if change.kind not in _OF_ALL:
            changes.setdefault(change.operator, []).append(change)
        if change.kind is ChangeKind.OPERATOR_RENAMED:
            changes.setdefault(change.after, []).append(change)
    for operator in sorted({*now, *was}):
        told = tuple(changes.get(operator, ()))
        if operator not in was:
            yield operator, CatalogEvent(version, EventKind.CAME, told)
        elif operator not in now:
            yield operator, CatalogEvent(version, EventKind.WENT, told)
        elif told:
            yield operator, CatalogEvent(version, EventKind.CHANGED, told)
