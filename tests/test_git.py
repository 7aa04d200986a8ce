"""What a checkout is at, and what may be released from it. Every refusal names the command that mends it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from kfp_release.errors import ReleaseError
from kfp_release.git import Git, candidate_source, release_source, snapshot_source
from kfp_release.scm_version import scm_version

TIME = 1_700_000_000
IDENTITY = {
    "GIT_AUTHOR_NAME": "Test",
    "GIT_AUTHOR_EMAIL": "test@example.com",
    "GIT_COMMITTER_NAME": "Test",
    "GIT_COMMITTER_EMAIL": "test@example.com",
    "GIT_AUTHOR_DATE": f"{TIME} +0000",
    "GIT_COMMITTER_DATE": f"{TIME} +0000",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


def run(folder: Path, *arguments: str | Path) -> str:
    environ = {name: text for name, text in os.environ.items() if not name.startswith("GIT_")} | IDENTITY
    return subprocess.run(
        ["git", "-C", folder, *arguments], env=environ, check=True, capture_output=True, text=True
    ).stdout.strip()


def commit(folder: Path, name: str = "a.txt", text: str = "a\n") -> str:
    (folder / name).write_text(text, encoding="utf-8")
    run(folder, "add", "--all")
    run(folder, "commit", "--quiet", "--allow-empty", f"--message={name}")
    return run(folder, "rev-parse", "HEAD")


def state(folder: Path) -> dict[str, bytes]:
    """All files, git's own too."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One commit, no tags."""
    folder = tmp_path / "repository"
    folder.mkdir()
    run(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, "pyproject.toml", "[tool.setuptools_scm]\n")
    return folder


def refusal(folder: Path, tag: str | None) -> str:
    """The message with which a tag, or a snapshot, is refused."""
    before = state(folder)
    with pytest.raises(ReleaseError) as caught:
        release_source(Git(folder), tag) if tag else snapshot_source(Git(folder))
    assert state(folder) == before
    return str(caught.value)


@pytest.mark.parametrize("options", [(), ("--annotate", "--message=first")])
def test_a_tag_at_head_is_released(repository: Path, options: tuple[str, ...]) -> None:
    run(repository, "tag", *options, "v1.2")
    source = release_source(Git(repository), "v1.2")
    assert (str(source.version), source.tag, source.created) == ("1.2", "v1.2", TIME)
    assert source.commit == run(repository, "rev-parse", "HEAD")
    assert candidate_source(Git(repository), "v1.2") == source


def test_a_tag_that_is_missing_is_refused_with_those_that_are_near(repository: Path) -> None:
    run(repository, "tag", "v1.1")
    message = refusal(repository, "v1.2")
    assert "there is no tag v1.2; there is v1.1" in message
    assert "git tag v1.2 && git push origin v1.2" in message


def test_a_tag_of_another_form_is_refused_before_git_is_asked(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"'1\.2' is not a release tag"):
        release_source(Git(tmp_path), "1.2")


def test_a_checkout_that_is_not_at_the_tag_is_refused(repository: Path) -> None:
    run(repository, "tag", "v1.2")
    commit(repository)
    message = refusal(repository, "v1.2")
    assert "tag v1.2 is at commit" in message
    assert "git checkout v1.2" in message


@pytest.mark.parametrize("tag", ["v1.2", None])
def test_changed_and_untracked_files_are_listed(repository: Path, tag: str | None) -> None:
    if tag:
        run(repository, "tag", tag)
    (repository / "pyproject.toml").write_text("[tool.setuptools_scm]\n#\n", encoding="utf-8")
    (repository / "ä new").mkdir()
    for number in range(12):
        (repository / "ä new" / f"{number:02}").touch()
    message = refusal(repository, tag)
    assert "    pyproject.toml\n    ä new/00\n" in message
    assert "    and 3 more" in message
    assert "git stash -u" in message


def test_a_file_that_git_ignores_is_no_change(repository: Path) -> None:
    commit(repository, ".gitignore", "/build/\n")
    (repository / "build").mkdir()
    (repository / "build" / "x").touch()
    assert Git(repository).changes() == []


@pytest.mark.parametrize("tag", ["v1.2", None])
def test_a_shallow_clone_is_refused(repository: Path, tmp_path: Path, tag: str | None) -> None:
    commit(repository)
    run(repository, "tag", "v1.2")
    run(tmp_path, "clone", "--quiet", "--depth=1", repository.as_uri(), "shallow")
    assert "git fetch --unshallow --tags" in refusal(tmp_path / "shallow", tag)


def test_two_tags_for_one_version_are_refused(repository: Path) -> None:
    run(repository, "tag", "v1.2.0")
    commit(repository)
    run(repository, "tag", "v1.2")
    message = refusal(repository, "v1.2")
    assert "tags v1.2 and v1.2.0 are one version, 1.2" in message
    assert "git tag -d v1.2.0" in message


def test_of_two_release_tags_on_a_commit_the_one_asked_for_is_released(repository: Path) -> None:
    run(repository, "tag", "v1.2rc2")
    run(repository, "tag", "v1.2")
    assert [str(release_source(Git(repository), tag).version) for tag in ("v1.2", "v1.2rc2")] == ["1.2", "1.2rc2"]


def test_a_tag_that_only_setuptools_scm_reads_as_a_version_is_refused(repository: Path) -> None:
    run(repository, "tag", "--annotate", "--message=other", "release-2.4")
    run(repository, "tag", "v1.2")
    message = refusal(repository, "v1.2")
    assert "setuptools-scm calls the commit of tag v1.2 2.4, not 1.2; the commit also has release-2.4" in message
    assert "git tag -d" in message


def test_a_pretended_version_has_no_say(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(repository, "tag", "v1.2")
    monkeypatch.setenv("SETUPTOOLS_SCM_PRETEND_VERSION", "7.0")
    assert str(scm_version(repository)) == "1.2"


def test_asking_setuptools_scm_writes_no_version_file(repository: Path) -> None:
    commit(repository, "pyproject.toml", '[tool.setuptools_scm]\nversion_file = "_version.py"\n')
    before = state(repository)
    assert scm_version(repository).is_devrelease
    assert state(repository) == before


def test_settings_of_setuptools_scm_that_are_wrong_are_told(repository: Path) -> None:
    commit(repository, "pyproject.toml", '[tool.setuptools_scm]\nversion_scheme = "no-such-scheme"\n')
    with pytest.raises(ReleaseError, match=r"setuptools-scm finds no version .*no-such-scheme"):
        scm_version(repository)


def test_a_clean_commit_without_a_tag_is_a_snapshot(repository: Path) -> None:
    run(repository, "tag", "v1.2")
    head = commit(repository)
    source = snapshot_source(Git(repository))
    assert str(source.version) == f"1.3.dev1+g{head[:9]}"
    assert (source.tag, source.commit, source.created) == ("", head, TIME)


def test_a_commit_with_a_release_tag_is_no_snapshot(repository: Path) -> None:
    run(repository, "tag", "v1.2")
    assert "kfp-release release v1.2" in refusal(repository, None)


def test_a_candidate_needs_no_tag_yet(repository: Path) -> None:
    source = candidate_source(Git(repository), "v1.2")
    assert (str(source.version), source.tag) == ("1.2", "v1.2")
    (repository / "new").touch()
    with pytest.raises(ReleaseError, match="untracked"):
        candidate_source(Git(repository), "v1.2")


def test_a_repository_without_commits_is_refused(tmp_path: Path) -> None:
    run(tmp_path, "init", "--quiet")
    assert "has no commit yet" in refusal(tmp_path, "v1.2")


def test_a_folder_outside_of_git_is_refused(tmp_path: Path) -> None:
    assert "is not in a git repository\n  → run it in a clone" in refusal(tmp_path, "v1.2")


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
    assert (git.tag_commit("nested"), git.tag_commit("v1"), git.tag_commit("v1.0^{}")) == (head, None, None)


def test_released_are_the_release_tags_behind_a_commit(repository: Path) -> None:
    for tag in ("v1.9", "v1.10", "v2.0rc1", "1.2", "v1.02", "nightly"):
        commit(repository, tag)
        run(repository, "tag", tag)
    run(repository, "checkout", "--quiet", "--detach", "v1.10")
    git = Git(repository)
    assert list(map(str, git.released(git.commit()))) == ["1.9", "1.10"]


def test_tracked_files_are_told_relative_to_the_project(repository: Path) -> None:
    project = repository / "project"
    (project / "a").mkdir(parents=True)
    commit(repository, "project/a/b c.txt")
    commit(repository, "project/*.txt")
    (project / "a" / "untracked").touch()
    git = Git(project)
    assert git.tracked(["a"]) == ["a/b c.txt"]
    assert git.tracked(["*.txt"]) == ["*.txt"]
    assert git.tracked([]) == []
    assert git.tracked(["--help"]) == []
    assert git.top() == repository


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
    with pytest.raises(ReleaseError, match="git checkout failed"):
        Git(repository).clone_at("0" * 40, tmp_path / "clone2")
