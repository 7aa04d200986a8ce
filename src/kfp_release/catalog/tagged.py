"""What git alone tells of each version: its commit, its component files, its part of the CHANGELOG."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache, cached_property

from kfp_release.changelog import CHANGELOG, section_bodies
from kfp_release.component import SUFFIXES, operator_of
from kfp_release.config import PYPROJECT, Config, declared_components
from kfp_release.desired import committed_configs
from kfp_release.errors import ReleaseError
from kfp_release.git import Git
from kfp_release.git_trees import CommittedFolder, commit_times, committed_folders
from kfp_release.version import ReleaseVersion


@dataclass(frozen=True)
class TaggedVersion:
    """A version, and what its tag leads to."""

    version: ReleaseVersion
    commit: str
    """In hex."""
    released: int
    """Its time, in seconds since 1970."""
    config: Config | None
    """None where the commit is not configured for this tool."""
    folder: CommittedFolder
    """Its component files."""

    @cached_property
    def paths(self) -> dict[str, str]:
        """The component file of each operator, as an installation finds it."""
        return {operator_of(path): path for path in sorted(self.folder.blobs, reverse=True)}

    def blob(self, operator: str) -> str | None:
        """Git's name for the bytes of its component file; None where it has none."""
        path = self.paths.get(operator)
        return None if path is None else self.folder.blobs[path]


def tagged_versions(
    git: Git, current: Config, environ: Mapping[str, str], *, built: tuple[ReleaseVersion, str] | None = None
) -> list[TaggedVersion]:
    """All versions that have a tag, the lowest first, read from git by a handful of commands, however many there are.

    One that is `built` and has no tag yet, with its commit, is one of them. `current` says where component files are
    in a commit that does not say it: a release from before this tool.
    """
    tags = {tag: at for tag, at in git.tags().items() if ReleaseVersion.of_tag(tag)}
    distinct = sorted({*tags.values(), *((built[1],) if built else ())})
    configs = committed_configs(git, distinct, current, environ)
    folders = _folders(git, distinct, configs, current.components)
    times = commit_times(git.root, distinct)
    found = committed_folders(git.root, folders, SUFFIXES)
    return [
        TaggedVersion(version, at, times.get(at, 0), configs.get(at), found[at])
        for version, at in _by_version(tags, configs, built)
        if at in configs or found[at].blobs
    ]


def changelog_sections(git: Git, tagged: Collection[TaggedVersion]) -> dict[ReleaseVersion, str]:
    """What the CHANGELOG says of each version: that of the newest branch, of the next, else that of its own tag."""
    bodies = cache(lambda data: section_bodies(data.decode(errors="replace")))  # most branches have the same
    sections: dict[ReleaseVersion, str] = {}
    for data in git.file_at(git.newest_branches(), CHANGELOG).values():
        sections = {**bodies(data), **sections}
    lacking = [one for one in tagged if one.version not in sections]
    own = git.file_at([one.commit for one in lacking], CHANGELOG)
    for one in lacking:
        if one.commit in own and (body := bodies(own[one.commit]).get(one.version)) is not None:
            sections[one.version] = body
    return sections


def _by_version(
    tags: Mapping[str, str], configs: Collection[str], built: tuple[ReleaseVersion, str] | None
) -> list[tuple[ReleaseVersion, str]]:
    """The lowest first. Of two tags that are one version, v1.2 and v1.2.0, the one that `status` takes, too."""
    found: dict[ReleaseVersion, str] = {}
    for tag in sorted(tags, key=lambda tag: (tags[tag] not in configs, tag)):
        found.setdefault(ReleaseVersion.from_tag(tag), tags[tag])
    if built is not None:
        found.setdefault(*built)
    return sorted(found.items())


def _folders(git: Git, commits: list[str], configs: Mapping[str, Config], usual: str) -> dict[str, str]:
    declared = cache(_declared)
    pyprojects = git.file_at([at for at in commits if at not in configs], PYPROJECT)
    older = {at: declared(data) for at, data in pyprojects.items()}
    return {at: configs[at].components if at in configs else older.get(at) or usual for at in commits}


def _declared(pyproject: bytes) -> str:
    try:
        return declared_components(PYPROJECT, pyproject)[1]
    except ReleaseError:
        return ""
