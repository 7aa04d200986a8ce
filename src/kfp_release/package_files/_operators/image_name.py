"""Names of images, and the registries that they are on."""

from __future__ import annotations

import re
from typing import NamedTuple

_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_HOST = re.compile(rf"(?:localhost|{_LABEL}(?:\.{_LABEL})+|\[[0-9a-fA-F:]+\])(?::(?P<port>[0-9]{{1,5}}))?", re.ASCII)
_MOST_PORT = 65535
MOST_LETTERS = 255
"""Of a repository, with its host."""
_NAME = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class BadRegistry(ValueError):
    """A text that should have named a registry does not."""


class ImageName(NamedTuple):
    """One image as a pipeline names it: ``repository[:tag][@digest]``; what is not there is empty."""

    repository: str
    """With its host, where it names one."""
    tag: str
    digest: str
    """``sha256:`` and 64 hex digits."""

    @classmethod
    def parse(cls, text: str) -> ImageName:
        """Any text is the name of some image."""
        name, _, digest = text.partition("@")
        head, colon, tag = name.rpartition(":")
        repository, tag = (head, tag) if colon and "/" not in tag else (name, "")
        return cls(repository, tag, digest if name and _DIGEST.fullmatch(digest) else "")

    @property
    def host(self) -> str:
        """The registry's; empty where it names none."""
        return self.repository.removesuffix(path_of(self.repository)).removesuffix("/")

    @property
    def path(self) -> str:
        """The repository without its host."""
        return path_of(self.repository)

    def at(self, repository: str) -> str:
        """The image of the same tag and digest in another repository."""
        return f"{repository}{f':{self.tag}' if self.tag else ''}{f'@{self.digest}' if self.digest else ''}"


class Registry(NamedTuple):
    """Where repositories are, ``HOST[:PORT][/PREFIX]``: a mirror, another account, a pull-through cache."""

    host: str
    prefix: str

    @classmethod
    def parse(cls, text: str) -> Registry:
        """Raise `BadRegistry` unless `text` is ``HOST[:PORT][/PREFIX]``."""
        host, slash, prefix = text.partition("/")
        if len(text) > MOST_LETTERS or not is_host(host) or (slash and not is_path(prefix)):
            raise BadRegistry(
                f"{text[:120]!r} is not a registry: write HOST or HOST/PREFIX, as in "
                "533211398604.dkr.ecr.eu-west-1.amazonaws.com, without https://"
            )
        return cls(host, prefix)

    def repository(self, path: str) -> str:
        """The repository of that path here, below the prefix. Raise `BadRegistry` where its name becomes too long."""
        name = f"{self}/{path}"
        if len(name) > MOST_LETTERS:
            raise BadRegistry(f"{name[:120]!r}… has {len(name)} letters, and a repository has {MOST_LETTERS} at most")
        return name

    def __str__(self) -> str:
        return f"{self.host}/{self.prefix}" if self.prefix else self.host


def path_of(repository: str) -> str:
    """A repository without its host."""
    host, slash, path = repository.partition("/")
    return path if slash and is_host(host) else repository


def is_path(text: str) -> bool:
    """Whether it can be that of a repository, or begin one. Source: distribution's reference grammar."""
    return _NAME.fullmatch(text) is not None


def is_host(text: str) -> bool:
    """Whether it can be a registry's. Docker takes a word without a dot, but ``localhost``, for a part of the path."""
    found = _HOST.fullmatch(text) if len(text) <= MOST_LETTERS else None
    return found is not None and int(found["port"] or 0) <= _MOST_PORT
