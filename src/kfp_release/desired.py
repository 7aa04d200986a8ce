"""What git asks for: a release for each release tag, as the configuration of its commit says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from kfp_release.config import PYPROJECT, Config
from kfp_release.desired_release import DesiredRelease
from kfp_release.distributions import name_in, project_name
from kfp_release.errors import ReleaseError
from kfp_release.git import Git
from kfp_release.settings import REGISTRY
from kfp_release.version import ReleaseVersion
from kfp_release.withdrawn import withdrawn_versions

_NO_VERSION = ReleaseVersion.parse("0")


@dataclass(frozen=True, slots=True)
class Desired:
    """What git asks for."""

    releases: tuple[DesiredRelease, ...]
    foreign: tuple[ReleaseVersion, ...]
    """Versions whose tags are of commits without ``[tool.kfp-release]``: what was released before, or otherwise."""
    checkout: DesiredRelease
    """What the checkout's configuration names, of no version."""
    withdrawn: Mapping[ReleaseVersion, str]
    """The withdrawn versions, and a branch that says so."""

    def without_tag(self, version: ReleaseVersion) -> DesiredRelease:
        """What a version that no tag asks for would be: nobody knows better than the checkout."""
        return replace(self.checkout, version=version, withdrawn=self.withdrawn.get(version, ""))


def desired_releases(git: Git, config: Config, environ: Mapping[str, str]) -> Desired:
    """Read all release tags of `git`. `config` is the checkout's; of `environ` the registry alone counts.

    A commit's configuration that this version of the tool cannot read is taken to be the checkout's.
    """
    commits = {tag: at for tag, at in sorted(git.tags().items()) if ReleaseVersion.of_tag(tag)}
    withdrawn = withdrawn_versions(git)
    configs = committed_configs(git, sorted(set(commits.values())), config, environ)
    names = _project_names(git, configs)
    releases: list[DesiredRelease] = []
    foreign: list[ReleaseVersion] = []
    for version, (tag, *equal) in _by_version(sorted(commits, key=lambda tag: commits[tag] not in configs)):
        if (at := commits[tag]) in configs:
            release = _release(version, at, configs[at], names[at], withdrawn.get(version, ""))
            releases.append(replace(release, equal_tags=tuple(equal)))
        else:
            foreign.append(version)
    here = tuple(project_name(git.root / folder) for folder in config.extra_projects)
    return Desired(
        releases=tuple(releases),
        foreign=tuple(foreign),
        checkout=_release(_NO_VERSION, "", config, here, ""),
        withdrawn=withdrawn,
    )


def _by_version(tags: Iterable[str]) -> list[tuple[ReleaseVersion, list[str]]]:
    """The lowest first; each is written as the first of its tags is, for v1.2 and v1.2.0 are one version."""
    found: dict[ReleaseVersion, list[str]] = {}
    for tag in tags:
        found.setdefault(ReleaseVersion.from_tag(tag), []).append(tag)
    return sorted(found.items())


def _release(
    version: ReleaseVersion, commit: str, config: Config, extra: tuple[str, ...], withdrawn: str
) -> DesiredRelease:
    images = tuple((image.name, image.repository) for image in config.images)
    return DesiredRelease(version, commit, config.distribution, extra, images, withdrawn)


def committed_configs(
    git: Git, commits: Sequence[str], current: Config, environ: Mapping[str, str]
) -> dict[str, Config]:
    """By commit, of those that are configured for this tool; `current` where it cannot be read by this version of it.

    Of `environ` the registry alone counts.
    """
    registry = {name: environ[name] for name in (REGISTRY,) if name in environ}

    @cache  # most commits have the same
    def parsed(data: bytes) -> Config | None:
        try:
            return Config.parse(data, registry)
        except ReleaseError:
            return current if b"tool.kfp-release" in data else None

    files = git.file_at(commits, PYPROJECT)
    return {at: config for at, data in files.items() if (config := parsed(data)) is not None}


def _project_names(git: Git, configs: Mapping[str, Config]) -> dict[str, tuple[str, ...]]:
    """The names of the extra projects, by commit; a folder without a project cannot have been released."""
    name = cache(name_in)
    found: dict[str, tuple[str, ...]] = dict.fromkeys(configs, ())
    for folder in sorted({folder for config in configs.values() for folder in config.extra_projects}):
        path = f"{folder}/{PYPROJECT}"
        commits = [at for at, config in configs.items() if folder in config.extra_projects]
        for at, data in git.file_at(commits, path).items():
            try:
                found[at] += (name(path, data),)
            except ReleaseError:
                continue
    return found
