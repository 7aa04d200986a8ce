"""What git tells of a checkout and its commits, whatever the machine has configured."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from git_fixtures import commit, new_repository, run, state

from kfp_release.errors import ReleaseError
from kfp_release.git import Git
from kfp_release.scm_version import scm_version


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One commit, no tags."""
    return new_repository(tmp_path / "repository")


def test_a_file_that_git_ignores_is_no_change(repository: Path) -> None:
    commit(repository, ".gitignore", "/build/\n")
    (repository / "build").mkdir()
    (repository / "build" / "x").touch()
    assert Git(repository).changes() == []


def test_what_is_refused_is_named_by_its_whole_path(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = repository.parent / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    with pytest.raises(ReleaseError, match=re.escape(f"{folder} is not in a git repository")):
        Git(Path()).commit()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_a_repository_of_another_user_is_refused_with_the_folder_that_git_wants_named(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = repository / "project"
    project.mkdir()
    for folder in (repository, repository / ".git", project):
        os.chown(folder, 65532, 65532)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.chdir(project)
    with pytest.raises(ReleaseError) as caught:
        Git(Path()).commit()
    assert str(caught.value) == (
        f"git refuses {project}, which belongs to another user"
        f"\n  → git config --global --add safe.directory {repository}"
    )


def test_a_bare_repository_is_refused(repository: Path, tmp_path: Path) -> None:
    run(tmp_path, "clone", "--quiet", "--bare", repository, "bare")
    with pytest.raises(ReleaseError, match="is a bare repository"):
        Git(tmp_path / "bare").top()


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="nowhere is not a folder"):
        Git(tmp_path / "nowhere").commit()


def test_a_machine_without_git_is_told_so(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ReleaseError) as caught:
        Git(repository).commit()
    assert "git is not installed" in str(caught.value)
    assert "apt-get install git" in str(caught.value)


def test_the_environment_of_a_git_hook_leads_nowhere_else(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"):
        monkeypatch.setenv(name, "/nonexistent")
    assert Git(repository).top() == repository
    assert Git(repository).changes() == []
    assert scm_version(repository).is_devrelease


def test_tags_lead_to_commits_whatever_their_kind(repository: Path) -> None:
    assert Git(repository).tags() == {}
    head = run(repository, "rev-parse", "HEAD")
    run(repository, "tag", "v1.1")
    run(repository, "tag", "--annotate", "--message=x", "v1.0")
    run(repository, "tag", "--annotate", "--message=x", "nested", "v1.0")
    git = Git(repository)
    assert git.tags_at(head) == ["nested", "v1.0", "v1.1"]
    assert git.tags() == dict.fromkeys(["nested", "v1.0", "v1.1"], head)


def test_released_are_the_release_tags_behind_a_commit(repository: Path) -> None:
    for tag in ("v1.9", "v1.10", "v2.0rc1", "1.2", "v1.02", "nightly"):
        commit(repository, tag)
        run(repository, "tag", tag)
    run(repository, "checkout", "--quiet", "--detach", "v1.10")
    git = Git(repository)
    assert list(map(str, git.released(git.commit()))) == ["1.9", "1.10"]


def test_released_are_found_however_git_shows_lists(repository: Path) -> None:
    for tag in ("v1.9", "v1.10", "v2.0"):
        run(repository, "tag", tag)
    run(repository, "config", "column.ui", "always")
    git = Git(repository)
    assert list(map(str, git.released(git.commit()))) == ["1.9", "1.10", "2.0"]


def test_a_clone_has_the_commits_own_bytes_and_all_tags(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / "run.sh").touch(mode=0o755)
    first = commit(repository, "b.txt", "one\n")
    run(repository, "tag", "v1.0")
    commit(repository, "b.txt", "two\n")
    run(repository, "tag", "v1.1")
    hook = repository / ".git" / "hooks" / "post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/hooked\n", encoding="utf-8")
    hook.chmod(0o755)
    (repository / "b.txt").write_text("changed\n", encoding="utf-8")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    (tmp_path / "gitconfig").write_text("[core]\n\tautocrlf = true\n\teol = crlf\n", encoding="utf-8")
    before = state(repository)
    target = tmp_path / "clone"
    mask = os.umask(0o077)
    try:
        Git(repository).clone_at(first, target)
    finally:
        os.umask(mask)
    assert state(repository) == before
    assert (target / "b.txt").read_bytes() == b"one\n"
    assert (target / "b.txt").stat().st_mode & 0o777 == 0o644
    assert (target / "run.sh").stat().st_mode & 0o777 == 0o755
    assert Git(target).commit() == first
    assert sorted(Git(target).tags()) == ["v1.0", "v1.1"]
    assert not (tmp_path / "hooked").exists()


def test_a_clone_of_what_is_no_commit_is_refused(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="'--force' is not a commit in hex"):
        Git(repository).clone_at("--force", tmp_path / "clone")
    with pytest.raises(ReleaseError, match=r"git checkout failed(.|\n)*git fetch --all --tags"):
        Git(repository).clone_at("0" * 40, tmp_path / "clone2")
    with pytest.raises(ReleaseError, match=r"git ls-tree failed(.|\n)*git fetch --all --tags"):
        Git(repository).files("0" * 40, ["Dockerfile"])


@pytest.mark.parametrize("end", ["\u2028", "\x85", "\u2029"])
def test_the_name_of_a_tag_is_one_name_whatever_unicode_takes_for_a_line_s_end(repository: Path, end: str) -> None:
    for name in (f"x{end}v9.0", "v1.0"):
        run(repository, "tag", name)
    git = Git(repository)
    assert sorted(git.tags()) == ["v1.0", f"x{end}v9.0"]
    assert [version.tag for version in git.released(git.commit())] == ["v1.0"]


def test_a_folder_with_a_line_s_end_in_its_name_asks_git_for_nothing_else(repository: Path) -> None:
    (repository / "a\nHEAD:b").mkdir()
    commit(repository, "a\nHEAD:b/x", "1")
    with pytest.raises(ReleaseError, match="has a line's end in its name"):
        Git(repository / "a\nHEAD:b").file_at(["HEAD"], "x")


def test_a_name_of_any_kind_leads_to_its_commit_and_an_option_to_none(repository: Path) -> None:
    git, first = Git(repository), Git(repository).commit()
    second = commit(repository)
    run(repository, "tag", "-a", "v1.0", "-m", "annotated", first)
    assert [git.resolve(name) for name in ("v1.0", "HEAD~1", "main", second[:10])] == [first, first, second, second]
    for name in ("v1.1", "--all", "-h", "main..HEAD", "HEAD:a.txt", "", "a\nb", "a b"):
        assert git.resolve(name) is None


def test_a_name_outside_of_any_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="is not in a git repository"):
        Git(tmp_path).resolve("HEAD")
