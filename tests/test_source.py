"""What may be released from a checkout. Every refusal names the command that mends it."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
from git_fixtures import TIME, commit, new_repository, run, state

from kfp_release.errors import MAKE_ROOM, ReleaseError
from kfp_release.git import Git
from kfp_release.scm_version import scm_version
from kfp_release.source import candidate_source, committed_source, release_source, snapshot_source, tagged_source
from kfp_release.version import ReleaseVersion


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One commit, no tags."""
    return new_repository(tmp_path / "repository")


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


@pytest.mark.parametrize(
    "said",
    [
        "fatal: sha1 file '.git/index.lock' write error. Out of diskspace",
        "error: unable to write file a.txt",
        "fatal: write error: No space left on device",
    ],
)
def test_a_git_whose_disk_is_full_is_no_repository_without_tags(
    said: str, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(repository, "tag", "v1.2")
    fails = f'case " $* " in *" describe "*) echo "{said}" >&2; exit 128; esac'
    full = tmp_path / "git"
    full.write_text(f'#!/bin/sh\n{fails}\nexec {shutil.which("git")} "$@"\n')
    full.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(ReleaseError, match=re.escape(said)) as caught:
        release_source(Git(repository), "v1.2")
    assert caught.value.remedy == MAKE_ROOM


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


def test_files_that_are_as_their_commit_has_them_may_be_built_from(repository: Path) -> None:
    head = commit(repository, "Dockerfile", "FROM scratch\n")
    (repository / "elsewhere").touch()
    assert committed_source(Git(repository), ["Dockerfile", "missing"]) == head
    (repository / "Dockerfile").write_text("FROM other\n", encoding="utf-8")
    with pytest.raises(ReleaseError, match=r"    Dockerfile\n.*commit them"):
        committed_source(Git(repository), ["Dockerfile"])


def test_a_tag_is_taken_from_wherever_the_checkout_is(repository: Path) -> None:
    at = run(repository, "rev-parse", "HEAD")
    run(repository, "tag", "--annotate", "--message=first", "v1.2")
    commit(repository)
    (repository / "a.txt").write_text("changed\n")
    before = state(repository)
    source = tagged_source(Git(repository), ReleaseVersion.parse("1.2"))
    assert (source.tag, source.commit, source.created) == ("v1.2", at, TIME)
    assert state(repository) == before


def test_a_tag_that_is_taken_has_to_be_there_once(repository: Path) -> None:
    with pytest.raises(ReleaseError, match=r"has no tag v1\.2\n  → git fetch --tags"):
        tagged_source(Git(repository), ReleaseVersion.parse("1.2"))
    run(repository, "tag", "v1.2")
    run(repository, "tag", "v1.2.0")
    with pytest.raises(ReleaseError, match=r"tags v1\.2 and v1\.2\.0 are one version"):
        tagged_source(Git(repository), ReleaseVersion.parse("1.2"))
