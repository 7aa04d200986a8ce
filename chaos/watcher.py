"""Watches, throughout: whatever the index offers at an instant, its images can be pulled by digest at that instant."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Self

import requests

from chaos.outside import Outside, blobs_of, pinned_images, pins_in

_EVERY = 0.05
"""Seconds from one sample to the next, where a sample takes less."""
_BLIND = 2.0
"""Seconds without a sample, from which on it cannot be said what was so throughout."""
_AGAIN = 4
"""Samples from one to the next that looks at a file of earlier ones once more; they take turns."""


class Watcher:
    """A thread that looks about every 50 ms while its block runs, and once at least.

    A sample lists the index; the files that it had not seen before, and some of those that it had, are followed: the
    pins in the file, the image's manifest, and each of its blobs. `samples` and `followed` count them, `violations`
    are lines. A sample that fails is taken again at once; `gap` is the longest time from one to the next in seconds.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.samples = self.followed = 0
        self.gap = 0.0
        self.violations: list[str] = []
        self._outside = Outside(environ)
        self._images: dict[str, list[tuple[str, str]]] = {}
        self._blobs: dict[tuple[str, str], list[str]] = {}
        self._end = threading.Event()
        self._error: Exception | None = None
        self._unread: dict[str, Exception] = {}
        self._thread = threading.Thread(target=self._watch, name="watcher")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Raise what kept it from watching to the end: a watcher that saw nothing proves nothing."""
        self._end.set()
        self._thread.join()
        if self._error is not None:
            raise self._error
        self.violations += [f"{name} cannot be read: {error!r}" for name, error in sorted(self._unread.items())]
        if self.gap > _BLIND:
            self.violations.append(f"nothing was seen for {self.gap:.1f} s")

    @property
    def figures(self) -> dict[str, int | float]:
        """How closely it looked."""
        return {
            "samples": self.samples,
            "files followed": self.followed,
            "seconds without a sample at most": round(self.gap, 2),
        }

    def _watch(self) -> None:
        seen = time.monotonic()
        while True:
            began = time.monotonic()
            try:
                self._sample()
            except Exception as error:  # noqa: BLE001 - whatever it is, it is told, and does not end the watch unseen
                self._error = error
                self.gap = max(self.gap, time.monotonic() - seen)
            else:
                self._error, now = None, time.monotonic()
                self.gap, seen = max(self.gap, now - seen), now
            if self._end.wait(max(0.0, began + _EVERY - time.monotonic())):
                return

    def _sample(self) -> None:
        files = self._outside.files()
        known = [name for name in self._images if name in files]
        for name in sorted(files.keys() - self._images.keys()):
            try:
                images = list(pinned_images(pins_in(name, self._outside.download(files[name]))))
            except requests.RequestException:
                raise
            except Exception as error:  # noqa: BLE001 - the index may be writing it just now: the next sample reads it
                self._unread[name] = error
                continue
            self._unread.pop(name, None)
            self._images[name] = images
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
