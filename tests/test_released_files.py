"""Files of public versions: downloaded beside each other, unpacked one by one."""

from __future__ import annotations

import threading
import time

import pytest
from archives import NAME, wheel_bytes
from publish_fixtures import PROJECT, VERSION, MemoryIndex

from kfp_release.index import IndexFile
from kfp_release.release_file import ReleaseFile
from kfp_release.released_files import read_file
from kfp_release.workers import in_parallel


class Counted:
    """A stretch of a program that remembers how many were in it at once."""

    def __init__(self) -> None:
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        time.sleep(0.05)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._now -= 1


def test_files_are_downloaded_beside_each_other_and_unpacked_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    downloads, reads = Counted(), Counted()
    read = ReleaseFile.read

    class SlowIndex(MemoryIndex):
        def download(self, file: IndexFile) -> bytes:
            with downloads:
                return super().download(file)

    def slow(*arguments: object) -> ReleaseFile:
        with reads:
            return read(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(ReleaseFile, "read", slow)
    index = SlowIndex({NAME: wheel_bytes()})
    files = [IndexFile(NAME, f"https://index/{NAME}", None)] * 4
    found = in_parallel(lambda file: read_file(index, file, project=PROJECT, version=VERSION), files, workers=4)
    assert [file.filename for file in found] == [NAME] * 4
    assert downloads.most > 1
    assert reads.most == 1
