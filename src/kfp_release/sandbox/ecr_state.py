"""What the ECR stand-in remembers: repositories and the images in them, in one JSON file."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kfp_release.errors import ReleaseError


@dataclass(slots=True)
class StoredImage:
    """One image. `size` is in bytes, `pushed_at` in seconds since 1970; `blobs` are its config and layers.

    `subject` is the digest of what an artifact refers to, empty for an image; `manifest_size` counts its manifest.
    `scan` is what DescribeImageScanFindings answers of it; nothing where there was no scan.
    """

    digest: str
    media_type: str
    size: int
    pushed_at: float
    blobs: list[str]
    tags: list[str] = field(default_factory=list)
    status: str = "ACTIVE"
    artifact_type: str = ""
    subject: str = ""
    manifest_size: int = 0
    annotations: dict[str, str] = field(default_factory=dict)
    scan: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class StoredRepository:
    """One repository; `exclusions` are ECR's ``imageTagMutabilityExclusionFilters``."""

    name: str
    created_at: float
    mutability: str = "MUTABLE"
    exclusions: list[dict[str, str]] = field(default_factory=list)
    lifecycle_policy: str | None = None
    images: dict[str, StoredImage] = field(default_factory=dict)

    def tagged(self, tag: str) -> StoredImage | None:
        """The image that `tag` names."""
        # A copy, for another thread may add one meanwhile.
        return next((image for image in list(self.images.values()) if tag in image.tags), None)


class EcrState:
    """All repositories by name. Whoever changes them holds `lock` and calls `save`."""

    def __init__(self, path: Path) -> None:
        """What the file at `path` holds, nothing where there is none. Raise `ReleaseError` where it cannot be read."""
        self.lock = threading.RLock()
        self._path = path
        self.repositories: dict[str, StoredRepository] = {}
        if path.exists():
            try:
                self._load()
            except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
                raise ReleaseError(
                    f"{path} does not hold what the ECR stand-in remembers ({type(error).__name__})",
                    remedy="take another --folder, or remove this one",
                ) from error

    def save(self) -> None:
        """Write it all, so that a reader or a crash finds the old file or the new one."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"repositories": [asdict(each) for each in self.repositories.values()]}, indent=1)
        new = self._path.with_suffix(".new")
        new.write_text(text)
        new.replace(self._path)

    def _load(self) -> None:
        for value in json.loads(self._path.read_bytes())["repositories"]:
            images = {image["digest"]: StoredImage(**image) for image in value.pop("images").values()}
            self.repositories[value["name"]] = StoredRepository(images=images, **value)
