"""What a version should be: the images and projects that the configuration of its commit names."""

from __future__ import annotations

from dataclasses import dataclass

from kfp_release.image_ref import Repository
from kfp_release.version import ReleaseVersion


@dataclass(frozen=True, slots=True)
class DesiredRelease:
    """One version. `commit` is that of its git tag, in hex; empty where no tag asks for it."""

    version: ReleaseVersion
    commit: str
    distribution: str
    """The project whose wheel and sdist pin the images."""
    extra_projects: tuple[str, ...]
    images: tuple[tuple[str, Repository], ...]
    """Each owned image's name, and where it is pulled from."""
    withdrawn: str = ""
    """A branch whose CHANGELOG withdraws it; empty where none does."""
    equal_tags: tuple[str, ...] = ()
    """Other git tags of the same version, such as v1.2.0 beside v1.2: which of them asks for it, nobody can tell."""

    @property
    def projects(self) -> tuple[str, ...]:
        """All of them, the one that pins the images first."""
        return (self.distribution, *self.extra_projects)
