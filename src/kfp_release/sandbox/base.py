"""The sandbox's base image: Python from Debian's packages, made here, for machines that reach no image registry."""

from __future__ import annotations

import fcntl
import gzip
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from kfp_release.buildah import host_platform
from kfp_release.digest import Digest
from kfp_release.ecr import EcrRepository
from kfp_release.image import DEFAULT_PATH, RUNTIME_EPOCH, Image
from kfp_release.image_ref import ImageRef
from kfp_release.layout import Layout
from kfp_release.manifest import OCI_LAYER_GZIP, ImageConfig, Manifest, canonical_json
from kfp_release.program import find_program, run_program
from kfp_release.progress import Progress
from kfp_release.upload import upload_blobs

BASE_REPOSITORY: Final = "base/debian-python"
"""Its name in the sandbox's registry."""
SUITE: Final = "bookworm"
PACKAGES: Final = ("python3-minimal", "python3-venv", "ca-certificates", "libstdc++6")
"""What the Dockerfile's builder needs, and the C++ library that numpy's wheels want."""
_LEFT_OUT: Final = ("doc", "i18n", "info", "lintian", "locale", "man")
"""Below /usr/share."""
_REMOVED: Final = 'rm -rf "$1"/usr/share/perl "$1"/usr/lib/*/perl "$1"/usr/lib/*/libperl.so.* "$1"/usr/bin/perl5*'
"""Perl's library, which the packages' own scripts need while they are installed; perl-base stays."""
_CREATED: Final = "1980-01-01T00:00:00Z"
_STEP: Final = re.compile(r"I: (?:running apt-get|downloading|extracting|installing|creating)")
"""Lines of mmdebstrap's that a waiting person understands."""
_CHUNK: Final = 1024 * 1024


def base_image(cache: Path, *, progress: Progress, packages: tuple[str, ...] = PACKAGES) -> Layout:
    """The image, under the name of `SUITE`; made once, and then found in the folder `cache`.

    Raise `ReleaseError` where mmdebstrap is missing or fails.
    """
    recipe = canonical_json([SUITE, packages, _LEFT_OUT, _REMOVED, host_platform()])
    home = cache / f"debian-python-{Digest.of(recipe).short}"
    cache.mkdir(parents=True, exist_ok=True)
    # Whoever comes second waits and finds it. What a killed one left is removed by the next.
    with home.with_suffix(".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not home.exists():
            progress.step("make a base image of Debian's packages, once")
            scratch = home.with_suffix(".new")
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir()
            try:
                _make(scratch, packages, progress).path.rename(home)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
    return Layout(home)


def push_base(layout: Layout, store: EcrRepository, *, progress: Progress) -> ImageRef:
    """Push the image to `store`, which is made if it is missing; its name there, for the build argument."""
    image = layout.image(SUITE)
    if store.describe() is None:
        store.create()
    descriptors = (*image.manifest.layers, image.manifest.config)
    tag = f"{SUITE}-{image.manifest.digest.short}"
    upload_blobs(store, [layout.blob(descriptor) for descriptor in descriptors], progress=progress)
    store.put(image.manifest, tag)
    return ImageRef(store.repository, tag, image.manifest.digest)


def _make(scratch: Path, packages: tuple[str, ...], progress: Progress) -> Layout:
    tar, compressed = scratch / "root.tar", scratch / "layer"
    _write_root(tar, packages, progress)
    # zlib's fastest level: it goes over loopback alone.
    with tar.open("rb") as source, gzip.GzipFile(compressed, "wb", compresslevel=1, mtime=0) as target:
        diff_id = Digest.of_chunks(_copied(source, target))
    layout = Layout.create(scratch / "layout")
    layer = layout.adopt_blob(compressed, OCI_LAYER_GZIP)
    system, architecture = host_platform().split("/")
    command = f"mmdebstrap {SUITE} {' '.join(packages)}"
    config = ImageConfig.of(
        {
            "created": _CREATED,
            "os": system,
            "architecture": architecture,
            "config": {"Env": [f"PATH={DEFAULT_PATH}"], "Cmd": ["python3"]},
            "rootfs": {"type": "layers", "diff_ids": [str(diff_id)]},
            "history": [{"created": _CREATED, "created_by": command}],
        }
    )
    layout.add(Image(Manifest.of(config.descriptor, (layer,), {}), config), name=SUITE)
    return layout


def _write_root(tar: Path, packages: tuple[str, ...], progress: Progress) -> None:
    program = find_program(
        "mmdebstrap",
        remedy="sudo apt-get install mmdebstrap, or set KFP_RELEASE_BUILD_ARG_BASE to a base image of your own",
    )
    command = [program, "--variant=essential", "--format=tar", f"--include={','.join(packages)}"]
    command += [f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in _LEFT_OUT]
    command += ["--dpkgopt=force-unsafe-io", f"--customize-hook={_REMOVED}", SUITE, str(tar)]

    run_program(
        command,
        what="the base image could not be made",
        # Without root it goes on as other users, who may not look into the scratch folder.
        folder=Path("/"),
        on_line=lambda line: progress.note(line.removeprefix("I: ")) if _STEP.match(line) else None,
        environ={**os.environ, "SOURCE_DATE_EPOCH": str(RUNTIME_EPOCH), "LC_ALL": "C.UTF-8"},
    )


def _copied(source: BinaryIO, target: BinaryIO | gzip.GzipFile) -> Iterator[bytes]:
    while chunk := source.read(_CHUNK):
        target.write(chunk)
        yield chunk
