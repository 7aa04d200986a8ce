"""A folder appears whole or not at all, and what a killed program left of one goes."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kfp_release.arrival import arriving

KILLED = """
import os, signal, sys
from pathlib import Path
from kfp_release.arrival import arriving
with arriving(Path(sys.argv[1])) as out:
    (out / "half").write_text("x")
    if sys.argv[2] == "wait":
        print("there", flush=True)
        sys.stdin.read()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def kill_one(target: Path) -> Path:
    """What a program left that was killed in the block."""
    before = set(target.parent.iterdir())
    done = subprocess.run([sys.executable, "-c", KILLED, target, "now"], check=False)
    assert done.returncode == -signal.SIGKILL
    (left,) = set(target.parent.iterdir()) - before
    return left


def test_it_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "dist"
    for text in ("old", "new"):
        with arriving(target) as out:
            (out / text).write_text(text)
            assert text not in {path.name for path in target.glob("*")}
    assert {path.name for path in target.iterdir()} == {".gitignore", "new"}
    assert list(tmp_path.iterdir()) == [target]


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "dist"
    target.mkdir()
    (target / "old").touch()
    with pytest.raises(KeyError), arriving(target):
        raise KeyError
    assert [path.name for path in target.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [target]


def test_what_a_killed_program_left_is_ignored_by_git_and_goes_with_the_next(tmp_path: Path) -> None:
    left = kill_one(tmp_path / "dist")
    assert (left / ".gitignore").read_text() == "*\n"
    assert (left / "new" / "half").is_file()
    with arriving(tmp_path / "dist"):
        pass
    assert list(tmp_path.iterdir()) == [tmp_path / "dist"]


def test_what_a_running_program_holds_stays(tmp_path: Path) -> None:
    target = tmp_path / "dist"
    command = [sys.executable, "-c", KILLED, str(target), "wait"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout
        other.stdout.readline()
        (held,) = tmp_path.iterdir()
        with arriving(target):
            assert (held / "new" / "half").is_file()
        assert set(tmp_path.iterdir()) == {target, held}
        other.kill()
    with arriving(target):
        assert not held.exists()


@pytest.mark.parametrize("name", ["dist-1", ".dist-1", ".dist-arriving-1", ".other-arriving-1"])
def test_folders_of_others_stay(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "mine").touch()
    with arriving(tmp_path / "dist"):
        pass
    assert (tmp_path / name / "mine").exists()


def test_a_link_by_such_a_name_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    link = tmp_path / ".dist-arriving-1"
    link.symlink_to(tmp_path / "mine")
    with arriving(tmp_path / "dist"):
        pass
    assert link.is_symlink()
    assert (tmp_path / "mine").is_dir()
