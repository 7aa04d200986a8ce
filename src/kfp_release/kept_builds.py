"""A builder that remembers: nothing is built twice here, for another registry or after a push that was cut off."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from kfp_release.buildah import BUILT, Builder, BuildRequest
from kfp_release.dockerfile import base_images
from kfp_release.errors import ReleaseError
from kfp_release.layout import Layout
from kfp_release.progress import Progress
from kfp_release.runtime_key import RuntimeInputs, runtime_key


class KeptBuilds:
    """A `Builder` that asks `builder` once for each runtime key, and keeps the newest `keep` layouts in `folder`."""

    def __init__(self, builder: Builder, folder: Path, *, keep: int = 2) -> None:
        self._builder = builder
        self._folder = folder
        self._keep = keep

    def build(self, request: BuildRequest, target: Path, *, progress: Progress) -> Layout:
        """As `Builder` says; a kept layout is used if every byte of it is what it was."""
        home = self._folder / _key(request)
        if _is_whole(home):
            progress.note("it was built on this machine before, and kept")
        else:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".build-", dir=self._folder) as scratch:
                fresh = Path(scratch, "layout")
                self._builder.build(request, fresh, progress=progress)
                shutil.rmtree(home, ignore_errors=True)
                try:
                    fresh.rename(home)
                except OSError:
                    if not _is_whole(home):  # nor has another process been faster
                        raise
        # The caller's own copy: whoever cleans up here, while it is pushed, takes nothing from it.
        shutil.copytree(home, target, copy_function=_link_or_copy)
        os.utime(home)
        self._forget_the_oldest()
        return Layout(target)

    def _forget_the_oldest(self) -> None:
        homes = [path for path in self._folder.iterdir() if not path.name.startswith(".")]
        for home in sorted(homes, key=lambda path: path.stat().st_mtime, reverse=True)[self._keep :]:
            shutil.rmtree(home, ignore_errors=True)


def _key(request: BuildRequest) -> str:
    inputs = RuntimeInputs.of(
        request.dockerfile,
        context=request.context,
        build_args=request.build_args,
        bases=tuple(base_images(request.dockerfile.decode(), request.build_args)),
        platform=request.platform,
    )
    return runtime_key(inputs)


def _is_whole(home: Path) -> bool:
    try:
        layout = Layout(home)
        for descriptor in layout.image(BUILT).manifest.layers:
            layout.blob(descriptor).open().close()
    except (ReleaseError, OSError):
        return False
    return True


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copyfile(source, target)
