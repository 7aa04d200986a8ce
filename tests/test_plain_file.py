from __future__ import annotations

import os
from pathlib import Path

import pytest

from kfp_release.plain_file import read_plain


def test_a_file_is_read_through_links_that_stay_inside(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"text")
    (tmp_path / "link").symlink_to("file")
    assert read_plain(tmp_path / "link", inside=tmp_path) == b"text"
    (tmp_path / "home").symlink_to(tmp_path)
    assert read_plain(tmp_path / "home" / "file", inside=tmp_path / "home") == b"text"
    assert read_plain(tmp_path / "file", most=4) == b"text"


@pytest.mark.parametrize("target", ["/dev/zero", "/proc/self/environ", "/etc/passwd", "..", "../outside"])
def test_a_link_that_leads_out_is_refused(tmp_path: Path, target: str) -> None:
    (tmp_path / "outside").write_bytes(b"secret")
    project = tmp_path / "project"
    project.mkdir()
    (project / "link").symlink_to(target)
    with pytest.raises(OSError, match="it leads out of the project"):
        read_plain(project / "link", inside=project)
    (project / "folder").symlink_to(tmp_path)
    with pytest.raises(OSError, match="it leads out of the project"):
        read_plain(project / "folder" / "outside", inside=project)


@pytest.mark.timeout(20)
def test_what_is_no_plain_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), Path("/dev/null")):
        with pytest.raises(OSError, match="it is no plain file"):
            read_plain(path)
    with pytest.raises(IsADirectoryError):
        read_plain(tmp_path)


def test_a_file_that_is_too_long_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(OSError, match=r"it has 1,099,511,627,776 bytes, and 16,777,216 are the most") as caught:
        read_plain(tmp_path / "large")
    assert caught.value.filename == str(tmp_path / "large")


def test_a_file_that_says_that_it_is_empty_and_is_not_is_refused() -> None:
    with pytest.raises(OSError, match="it has more bytes than it says"):
        read_plain(Path("/proc/self/status"))
