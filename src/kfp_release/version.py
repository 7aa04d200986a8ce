"""Versions: a git tag, a distribution's version and an image tag, which are one and the same thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from packaging.version import Version

from kfp_release.errors import ReleaseError

_LONGEST = 128
"""Letters. It becomes an image's tag."""


class BadVersion(ReleaseError):
    """A tag or version that no release can have."""


@dataclass(frozen=True, slots=True, order=True)
class ReleaseVersion:
    """What is released: a version of PEP 440, either of a tag or of a snapshot (``1.3.dev4+gabc1234``)."""

    version: Version

    @classmethod
    def from_tag(cls, tag: str) -> Self:
        """The version of a release's tag.

        Raise `BadVersion` unless `tag` is exactly ``v`` and the normal form of a version without epoch, dev and local
        part.
        """
        version = _version(tag[1:]) if tag.startswith("v") else None
        if version is None:
            raise BadVersion(
                f"{tag[:120]!r} is not a release tag", remedy="a release tag is v and a version: v1.2, v1.10, v2.0rc1"
            )
        if version.epoch or version.is_devrelease or version.local:
            raise BadVersion(
                f"tag {tag[:120]!r} has an epoch, a dev or a local part",
                remedy=f"a release is a final or pre-release version, such as v{_plain(version)}; "
                "a commit without a tag is published with --snapshot",
            )
        if tag != f"v{version}":
            raise BadVersion(f"tag {tag[:120]!r} is not in the normal form of PEP 440", remedy=f"git tag v{version}")
        return cls(version)

    @classmethod
    def of_tag(cls, tag: str) -> Self | None:
        """As `from_tag`; None for a tag of something else."""
        try:
            return cls.from_tag(tag)
        except BadVersion:
            return None

    @classmethod
    def parse(cls, text: str) -> Self:
        """The version that `text` names, with or without the ``v`` of its tag, a snapshot's too."""
        version = _version(text.removeprefix("v"))
        if version is None:
            raise BadVersion(f"{text[:120]!r} is not a version", remedy="write X.Y, as in 1.2")
        if str(version) != text.removeprefix("v"):
            raise BadVersion(f"{text[:120]!r} is not in the normal form of PEP 440", remedy=f"write {version}")
        return cls(version)

    @classmethod
    def tagged(cls, text: str, tag: str) -> Self:
        """The version `text` of the git tag `tag`, empty for a snapshot. Raise `BadVersion` where they are not one."""
        version = cls.from_tag(tag) if tag else cls.parse(text)
        if str(version) != text or version.is_snapshot == bool(tag):
            raise BadVersion(f"version {text[:120]!r} is not that of tag {tag[:120]!r}", remedy="a snapshot has none")
        return version

    @classmethod
    def of_image_tag(cls, tag: str) -> Self | None:
        """The release or snapshot whose images have this tag; None for a tag of something else."""
        try:
            version = cls.parse(tag.replace("-", "+", 1))
        except BadVersion:
            return None
        of_release = not version.version.epoch and not version.version.local
        return version if version.image_tag == tag and (of_release or version.is_snapshot) else None

    @property
    def is_snapshot(self) -> bool:
        """Whether it is of an untagged commit."""
        return self.version.is_devrelease

    @property
    def tag(self) -> str:
        """The git tag. A snapshot has none."""
        if self.is_snapshot:
            raise BadVersion(
                f"snapshot {self} has no git tag", remedy=f"name a release, such as {_plain(self.version)}"
            )
        return f"v{self.version}"

    @property
    def image_tag(self) -> str:
        """The tag of its images: the version itself, with ``-`` for the ``+`` that no image tag may have."""
        return str(self.version).replace("+", "-")

    def __str__(self) -> str:
        return str(self.version)


def delete_tag(tag: str) -> str:
    """The command that takes a git tag away, here and where it was pushed to."""
    return f"git tag -d {tag} && git push origin --delete refs/tags/{tag}"


def _version(text: str) -> Version | None:
    if len(text) > _LONGEST:
        return None
    try:
        return Version(text)
    except ValueError:  # InvalidVersion
        return None


def _plain(version: Version) -> str:
    """Its release segment alone."""
    return ".".join(map(str, version.release))
