"""Images of layers that no compression makes smaller, as OCI layouts."""

from __future__ import annotations

import hashlib
import os
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from kfp_release.digest import Digest
from kfp_release.image import Image
from kfp_release.layout import Layout
from kfp_release.manifest import OCI_LAYER_GZIP, Descriptor, ImageConfig, Manifest
from kfp_release.stored import gzip_stored

NAME: Final = "pushed"
"""Of the image in its layout."""
_CHUNK: Final = 1024 * 1024


def make_layout(folder: Path, sizes: Sequence[int]) -> Path:
    """A layout in `folder` with one image, whose layers hold a file of so many bytes each. No two have the same."""
    layout = Layout.create(folder)
    layers, diff_ids = [], []
    for size in sizes:
        layer, diff_id = _add_layer(layout, folder, size)
        layers.append(layer)
        diff_ids.append(diff_id)
    config = ImageConfig.of(
        {
            "created": "1980-01-01T00:00:00Z",
            "os": "linux",
            "architecture": "amd64",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [str(diff_id) for diff_id in diff_ids]},
            "history": [],
        }
    )
    layout.add(Image(Manifest.of(config.descriptor, tuple(layers), {}), config), name=NAME)
    return folder


def _add_layer(layout: Layout, folder: Path, size: int) -> tuple[Descriptor, Digest]:
    digest = hashlib.sha256()

    def hashed(chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            digest.update(chunk)
            yield chunk

    made = folder / "layer"
    with made.open("wb") as file:
        file.writelines(gzip_stored(hashed(_tar(size))))
    return layout.adopt_blob(made, OCI_LAYER_GZIP), Digest.parse(f"sha256:{digest.hexdigest()}")


def _tar(size: int) -> Iterator[bytes]:
    """A tar of one file, in pieces: the same random bytes again and again, which nobody on the way looks for."""
    info = tarfile.TarInfo("content")
    info.size = size
    yield info.tobuf()
    noise = os.urandom(_CHUNK)
    for start in range(0, size, _CHUNK):
        yield noise[: min(_CHUNK, size - start)]
    yield bytes(-size % tarfile.BLOCKSIZE + 2 * tarfile.BLOCKSIZE)
