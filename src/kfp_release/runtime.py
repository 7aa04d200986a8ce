"""Makes sure that a runtime is in ECR: found by its key, recovered from an image made of it, or built and pushed.

Its SBOM comes after it, so that one that was cut off in between is found by its key, and gets it then.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from kfp_release.buildah import BUILT, Builder, BuildRequest
from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository
from kfp_release.errors import ReleaseError
from kfp_release.image import LABEL_RUNTIME_KEY, Image, normal_runtime, without_package
from kfp_release.layout import Layout
from kfp_release.manifest import ImageConfig, Manifest
from kfp_release.materials import Materials
from kfp_release.progress import Progress
from kfp_release.runtime_key import runtime_key
from kfp_release.runtime_sbom import ensure_runtime_sbom
from kfp_release.runtime_sources import Files, RuntimeSources
from kfp_release.settings import ImageSettings
from kfp_release.upload import Blob, Lanes, MemoryBlob, upload_blobs
from kfp_release.version_home import ensure_home

_BATCH: Final = 100
"""Manifests that are looked at together, newest first."""


@dataclass(frozen=True, slots=True)
class RuntimeResult:
    """One runtime that is in ECR."""

    name: str
    """Of the image in the configuration."""
    key: str
    digest: Digest
    how: Literal["found", "recovered", "built"]
    bytes_sent: int
    seconds: float

    @property
    def tag(self) -> str:
        """What it is tagged with."""
        return runtime_tag(self.key)

    def to_json(self) -> dict[str, str | int | float]:
        """For ``--json``."""
        return {
            "name": self.name,
            "key": self.key,
            "digest": str(self.digest),
            "how": self.how,
            "bytes_sent": self.bytes_sent,
            "seconds": round(self.seconds, 2),
        }


def runtime_tag(key: str) -> str:
    """The tag in ECR of the runtime with this key."""
    return f"runtime-{key}"


def key_of(settings: ImageSettings, files: Files) -> str:
    """The key of an image's runtime, as a commit has its sources; see `RuntimeSources`."""
    return materials_of(settings, files).key


def materials_of(settings: ImageSettings, files: Files) -> Materials:
    """What an image's runtime is built from, as a commit has it."""
    return RuntimeSources.read(settings, files).materials(settings)


def find_runtime(store: EcrRepository, key: str) -> Image | None:
    """The runtime of this key, by its tag; None where ECR has none."""
    manifest = store.find(runtime_tag(key))
    return None if manifest is None else _image(store, manifest)


def ensure_runtime(
    settings: ImageSettings,
    files: Files,
    *,
    store: EcrRepository,
    builder: Builder,
    progress: Progress,
    ssh: Sequence[str] = (),
    secrets: Sequence[str] = (),
    create_repository: bool = False,
    lanes: Lanes | None = None,
) -> RuntimeResult:
    """The runtime of a commit, in ECR when this returns. `files` are the commit's; `ssh` and `secrets` for `builder`.

    `lanes` are what `upload_blobs` shares with other uploads. Raise `ReleaseError` where its sources are wrong, or it
    can be neither found nor built.
    """
    began = time.monotonic()
    progress.step(f"runtime of {settings.name}")
    sources = RuntimeSources.read(settings, files)
    key = runtime_key(sources.inputs(settings))
    ensure_home(store, runtime_tag(key), create=create_repository, mutable=settings.mutable_tags)
    how: Literal["found", "recovered", "built"] = "found"
    sent = 0
    image = find_runtime(store, key)
    if image is None:
        how, image = "recovered", _recover(store, key, progress)
        if image is not None:
            image, sent = _push(store, image, [], key, progress=progress, lanes=lanes)
    if image is None:
        how = "built"
        login = store.login() if sources.draws_on(store.repository.host) else None
        request = sources.request(settings, ssh=ssh, secrets=secrets, login=login)
        image, sent = _build(store, builder, request, key, progress=progress, lanes=lanes)
    else:
        sent += ensure_runtime_sbom(store, image, tag=runtime_tag(key), progress=progress, layers=None)
    progress.note(f"{runtime_tag(key)} {how}: {image.manifest.digest}")
    return RuntimeResult(settings.name, key, image.manifest.digest, how, sent, time.monotonic() - began)


def _build(
    store: EcrRepository,
    builder: Builder,
    request: BuildRequest,
    key: str,
    *,
    progress: Progress,
    lanes: Lanes | None,
) -> tuple[Image, int]:
    progress.step(f"build {runtime_tag(key)}, which is new")
    with tempfile.TemporaryDirectory(prefix="kfp-release-") as folder:
        layout: Layout = builder.build(request, Path(folder) / "layout", progress=progress)
        image = normal_runtime(layout.image(BUILT))
        layers = [layout.blob(layer) for layer in image.manifest.layers]
        progress.step(f"push {runtime_tag(key)}")
        pushed, sent = _push(store, image, layers, key, progress=progress, lanes=lanes)
        at_hand = layers if pushed == image else None
        tag = runtime_tag(key)
        return pushed, sent + ensure_runtime_sbom(store, pushed, tag=tag, progress=progress, layers=at_hand)


def _recover(store: EcrRepository, key: str, progress: Progress) -> Image | None:
    """The runtime of the newest image that names the key and whose layers are still there."""
    for manifest in _candidates(store, key):
        try:
            image = without_package(_image(store, manifest))
        except ReleaseError as error:
            progress.note(f"no runtime can be taken from {manifest.digest}: {error}")
            continue
        if not store.missing(layer.digest for layer in image.manifest.layers):
            progress.note(f"{runtime_tag(key)} is recovered from {manifest.digest}")
            return image
    return None


def _candidates(store: EcrRepository, key: str) -> Iterator[Manifest]:
    digests = [summary.digest for summary in store.summaries()]
    for first in range(0, len(digests), _BATCH):
        batch = digests[first : first + _BATCH]
        manifests = store.manifests(batch)
        for digest in batch:
            manifest = manifests.get(digest)
            if manifest is not None and manifest.annotations.get(LABEL_RUNTIME_KEY) == key:
                yield manifest


def _push(
    store: EcrRepository,
    image: Image,
    layers: Sequence[Blob],
    key: str,
    *,
    progress: Progress,
    lanes: Lanes | None,
) -> tuple[Image, int]:
    """Push `image` under the key's tag; the runtime that is there then, and the bytes sent."""
    config = MemoryBlob(image.manifest.config, image.config.data)
    sent = upload_blobs(store, [*layers, config], progress=progress, lanes=lanes)
    try:
        store.put(image.manifest, runtime_tag(key))
    except ReleaseError:
        # Another machine with the same sources may have been faster: what it pushed is the runtime of this key.
        other = find_runtime(store, key)
        if other is None:
            raise
        return other, sent
    return image, sent


def _image(store: EcrRepository, manifest: Manifest) -> Image:
    return Image(manifest, ImageConfig.parse(store.read_blob(manifest.config)))
