"""What the sandbox's registry and index hold, read from their folders: what arrived, whoever sent it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_HEX = 2


@dataclass(frozen=True, slots=True)
class Contents:
    """Of one repository: bytes by digest, and the manifest's digest by tag."""

    blobs: Mapping[str, int]
    """Layers and configs."""
    manifests: Mapping[str, int]
    tags: Mapping[str, str]

    def since(self, before: Contents) -> Contents:
        """What has come since."""
        blobs, manifests, tags = (
            {key: value for key, value in now.items() if key not in then}
            for now, then in ((self.blobs, before.blobs), (self.manifests, before.manifests), (self.tags, before.tags))
        )
        return Contents(blobs, manifests, tags)  # type: ignore[arg-type] # a tag's value is text, the others' are numbers


@dataclass(frozen=True, slots=True)
class Registry:
    """The registry of the sandbox in `sandbox`. Source of the paths: distribution's storage driver layout."""

    sandbox: Path

    def contents(self, repository: str) -> Contents:
        """What `repository` holds. A layer that was mounted from another repository is one of its blobs, too."""
        home = self._repositories / repository
        blobs = {path.parent.name: 0 for path in home.glob("_layers/sha256/*/link")}
        manifests = {path.parent.name: 0 for path in home.glob("_manifests/revisions/sha256/*/link")}
        links = home.glob("_manifests/tags/*/current/link")
        tags = {path.parent.parent.name: path.read_text().strip().removeprefix("sha256:") for path in links}
        return Contents(self._sized(blobs), self._sized(manifests), tags)

    def manifest(self, repository: str, tag: str) -> dict[str, Any]:
        """The manifest behind a tag."""
        digest = self.contents(repository).tags[tag]
        value: dict[str, Any] = json.loads(self._blob(digest).read_bytes())
        return value

    def forget(self, *repositories: str) -> None:
        """Remove repositories and their blobs, which no other one shares, so that a disk does not fill."""
        for contents in [self.contents(repository) for repository in repositories]:
            for digest in (*contents.blobs, *contents.manifests):
                shutil.rmtree(self._blob(digest).parent, ignore_errors=True)
        for repository in repositories:
            shutil.rmtree(self._repositories / repository)

    def index_files(self) -> dict[str, int]:
        """Bytes by file name of all wheels and sdists on the index."""
        return {path.name: path.stat().st_size for path in (self.sandbox / "index" / "packages").iterdir()}

    @property
    def _repositories(self) -> Path:
        return self.sandbox / "registry/storage/docker/registry/v2/repositories"

    def _blob(self, digest: str) -> Path:
        return self._repositories.parent / "blobs/sha256" / digest[:_HEX] / digest / "data"

    def _sized(self, digests: Mapping[str, int]) -> dict[str, int]:
        return {digest: self._blob(digest).stat().st_size for digest in digests}
