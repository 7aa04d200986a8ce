"""Watches, throughout: whatever the index offers at an instant, its images can be pulled by digest at that instant."""

from __future__ import annotations

import tarfile
import threading
import time
import zipfile
from collections.abc import Mapping
from typing import Self

import requests

from chaos.outside import Outside, blobs_of, pinned_images, pins_in

_EVERY = 0.05
"""Seconds from one sample to the next, where a sample takes less."""
_UNREADABLE = (zipfile.BadZipFile, tarfile.TarError, EOFError)
"""A file that the index is writing just now; the next sample reads it."""
_AGAIN = 4
"""Samples from one to the next that looks at a file of earlier ones once more; they take turns."""


class Watcher:
    """A thread that looks about every 50 ms while its block runs, and once at least.

    A sample lists the index; the files that it had not seen before, and some of those that it had, are followed: the
    pins in the file, the image's manifest, and each of its blobs. `samples` and `followed` count them, `violations`
    are lines.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.samples = self.followed = 0
        self.violations: list[str] = []
        self._outside = Outside(environ)
        self._images: dict[str, list[tuple[str, str]]] = {}
        self._blobs: dict[tuple[str, str], list[str]] = {}
        self._end = threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._watch, name="watcher")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Raise what kept it from watching: a watcher that saw nothing proves nothing."""
        self._end.set()
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _watch(self) -> None:
        while True:
            began = time.monotonic()
            try:
                self._sample()
            except (requests.RequestException, OSError, ValueError, KeyError) as error:
                self._error = error
                return
            if self._end.wait(max(0.0, began + _EVERY - time.monotonic())):
                return

    def _sample(self) -> None:
        files = self._outside.files()
        known = [name for name in self._images if name in files]
        for name in sorted(files.keys() - self._images.keys()):
            try:
                pins = pins_in(name, self._outside.download(files[name]))
            except _UNREADABLE:
                continue
            self._images[name] = list(pinned_images(pins))
            self._follow(name)
        self.samples += 1
        if known and self.samples % _AGAIN == 0:
            self._follow(known[self.samples // _AGAIN % len(known)])

    def _follow(self, name: str) -> None:
        for image in self._images[name]:
            if problem := self._problem(*image):
                self.violations.append(f"{name}: {problem}")
        self.followed += 1

    def _problem(self, repository: str, digest: str) -> str:
        """What of an image cannot be pulled; nothing where it can."""
        if not self._outside.has_manifest(repository, digest):
            return f"{repository}@{digest} cannot be pulled"
        if (repository, digest) not in self._blobs:
            manifest = self._outside.manifest(repository, digest)
            self._blobs[repository, digest] = blobs_of(manifest) if manifest else []
        blobs = self._blobs[repository, digest]
        missing = [blob for blob in blobs if not self._outside.has_blob(repository, blob)]
        if missing or not blobs:
            return f"{repository}@{digest} lacks {', '.join(missing) or 'its manifest'}"
        return ""
