"""The folders of many commits, read together: by git's names for what is in them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from git_fixtures import TIME, commit, run

from kfp_release.errors import ReleaseError
from kfp_release.git_trees import commit_times, committed_blobs, committed_folders, folder_in_repository

YAML = (".yaml", ".yml")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    run(tmp_path, "init", "--quiet", "--initial-branch=main")
    (tmp_path / "yaml").mkdir()
    return tmp_path


def contents(root: Path, at: str, folder: str = "yaml") -> dict[str, bytes]:
    blobs = committed_folders(root, {at: folder}, YAML)[at].blobs
    data = dict(committed_blobs(root, blobs.values()))
    return {path: data[blob] for path, blob in blobs.items()}


def test_each_commit_has_its_own_files(root: Path) -> None:
    first = commit(root, "yaml/a.yaml", "1\n")
    (root / "yaml/b.yml").write_text("2\n", encoding="utf-8")
    second = commit(root, "yaml/a.yaml", "3\n")
    (root / "yaml/a.yaml").unlink()
    third = commit(root, "notes.txt")
    found = committed_folders(root, {first: "yaml", second: "yaml/", third: "yaml"}, YAML)
    assert [sorted(found[at].blobs) for at in (first, second, third)] == [
        ["yaml/a.yaml"],
        ["yaml/a.yaml", "yaml/b.yml"],
        ["yaml/b.yml"],
    ]
    assert contents(root, first) == {"yaml/a.yaml": b"1\n"}
    assert contents(root, second) == {"yaml/a.yaml": b"3\n", "yaml/b.yml": b"2\n"}


def test_a_folder_says_where_it_is_in_the_repository(root: Path) -> None:
    (root / "teams/a b").mkdir(parents=True)
    assert [folder_in_repository(at) for at in (root, root / "teams/a b")] == ["", "teams/a b/"]


def test_folders_of_the_same_files_have_one_key(root: Path) -> None:
    first = commit(root, "yaml/a.yaml", "1\n")
    second = commit(root, "yaml/other.txt")
    third = commit(root, "yaml/a.yaml", "2\n")
    fourth = commit(root, "yaml/a.yaml", "1\n")
    keys = [committed_folders(root, {at: "yaml"}, YAML)[at].key for at in (first, second, third, fourth)]
    assert keys[0] == keys[1] == keys[3] != keys[2]


def test_only_files_right_in_the_folder_with_the_endings_count(root: Path) -> None:
    (root / "yaml/deeper.yaml").mkdir()
    (root / "yaml/deeper.yaml/a.yaml").write_text("1\n", encoding="utf-8")
    (root / "yaml/readme.md").write_text("1\n", encoding="utf-8")
    assert contents(root, commit(root, "yaml/b.yaml", "2\n")) == {"yaml/b.yaml": b"2\n"}


def test_a_commit_without_the_folder_has_no_files(root: Path) -> None:
    at = commit(root, "a.yaml", "1\n")
    assert contents(root, at) == {}
    assert contents(root, at, "a.yaml") == {}


def test_links_are_followed_in_the_commit_and_left_out_where_they_lead_out_of_it(root: Path) -> None:
    (root / "beside.txt").write_text("shared\n", encoding="utf-8")
    for name, target in (("in.yaml", "../beside.txt"), ("out.yaml", "/etc/passwd"), ("gone.yaml", "../none")):
        (root / "yaml" / name).symlink_to(target)
    assert contents(root, commit(root, "yaml/a.yaml", "1\n")) == {
        "yaml/a.yaml": b"1\n",
        "yaml/in.yaml": b"shared\n",
    }


def test_paths_are_those_of_the_project_in_a_repository_of_several(root: Path) -> None:
    project = root / "one"
    (project / "yaml").mkdir(parents=True)
    (project / "yaml/a.yaml").write_text("1\n", encoding="utf-8")
    at = commit(root, "yaml/b.yaml", "2\n")
    assert contents(project, at) == {"yaml/a.yaml": b"1\n"}


def test_a_name_that_is_no_utf_8_is_shown_as_such(root: Path) -> None:
    Path(os.fsdecode(os.fsencode(root / "yaml") + b"/\xff.yaml")).write_text("1\n", encoding="utf-8")
    (root / "yaml/two\nlines.yaml").write_text("2\n", encoding="utf-8")
    assert contents(root, commit(root, "a.txt")) == {"yaml/\ufffd.yaml": b"1\n"}


def test_a_blob_that_the_clone_lacks_is_told(root: Path) -> None:
    commit(root)
    with pytest.raises(ReleaseError, match="lacks the blob 000000000000") as caught:
        dict(committed_blobs(root, ["0" * 40]))
    assert caught.value.remedy == "git fetch --all --tags"


def test_a_folder_with_a_line_end_in_its_name_is_refused(root: Path) -> None:
    at = commit(root)
    with pytest.raises(ReleaseError, match="has a line's end in its name"):
        committed_folders(root, {at: "two\nlines"}, YAML)


def test_the_times_of_commits_are_asked_for_together(root: Path) -> None:
    ats = [commit(root, name) for name in ("a.txt", "b.txt")]
    assert commit_times(root, ats) == dict.fromkeys(ats, TIME)
    assert commit_times(root, []) == {}
