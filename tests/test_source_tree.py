from __future__ import annotations

import os
from pathlib import Path

import pytest
from conftest import commit_all, run_git

from kfp_release.errors import ReleaseError
from kfp_release.source_tree import source_tree


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    (folder / "src").mkdir(parents=True)
    (folder / "pyproject.toml").write_text("[project]\n")
    (folder / "src/run.sh").write_text("#!/bin/sh\n")
    (folder / "src/run.sh").chmod(0o755)
    (folder / "link").symlink_to("pyproject.toml")
    (folder / ".gitignore").write_text("build/\n")
    run_git(folder, "init", "--quiet", "--initial-branch=main")
    commit_all(folder, "First")
    run_git(folder, "tag", "v1.0")
    return folder


def files(folder: Path) -> list[str]:
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())
    return sorted(path for path in found if not path.startswith(".git/"))


def state(folder: Path) -> dict[str, tuple[int, int]]:
    """Everything below `folder`, the repository too: its size and time of change."""
    return {str(path): (path.lstat().st_size, path.lstat().st_mtime_ns) for path in folder.rglob("*")}


def test_it_is_a_copy_that_git_takes_for_the_checkout(checkout: Path) -> None:
    with source_tree(checkout) as tree:
        assert tree.project != checkout
        assert files(tree.project) == files(checkout)
        assert run_git(tree.project, "describe", "--dirty", "--tags") == "v1.0\n"
        assert tree.commit == run_git(checkout, "rev-parse", "HEAD").strip()
        assert tree.committed == int(run_git(checkout, "log", "-1", "--format=%ct"))
        assert os.access(tree.project / "src/run.sh", os.X_OK)
        assert (tree.project / "link").is_symlink()
    assert not tree.project.exists()


def test_a_split_index_is_whole_in_it(checkout: Path) -> None:
    run_git(checkout, "update-index", "--split-index")
    with source_tree(checkout) as tree:
        assert run_git(tree.project, "describe", "--dirty", "--tags") == "v1.0\n"


def test_whatever_is_done_in_it_the_checkout_and_its_repository_stay(checkout: Path) -> None:
    before = state(checkout)
    with source_tree(checkout) as tree:
        (tree.project / "pyproject.toml").write_text("changed")
        (tree.project / "build").mkdir()
        assert run_git(tree.project, "status", "--porcelain") == " M pyproject.toml\n"
        assert run_git(tree.project, "describe", "--dirty", "--tags") == "v1.0-dirty\n"
    assert state(checkout) == before


def test_what_git_does_not_track_stays_out_and_is_named(checkout: Path, caplog: pytest.LogCaptureFixture) -> None:
    (checkout / "build").mkdir()
    (checkout / "build/stale.py").touch()
    (checkout / "src/new.py").touch()
    with source_tree(checkout) as tree:
        assert "src/new.py" not in files(tree.project)
        assert "build/stale.py" not in files(tree.project)
    assert caplog.messages == ["not in this build, for git does not track it: src/new.py (1 in all)"]


def test_uncommitted_changes_are_in_it_and_seen(checkout: Path) -> None:
    (checkout / "pyproject.toml").write_text("[project] # changed\n")
    (checkout / "src/run.sh").unlink()
    with source_tree(checkout) as tree:
        assert (tree.project / "pyproject.toml").read_text() == "[project] # changed\n"
        assert "src/run.sh" not in files(tree.project)
        assert run_git(tree.project, "describe", "--dirty", "--tags") == "v1.0-dirty\n"


def test_a_linked_working_tree_and_a_submodule_serve_too(checkout: Path, tmp_path: Path) -> None:
    run_git(checkout, "worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"))
    outer = tmp_path / "outer"
    outer.mkdir()
    run_git(outer, "init", "--quiet")
    run_git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(checkout), "inner")
    for folder in (tmp_path / "linked", outer / "inner"):
        with source_tree(folder) as tree:
            assert files(tree.project) == files(checkout)
            assert run_git(tree.project, "describe", "--dirty", "--tags") == "v1.0\n"


def test_a_project_in_a_folder_of_its_repository_keeps_its_place(checkout: Path) -> None:
    (checkout / "parts/demo").mkdir(parents=True)
    (checkout / "parts/demo/pyproject.toml").touch()
    commit_all(checkout, "A project in a folder")
    with source_tree(checkout / "parts/demo") as tree:
        assert (tree.project / "../../src/run.sh").is_file()
        assert run_git(tree.project, "status", "--porcelain") == ""


def test_the_repository_whose_hook_runs_the_build_is_not_asked(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "elsewhere/index"))
    with source_tree(checkout) as tree:
        assert files(tree.project) == files(checkout)


def test_outside_of_git_it_is_the_project_itself(tmp_path: Path) -> None:
    with source_tree(tmp_path) as tree:
        assert (tree.project, tree.commit, tree.committed) == (tmp_path, "", None)


def test_an_unpacked_sdist_in_somebodys_checkout_is_itself(checkout: Path) -> None:
    for name in ("untracked/pyproject.toml", "sdist/pyproject.toml", "sdist/PKG-INFO"):
        (checkout / name).parent.mkdir(exist_ok=True)
        (checkout / name).touch()
    run_git(checkout, "add", "sdist")
    for folder in ("untracked", "sdist"):
        with source_tree(checkout / folder) as tree:
            assert (tree.project, tree.commit) == (checkout / folder, "")


def test_a_repository_without_a_commit_is_refused(tmp_path: Path) -> None:
    run_git(tmp_path, "init", "--quiet")
    (tmp_path / "pyproject.toml").touch()
    run_git(tmp_path, "add", ".")
    with pytest.raises(ReleaseError, match="no commit yet"), source_tree(tmp_path):
        pass
