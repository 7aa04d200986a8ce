"""One of the two that are compared: something that releases versions of a project of its own, and is measured."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from bench.child import Ran
from bench.project import tag_version
from bench.registry import Registry
from bench.runner import Runner

NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Released:
    """One release: how long it took from the tag to verified, and what arrived because of it."""

    ran: Ran
    registry: int
    """Bytes of layers, configs and manifests that were uploaded."""
    layers: int
    """Of them, without manifests."""
    index: int
    """Bytes of wheels and sdists."""
    linked: int = 0
    """Bytes of layers that the registry took from another repository of its own; they are in none of the others."""
    repositories: int = 1
    """In how many something has arrived."""

    @property
    def seconds(self) -> float:
        """Wall time."""
        return self.ran.seconds

    @property
    def bytes(self) -> int:
        """All that was uploaded."""
        return self.registry + self.index


class Side(ABC):
    """Its image goes to the repository `image` of the registry; `folder` is its own, and is made."""

    def __init__(self, folder: Path, *, image: str, registry: Registry, environ: Mapping[str, str]) -> None:
        folder.mkdir(parents=True)
        self.image = image
        self.images: tuple[str, ...] = (image,)
        """All repositories that it releases to, each beside or below `image`."""
        self.versions: list[str] = []
        """Those that are tagged, the last first."""
        self.registry = registry
        self.repository = folder / "repository"
        self.runner = Runner(folder, environ)
        self.log = folder / "log"

    def tag(self) -> str:
        """Change one component's code and tag that as the next version: 1.0, 1.1 and so on."""
        version = f"1.{len(self.versions)}"
        tag_version(self.repository, version, self.versions)
        self.versions.insert(0, version)
        return version

    def release_next(self, environ: Mapping[str, str] = NOTHING) -> Released:
        """Tag the next version and release it from a fresh clone."""
        return self.release(self.runner.clone(self.repository, f"v{self.tag()}"), environ=environ)

    def release(self, clone: Path, *, environ: Mapping[str, str] = NOTHING, ends: int = 0) -> Released:
        """Release what is checked out in `clone`, and see what has arrived. `ends` as for `bench.child.run_child`."""
        before, files = [self.registry.contents(image) for image in self.images], self.registry.index_files()
        ran = self.start(clone, environ=environ, ends=ends)
        new = [self.registry.contents(image).since(then) for image, then in zip(self.images, before, strict=True)]
        mounted = self.mounted(ran)
        blobs = [blob for contents in new for blob in contents.blobs.items()]
        layers = sum(size for digest, size in blobs if digest not in mounted)
        return Released(
            ran,
            layers + sum(size for contents in new for size in contents.manifests.values()),
            layers,
            sum(size for name, size in self.registry.index_files().items() if name not in files),
            linked=sum(size for digest, size in blobs if digest in mounted),
            repositories=sum(bool(contents.blobs or contents.manifests) for contents in new),
        )

    @abstractmethod
    def start(self, clone: Path, *, environ: Mapping[str, str], ends: int) -> Ran:
        """Run what releases."""

    def mounted(self, ran: Ran) -> set[str]:
        """Blobs that the registry took from another repository of its own, so that nobody uploaded them."""
        _ = ran
        return set()

    def forget(self) -> None:
        """Become a fresh machine: nothing is kept of any release before."""
        self.runner.forget()
