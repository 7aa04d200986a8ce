"""A builder that remembers: nothing is built twice here, for another registry or after a push that was cut off."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from kfp_release.buildah import BUILT, Builder, BuildRequest
from kfp_release.dockerfile import base_images
from kfp_release.errors import ReleaseError
from kfp_release.layout import Layout
from kfp_release.progress import Progress
from kfp_release.runtime_key import RuntimeInputs, runtime_key

_UNFINISHED = ".build-"
_LONG_AGO = 24 * 3600
"""Seconds. No build takes that long."""


class KeptBuilds:
    """A `Builder` that asks `builder` once for each runtime key, and keeps the newest `keep` layouts in `folder`."""

    def __init__(self, builder: Builder, folder: Path, *, keep: int = 2) -> None:
        self._builder = builder
        self._folder = folder
        self._keep = keep

    def build(self, request: BuildRequest, target: Path, *, progress: Progress) -> Layout:
        """As `Builder` says; a kept layout is used if every byte of it is what it was.

        Where nothing can be written into the folder, nothing is kept.
        """
        home = self._folder / _key(request)
        with ExitStack() as stack:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                with self._alone():
                    scratch = Path(stack.enter_context(TemporaryDirectory(prefix=_UNFINISHED, dir=self._folder)))
            except OSError as error:
                progress.note(f"what is built is not kept in {self._folder}: {error.strerror}")
                return self._builder.build(request, target, progress=progress)
            with self._alone():
                if _is_whole(home):
                    progress.note("it was built on this machine before, and kept")
                    return _hand_out(home, target)
            fresh = scratch / "layout"
            self._builder.build(request, fresh, progress=progress)
            with self._alone():
                shutil.rmtree(home, ignore_errors=True)
                fresh.rename(home)
                layout = _hand_out(home, target)
                self._forget_the_oldest()
                return layout

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other process takes a layout away in the block, or puts one there."""
        with self._folder.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _forget_the_oldest(self) -> None:
        """All but the newest layouts, and what builds left that were killed long ago."""
        paths = sorted(self._folder.iterdir(), key=_changed, reverse=True)
        kept = [path for path in paths if not path.name.startswith(_UNFINISHED)]
        dead = [path for path in paths if path not in kept and _changed(path) < time.time() - _LONG_AGO]
        for path in (*kept[self._keep :], *dead):
            shutil.rmtree(path, ignore_errors=True)


def _changed(path: Path) -> float:
    """When, in seconds since 1970; now, where it is gone: another process cleans up what it built in."""
    try:
        return path.stat().st_mtime
    except OSError:
        return time.time()


def _hand_out(home: Path, target: Path) -> Layout:
    """A copy of the caller's own: whoever cleans up here, while it is pushed, takes nothing from it."""
    shutil.copytree(home, target, copy_function=_link_or_copy)
    with suppress(OSError):  # another user's
        os.utime(home)
    return Layout(target)


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
            layout.blob(descriptor).verify()
    except (ReleaseError, OSError):
        return False
    return True


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copyfile(source, target)
