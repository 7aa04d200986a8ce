"""Names of images: a registry, a repository, and a repository with tag and digest."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Self

from kfp_release.digest import Digest
from kfp_release.errors import ReleaseError
from kfp_release.package_files._operators.image_name import MOST_LETTERS, ImageName, is_host, is_path

_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)
_ECR = re.compile(r"(\d{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)", re.ASCII)


class BadImageName(ReleaseError):
    """A text that should have named an image or a repository does not."""


@dataclass(frozen=True, slots=True, order=True)
class Repository:
    """One repository of a registry, ``host/name``; the account and the region are read from an ECR host.

    Source: distribution's reference grammar; the host is required here.
    """

    host: str
    name: str
    account: str | None = field(default=None, compare=False)
    region: str | None = field(default=None, compare=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raise `BadImageName` unless `text` is ``host/name`` without tag and digest."""
        host, slash, name = text.partition("/")
        if len(text) > MOST_LETTERS or not slash or not is_host(host) or not is_path(name):
            raise BadImageName(
                f"{text[:120]!r} is not a repository",
                remedy="write it as <account>.dkr.ecr.<region>.amazonaws.com/<name>, without a tag",
            )
        ecr = _ECR.fullmatch(host)
        return cls(host, name, ecr[1] if ecr else None, ecr[2] if ecr else None)

    @classmethod
    def tagged(cls, text: str) -> tuple[Self, str]:
        """The repository and the tag of ``repository:tag``. Raise `BadImageName` for anything else."""
        name, colon, tag = text.rpartition(":")
        if not colon:
            raise BadImageName(f"{text[:200]!r} has no image tag", remedy="write repository:tag")
        _require_tag(tag)
        return cls.parse(name), tag

    def at_host(self, host: str) -> Repository:
        """The repository of the same name on another host; account and region are as `at_registry` has them."""
        if not is_host(host):
            raise BadImageName(f"{host[:120]!r} is not a registry host", remedy="write host or host:port")
        return self.at_registry(Registry(host))

    def at_registry(self, registry: Registry) -> Repository:
        """The same repository on `registry`: below its prefix where it has one.

        Account and region are those of an ECR host; of another host, as the sandbox's, they stay what they were.
        Raise `BadImageName` where the name becomes too long.
        """
        name = f"{registry.prefix}/{self.name}" if registry.prefix else self.name
        there = Repository.parse(f"{registry.host}/{name}")
        return there if there.is_at_ecr else Repository(there.host, there.name, self.account, self.region)

    @property
    def is_at_ecr(self) -> bool:
        """Whether the host itself tells of the account and the region, as those of ECR do."""
        return _ECR.fullmatch(self.host) is not None

    def is_same(self, other: Repository) -> bool:
        """Whether both are one repository; FIPS and dual-stack hosts are other names of one registry."""
        return self.name == other.name and _registry(self.host) == _registry(other.host)

    def __str__(self) -> str:
        return f"{self.host}/{self.name}"


@dataclass(frozen=True, slots=True, order=True)
class Registry:
    """Where repositories are, ``host`` or ``host/prefix``: a mirror, another account, a pull-through cache."""

    host: str
    prefix: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raise `BadImageName` unless `text` is ``HOST[:PORT][/PREFIX]``."""
        host, slash, prefix = text.partition("/")
        if len(text) > MOST_LETTERS or not is_host(host) or (slash and not is_path(prefix)):
            raise BadImageName(
                f"{text[:120]!r} is not a registry",
                remedy="write HOST or HOST/PREFIX, as in 533211398604.dkr.ecr.eu-west-1.amazonaws.com, without https://",
            )
        return cls(host, prefix)

    def __str__(self) -> str:
        return f"{self.host}/{self.prefix}" if self.prefix else self.host


@dataclass(frozen=True, slots=True, order=True)
class ImageRef:
    """``repository:tag@sha256:…``, the only thing that can be pinned. The digest makes it exact."""

    repository: Repository
    tag: str
    digest: Digest

    def __post_init__(self) -> None:
        _require_tag(self.tag)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raise `BadImageName` or `BadDigest` unless `text` has repository, tag and digest."""
        name, at, digest = text.partition("@")
        _, colon, tag = name.rpartition(":")
        if not at or not colon or "/" in tag:
            raise BadImageName(f"{text[:200]!r} lacks a tag or a digest", remedy="write repository:tag@sha256:…")
        return cls(*Repository.tagged(name), Digest.parse(digest))

    def __str__(self) -> str:
        return f"{self.repository}:{self.tag}@{self.digest}"


def has_digest(image: str) -> bool:
    """Whether the text of any image, ``python:3.12@sha256:…``, names exact bytes."""
    return bool(ImageName.parse(image).digest)


def repository_of(image: str) -> str:
    """The text of any image without tag and digest."""
    return ImageName.parse(image).repository


def _registry(host: str) -> tuple[str | None, ...]:
    """What hosts of one registry have in common."""
    ecr = _ECR.fullmatch(host)
    return ecr.groups() if ecr else (host,)


def _require_tag(text: str) -> None:
    if not _TAG.fullmatch(text):
        raise BadImageName(f"{text[:140]!r} is not an image tag", remedy="letters, digits, _ . - and 128 at most")
