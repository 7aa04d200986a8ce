"""The sandbox's index remembers what is in its folder, for as long as that is true."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kfp_release.credentials import Credentials
from kfp_release.index import Index
from kfp_release.index_settings import IndexUrls
from kfp_release.sandbox.index import IndexServer
from kfp_release.sandbox.index_program import remembered


@dataclass
class Listing:
    """Lists a folder, and counts how often it did."""

    asked: list[Path] = field(default_factory=list)

    def __call__(self, root: Path) -> Iterator[str]:
        self.asked.append(root)
        yield from sorted(path.name for path in root.iterdir())


def touch(folder: Path, name: str, *, seconds: int) -> None:
    """Add a file, at that time."""
    (folder / name).write_bytes(b"")
    os.utime(folder, (seconds, seconds))


def test_a_folder_is_read_again_where_it_has_changed(tmp_path: Path) -> None:
    listing = Listing()
    look = remembered(listing, clock=lambda: 1000.0)
    touch(tmp_path, "a", seconds=100)
    assert [list(look(tmp_path)) for _ in range(3)] == [["a"]] * 3
    touch(tmp_path, "b", seconds=200)
    assert [list(look(tmp_path)) for _ in range(3)] == [["a", "b"]] * 3
    assert len(listing.asked) == 2


def test_a_folder_that_has_just_changed_is_not_remembered(tmp_path: Path) -> None:
    listing = Listing()
    look = remembered(listing, clock=lambda: 100.05)
    touch(tmp_path, "a", seconds=100)
    assert list(look(tmp_path)) == ["a"]
    touch(tmp_path, "b", seconds=100)
    assert list(look(tmp_path)) == ["a", "b"]


def test_the_index_serves_what_came_and_not_what_went(tmp_path: Path) -> None:
    who = Credentials("somebody", "with a password")
    server = IndexServer(tmp_path, who)
    server.start()
    try:
        index = Index(IndexUrls(server.upload_url, server.simple_url), who)
        for number in range(3):
            (tmp_path / "packages" / f"demo-1.{number}.tar.gz").write_bytes(b"x")
            assert len(index.files("demo")) == number + 1
            time.sleep(0.15)
            assert len(index.files("demo")) == number + 1
        (tmp_path / "packages" / "demo-1.0.tar.gz").unlink()
        assert sorted(index.files("demo")) == ["demo-1.1.tar.gz", "demo-1.2.tar.gz"]
        assert index.download(index.files("demo")["demo-1.1.tar.gz"]) == b"x"
    finally:
        server.stop()
