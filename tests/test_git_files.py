"""The files of a commit, as git has them."""

from __future__ import annotations

from pathlib import Path

import pytest
from git_fixtures import commit, new_repository, run

from kfp_release.errors import ReleaseError
from kfp_release.git import Git
from kfp_release.git_files import CommittedFile


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One commit, no tags."""
    return new_repository(tmp_path / "repository")


def test_they_are_told_relative_to_the_project(repository: Path) -> None:
    project = repository / "project"
    (project / "a").mkdir(parents=True)
    commit(repository, "project/a/b c.txt", "one\n")
    head = commit(repository, "project/*.txt", "")
    (project / "a" / "untracked").touch()
    git = Git(project)
    assert git.files(head, ["a"]) == {"a/b c.txt": CommittedFile(0o644, b"one\n")}
    assert git.files(head, ["*.txt", "a/b c.txt"]) == {
        "*.txt": CommittedFile(0o644, b""),
        "a/b c.txt": CommittedFile(0o644, b"one\n"),
    }
    assert git.files(head, []) == {}
    assert git.files(head, ["--help", "no-such"]) == {}
    assert git.top() == repository


def test_they_are_the_commits_own_whatever_lies_in_the_checkout(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / "run.sh").write_bytes(b"\0\n\xff blob 3\n")
    (repository / "run.sh").chmod(0o775)
    head = commit(repository, "Dockerfile", "FROM scratch\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    (tmp_path / "gitconfig").write_text("[core]\n\tautocrlf = true\n", encoding="utf-8")
    (repository / "Dockerfile").unlink()
    run(repository, "update-index", "--assume-unchanged", "Dockerfile")
    (repository / "Dockerfile").write_bytes(b"FROM other\r\n")
    assert Git(repository).files(head, ["Dockerfile", "run.sh"]) == {
        "Dockerfile": CommittedFile(0o644, b"FROM scratch\n"),
        "run.sh": CommittedFile(0o755, b"\0\n\xff blob 3\n"),
    }


def test_a_symbolic_link_is_no_file(repository: Path) -> None:
    (repository / "link").symlink_to("/etc/hostname")
    head = commit(repository)
    with pytest.raises(ReleaseError, match=r"'link' is a symbolic link\n.*name a file"):
        Git(repository).files(head, ["link"])


def test_a_submodule_is_no_file(repository: Path, tmp_path: Path) -> None:
    other = new_repository(tmp_path / "other")
    run(repository, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", other, "sub")
    head = commit(repository)
    with pytest.raises(ReleaseError, match="'sub' is a submodule"):
        Git(repository).files(head, ["sub"])


def test_what_is_no_commit_is_refused(repository: Path) -> None:
    with pytest.raises(ReleaseError, match="'HEAD' is not a commit in hex"):
        Git(repository).files("HEAD", ["Dockerfile"])


def test_those_right_in_a_folder_are_read_with_what_their_links_lead_to(repository: Path) -> None:
    project = repository / "project"
    (project / "yaml/deeper").mkdir(parents=True)
    for name in ("a.yaml", "b.yml", "README.md", "deeper/c.yaml"):
        (project / "yaml" / name).write_text(f"{name}\n", encoding="utf-8")
    (project / "yaml/link.yaml").symlink_to("deeper/c.yaml")
    (project / "yaml/out.yaml").symlink_to("/etc/hostname")
    head = commit(repository)
    found = Git(project).folder_at(head, "yaml", (".yaml", ".yml"))
    assert found == {
        "yaml/a.yaml": b"a.yaml\n",
        "yaml/b.yml": b"b.yml\n",
        "yaml/link.yaml": b"deeper/c.yaml\n",
        "yaml/out.yaml": b"/etc/hostname",  # a text that is no component file
    }
    assert Git(project).folder_at(head, "yam", (".yaml",)) == {}
    assert Git(project).folder_at(head, "yaml/a.yaml", (".yaml",)) == {}


def test_a_file_whose_name_has_a_line_s_end_is_refused(repository: Path) -> None:
    (repository / "yaml").mkdir()
    head = commit(repository, "yaml/a\nb.yaml", "")
    with pytest.raises(ReleaseError, match="has a line's end in its name"):
        Git(repository).folder_at(head, "yaml", (".yaml",))
