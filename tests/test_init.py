"""`kfp-release init` with all kinds of folders and answers: what it writes, what it says, and that nothing changes."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import kfp_release, run_git

from kfp_release.credentials import Credentials
from kfp_release.errors import ReleaseError
from kfp_release.init import NewFile, write_files
from kfp_release.sandbox.index import IndexServer

ECR = "533211398604.dkr.ecr.eu-north-1.amazonaws.com"
GIVEN = {
    "--distribution": "forecasting-components",
    "--repository": f"{ECR}/forecasting/parts",
    "--source": "https://github.com/forecasting/components",
    "--index-url": "https://pypi.data-science.example/simple/",
}
FILES = 19
"""Without the lock of the tool, which the index has hashes for."""


@dataclass(frozen=True)
class Init:
    """The command, run in a folder as kfp-release 1.1, whose metadata come first on the path."""

    folder: Path
    metadata: Path

    def run(
        self, *more: str, given: dict[str, str] = GIVEN, environ: dict[str, str] | None = None, offline: bool = True
    ) -> subprocess.CompletedProcess[str]:
        words = [word for pair in given.items() for word in pair]
        arguments = ["init", *words, *["--offline"] * offline, *more]
        return kfp_release(arguments, cwd=self.folder, environ={"PYTHONPATH": str(self.metadata), **(environ or {})})

    def refused(self, *more: str, given: dict[str, str] = GIVEN, **options: Any) -> str:
        """What it says where it refuses; the folder is what it was before."""
        before = self.contents()
        done = self.run(*more, given=given, **options)
        assert (done.returncode, done.stdout) == (1, "")
        assert "Traceback" not in done.stderr
        assert self.contents() == before
        return done.stderr

    def written(self, *more: str, **options: Any) -> dict[str, Any]:
        done = self.run("--json", *more, **options)
        assert done.returncode == 0, done.stderr
        value: dict[str, Any] = json.loads(done.stdout)
        return value

    def contents(self) -> dict[str, bytes | None]:
        """Of all that is in the folder; None of folders and links."""
        paths = (path for path in self.folder.rglob("*") if ".git" not in path.relative_to(self.folder).parts)
        return {str(path): path.read_bytes() if path.is_file() else None for path in paths}


def metadata_of(folder: Path, version: str) -> Path:
    """A folder for PYTHONPATH, which makes this checkout that version of the tool."""
    about = folder / f"kfp_release-{version}.dist-info"
    about.mkdir(parents=True)
    text = f"Metadata-Version: 2.1\nName: kfp-release\nVersion: {version}\n"
    (about / "METADATA").write_text(text, encoding="utf-8")
    return folder


def asking(index: IndexServer) -> dict[str, str]:
    """The environment that leads to the index."""
    urls = {"KFP_RELEASE_SIMPLE_URL": index.simple_url, "TWINE_REPOSITORY_URL": index.upload_url}
    return {**urls, "TWINE_USERNAME": "reader", "TWINE_PASSWORD": "secret"}


@pytest.fixture(scope="module")
def metadata(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return metadata_of(tmp_path_factory.mktemp("metadata"), "1.1")


@pytest.fixture
def init(metadata: Path, tmp_path: Path) -> Init:
    return Init(tmp_path, metadata)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IndexServer]:
    """An index with a wheel that is called as the tool's."""
    folder = tmp_path_factory.mktemp("index")
    (folder / "packages").mkdir()
    (folder / "packages/kfp_release-1.1-py3-none-any.whl").write_bytes(b"wheel")
    (folder / "packages/kfp_release-1.10-py3-none-any.whl").write_bytes(b"another version")
    server = IndexServer(folder, Credentials("reader", "secret"))
    server.start()
    yield server
    server.stop()


def test_it_writes_into_a_new_folder_and_a_second_time_it_changes_nothing(init: Init) -> None:
    first = init.written("new/parts")
    assert [file["state"] for file in first["files"]] == ["new"] * FILES
    assert "it is no git repository yet: git init new/parts" in first["notes"]
    before = init.contents()
    assert {file["state"] for file in init.written("new/parts")["files"]} == {"unchanged"}
    assert init.contents() == before


def test_a_dry_run_lists_the_files_and_writes_none(init: Init) -> None:
    done = init.run("--dry-run")
    assert done.returncode == 0, done.stderr
    assert f"{FILES} files to write" in done.stdout
    assert "src/forecasting_components/add.py" in done.stdout
    assert init.contents() == {}


def test_names_follow_from_the_folder_from_each_other_and_from_git(init: Init) -> None:
    folder = init.folder / "Forecasting.Parts"
    folder.mkdir()
    run_git(folder, "init", "--quiet")
    run_git(folder, "remote", "add", "origin", "git@github.com:forecasting/components.git")
    given = {name: GIVEN[name] for name in ("--repository", "--index-url")}
    init.written(folder.name, given=given)
    value = tomllib.loads((folder / "pyproject.toml").read_text())
    settings = value["tool"]["kfp-release"]
    assert value["project"]["name"] == "Forecasting.Parts"
    assert (settings["package"], settings["source"]) == ("forecasting_parts", GIVEN["--source"])
    assert list(settings["images"]) == ["parts"]
    assert settings["index"]["upload-url"] == "https://pypi.data-science.example/"


def test_all_that_is_missing_is_one_error(init: Init) -> None:
    said = init.refused(given={})
    assert [line for line in said.splitlines() if "is missing" in line] == [
        "error: --index-url: is missing",
        "--repository: is missing",
        "--source: is missing",
    ]


def test_all_wrong_answers_are_one_error_too_and_no_password_is_shown(init: Init) -> None:
    wrong = {"--package": "1st", "--index-url": "https://user:hunter2@pypi.example/simple/", "--image": 'a"]'}
    said = init.refused(given={**GIVEN, **wrong})
    assert "--package: '1st' is not the name of a package" in said
    assert "--index-url: the URL carries credentials (an @)" in said
    assert "--image: 'a\"]' is no name of an image" in said
    assert "hunter2" not in said
    assert "'main' is not a commit in hex" in init.refused("--workflow-commit", "main")


def test_a_folder_that_is_a_file_or_lies_in_one_is_refused(init: Init) -> None:
    (init.folder / "file").write_text("x")
    assert "file is no folder" in init.refused("file")
    assert "nothing was written" in init.refused("file/parts")


def test_where_the_machine_lets_nothing_be_written_there_is_one_line(init: Init) -> None:
    said = init.refused("/proc/parts")
    assert "/proc/parts" in said
    assert "nothing was written" in said


def test_links_are_not_followed(init: Init) -> None:
    (init.folder / "yaml").mkdir()
    (init.folder / "yaml/add.yaml").symlink_to("/proc/nothing/add.yaml")
    assert "yaml/add.yaml: is a link, which is not followed" in init.refused()
    (init.folder / "yaml/add.yaml").unlink()
    (init.folder / "yaml").rmdir()
    (init.folder / "yaml").symlink_to(init.metadata)
    assert "yaml/add.yaml: yaml is a link, which is not followed" in init.refused()
    assert [path.name for path in init.metadata.iterdir()] == ["kfp_release-1.1.dist-info"]


def test_an_update_reads_what_names_the_tool_and_follows_no_link_either(init: Init) -> None:
    init.written()
    (init.folder / "README.md").unlink()
    (init.folder / "README.md").symlink_to("/proc/nothing")
    assert {file["state"] for file in init.written("--update", given={})["files"]} == {"unchanged"}
    elsewhere = init.folder / "elsewhere"
    (init.folder / ".github").rename(elsewhere)
    (init.folder / ".github").symlink_to(elsewhere)
    (init.folder / ".pre-commit-config.yaml").unlink()
    (init.folder / ".pre-commit-config.yaml").symlink_to("/proc/nothing")
    said = init.refused("--update", given={})
    assert said.count("is a link, which is not followed") == 4
    assert ".github/workflows/release.yml: .github is a link" in said


def test_what_was_written_before_a_failure_is_taken_away(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("", encoding="utf-8")
    (tmp_path / "pyproject.toml").chmod(0o640)
    done = NewFile("pyproject.toml", "completed", b"more", before=b"")
    files = (done, NewFile("a/b/c", "new", b""), NewFile("a/d", "new", b""), NewFile("e", "new", b""))
    (tmp_path / "e").write_text("somebody was faster", encoding="utf-8")
    with pytest.raises(ReleaseError, match="e: File exists; nothing was written"):
        write_files(tmp_path, files)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "pyproject.toml": "",
        "e": "somebody was faster",
    }
    assert (tmp_path / "pyproject.toml").stat().st_mode & 0o777 == 0o640


def test_a_file_that_is_completed_is_replaced_whole(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("before", encoding="utf-8")
    with (tmp_path / "pyproject.toml").open() as open_before:
        write_files(tmp_path, (NewFile("pyproject.toml", "completed", b"after", before=b"before"),))
        assert open_before.read() == "before"
    assert [path.read_text() for path in tmp_path.iterdir()] == ["after"]


def test_all_files_that_are_in_the_way_are_named_and_none_changes(init: Init) -> None:
    (init.folder / "README.md").write_text("Ours.\n")
    (init.folder / "Dockerfile").mkdir()
    (init.folder / "src").write_text("a file\n")
    said = init.refused()
    assert "Dockerfile: is there and cannot be read" in said
    assert "README.md: is there with another content, and is not overwritten" in said
    assert "src/forecasting_components/add.py: src is no folder" in said


def test_files_are_kept_where_that_is_asked_for(init: Init) -> None:
    (init.folder / "README.md").write_text("Ours.\n")
    states = {file["path"]: file["state"] for file in init.written("--keep")["files"]}
    assert states.pop("README.md") == "kept"
    assert {*states.values()} == {"new"}
    assert (init.folder / "README.md").read_text() == "Ours.\n"


def test_a_pyproject_without_settings_gets_them_at_its_end(init: Init) -> None:
    run_git(init.folder, "init", "--quiet")
    ours = '[project]\nname = "forecasting-components"  # ours\ndynamic = ["version"]\ndependencies = ["kfp"]'
    (init.folder / "pyproject.toml").write_text(ours)
    states = {file["path"]: file["state"] for file in init.written()["files"]}
    assert states["pyproject.toml"] == "completed"
    text = (init.folder / "pyproject.toml").read_text()
    assert text.startswith(f"{ours}\n\n[build-system]\n")
    assert tomllib.loads(text)["project"]["scripts"] == {"add": "forecasting_components.add:main"}
    done = kfp_release(["check"], cwd=init.folder, environ={})
    assert (done.returncode, done.stdout) == (0, "Nothing is wrong.\n")
    assert {file["state"] for file in init.written("--keep")["files"]} == {"unchanged", "kept"}


def test_packages_beside_src_are_refused_before_setuptools_looks_elsewhere(init: Init) -> None:
    for name in ("forecasts", "tests"):
        (init.folder / name).mkdir()
        (init.folder / name / "__init__.py").touch()
    said = init.refused()
    assert "forecasts: is a package outside of src" in said
    assert "git mv forecasts src/forecasts" in said
    assert "tests: is" not in said
    (init.folder / "src").mkdir()
    (init.folder / "forecasting_components").mkdir()
    said = init.refused("--keep")
    assert "git mv forecasting_components src/forecasting_components" in said
    assert "forecasts:" not in said


def test_the_name_of_a_pyproject_that_is_there_comes_before_the_folder_s(init: Init) -> None:
    ours = '[project]\nname = "forecasting-components"\ndynamic = ["version"]\ndependencies = ["kfp"]\n'
    (init.folder / "pyproject.toml").write_text(ours)
    given = {name: text for name, text in GIVEN.items() if name != "--distribution"}
    states = {file["path"]: file["state"] for file in init.written(given=given)["files"]}
    assert (states["pyproject.toml"], states["src/forecasting_components/add.py"]) == ("completed", "new")


def test_a_pyproject_that_says_otherwise_is_left_and_the_text_to_write_is_given(init: Init) -> None:
    (init.folder / "pyproject.toml").write_text(
        '[project]\nname = "others"\ndynamic = ["version", "dependencies"]\n', encoding="utf-8"
    )
    said = init.refused()
    assert said.startswith("error: pyproject.toml:1: is of another name than forecasting-components\n")
    assert '\n    name = "forecasting-components"\n' in said


def test_settings_that_are_there_are_never_replaced(init: Init) -> None:
    (init.folder / "pyproject.toml").write_text('[tool.kfp-release]\npackage = "x"\n')
    assert "pyproject.toml: is there with another content" in init.refused()


def test_in_a_folder_of_a_repository_it_says_where_github_looks(init: Init) -> None:
    run_git(init.folder, "init", "--quiet")
    tried, written = (init.written("new/parts", *more)["notes"] for more in (("--dry-run",), ()))
    assert [note for note in written if f"in {init.folder} alone: move them there" in note]
    assert tried == written


def test_the_lock_has_the_tool_s_hashes_of_the_index(init: Init, index: IndexServer) -> None:
    init.written(environ=asking(index), offline=False)
    lock = (init.folder / "locks/release.lock").read_text()
    digest = hashlib.sha256(b"wheel").hexdigest()
    assert lock.startswith(f"kfp-release[cli]==1.1 \\\n    --hash=sha256:{digest}\n")
    assert "pypi.data-science.example" in (init.folder / "pyproject.toml").read_text()


def test_an_index_that_refuses_or_lacks_the_version_is_told(init: Init, index: IndexServer, tmp_path: Path) -> None:
    environ = {"KFP_RELEASE_SIMPLE_URL": index.simple_url, "TWINE_REPOSITORY_URL": index.upload_url}
    said = init.refused(environ=environ, offline=False)
    assert "401" in said
    assert "; --offline leaves locks/release.lock out" in said
    environ = {**asking(index), "PYTHONPATH": str(metadata_of(tmp_path / "other", "1.2"))}
    said = init.refused(environ=environ, offline=False)
    assert "the index has no kfp-release 1.2" in said
    assert "--offline" in said


def test_a_newer_tool_updates_what_names_it_and_nothing_else(init: Init, index: IndexServer, tmp_path: Path) -> None:
    init.written("parts")
    folder = init.folder / "parts"
    (folder / "locks/release.lock").write_text("kfp-release[cli]==1.1\n")
    (folder / "README.md").write_text("Ours.\n")
    pyproject = folder / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace('"setuptools==84.2.1"', '"setuptools==70", "more==1"'))
    before = init.contents()
    environ = {**asking(index), "PYTHONPATH": str(metadata_of(tmp_path / "metadata", "1.10"))}
    done = init.run("parts", "--update", "--json", given={}, environ=environ, offline=False)
    assert done.returncode == 0, done.stderr
    states = {file["path"]: file["state"] for file in json.loads(done.stdout)["files"]}
    called = tuple(f".github/workflows/{name}.yml" for name in ("release", "reconcile", "catalog"))
    expected = ("pyproject.toml", "locks/release.lock", ".pre-commit-config.yaml", *called)
    assert states == dict.fromkeys(expected, "updated")
    changed = {path for path, data in init.contents().items() if before.get(path) != data}
    assert {str(folder / path) for path in states} == {path for path in changed if "/parts/" in path}
    requires = tomllib.loads(pyproject.read_text())["build-system"]["requires"]
    assert {"kfp-release==1.10", "setuptools==84.2.1", "more==1"} <= set(requires)
    assert (folder / "locks/release.lock").read_text().startswith("kfp-release[cli]==1.10 \\\n    --hash=sha256:")
    assert "/release.yml@v1.10 #" in (folder / ".github/workflows/release.yml").read_text()
    assert "    rev: v1.10\n" in (folder / ".pre-commit-config.yaml").read_text()
    again = init.run("parts", "--update", "--json", given={}, environ=environ, offline=False)
    assert {file["state"] for file in json.loads(again.stdout)["files"]} == {"unchanged"}


def test_an_update_tells_which_right_the_caller_of_an_older_version_does_not_grant(init: Init) -> None:
    said = "add attestations: write to the permissions in .github/workflows/release.yml: without it GitHub starts no"
    assert said not in " ".join(init.written()["notes"])
    caller = init.folder / ".github/workflows/release.yml"
    lines = caller.read_text().splitlines(keepends=True)
    caller.write_text("".join(line for line in lines if "attestations:" not in line))
    assert said in " ".join(init.written("--update", given={})["notes"])


def test_an_update_adds_the_lock_that_was_left_out(init: Init, index: IndexServer) -> None:
    init.written()
    written = init.written("--update", given={}, environ=asking(index), offline=False)
    assert {file["path"]: file["state"] for file in written["files"]}["locks/release.lock"] == "new"
    assert (init.folder / "locks/release.lock").is_file()


@pytest.mark.parametrize("settings", ['devpi = "https://devpi.example/team/prod/"', 's3 = "s3://team/python"'])
def test_an_update_asks_an_index_of_any_kind_that_is_configured(init: Init, index: IndexServer, settings: str) -> None:
    """The sandbox's takes its place here."""
    init.written()
    pyproject = init.folder / "pyproject.toml"
    text = pyproject.read_text().partition("[tool.kfp-release.index]\n")[0]
    pyproject.write_text(f"{text}[tool.kfp-release.index]\n{settings}\n")
    states = init.written("--update", given={}, environ=asking(index), offline=False)["files"]
    assert {file["path"] for file in states if file["state"] == "new"} == {"locks/release.lock"}


def test_an_update_needs_a_sound_configuration_and_no_answers(init: Init) -> None:
    assert "pyproject.toml cannot be read" in init.refused("--update", given={})
    init.written()
    pyproject = init.folder / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace("upload-url", "upload-uri"))
    assert "did you mean upload-url?" in init.refused("--update", given={})
    done = init.run("--update")
    assert done.returncode == 2
    assert "--distribution is for a new repository" in done.stderr


def test_an_update_lowers_no_version_and_makes_no_tag_of_a_commit(init: Init, tmp_path: Path) -> None:
    init.written("--workflow-commit", "c0ffee" * 6 + "c0de")
    said = init.refused("--update", given={}, environ={"PYTHONPATH": str(metadata_of(tmp_path / "old", "1.0"))})
    assert "pyproject.toml: [build-system] requires kfp-release 1.1, and this is the older 1.0" in said
    environ = {"PYTHONPATH": str(metadata_of(tmp_path / "new", "1.2"))}
    said = init.refused("--update", given={}, environ=environ)
    assert ".github/workflows/reconcile.yml:22: is bound to the commit c0ffeec0ffee, and a tag would take its" in said
    assert ".pre-commit-config.yaml:4: is bound to the commit" in said
    init.written("--update", "--workflow-commit", "beef" * 10, given={}, environ=environ)
    assert f"release.yml@{'beef' * 10} # v1.2\n" in (init.folder / ".github/workflows/release.yml").read_text()


def test_where_no_version_of_the_tool_is_named_there_is_nothing_to_update(init: Init) -> None:
    init.written()
    pyproject = init.folder / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace("kfp-release==1.1", "kfp-release>=1.1"))
    said = init.refused("--update", given={})
    assert "pyproject.toml: [build-system] requires no exact version of kfp-release" in said
    assert init.run("--update", "--keep").returncode == 2


def test_what_is_no_release_of_the_tool_is_bound_to_no_repository(init: Init, tmp_path: Path) -> None:
    said = init.refused(environ={"PYTHONPATH": str(metadata_of(tmp_path / "other", "1.2.dev3+gabc"))})
    assert "this is kfp-release 1.2.dev3+gabc, which is no release" in said


def test_a_workflow_s_commit_takes_the_place_of_its_tag(init: Init) -> None:
    init.written("--workflow-commit", "c0ffee" * 6 + "c0de")
    text = (init.folder / ".github/workflows/release.yml").read_text()
    assert f"release.yml@{'c0ffee' * 6}c0de # v1.1\n" in text


def asked(init: Init, *answers: str, options: tuple[str, ...] = ()) -> tuple[int, str]:
    """Exit code, and what is on stderr, where somebody types these answers."""
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "wb") as keyboard, os.fdopen(theirs, "rb") as terminal:
        keyboard.write("".join(f"{answer}\n" for answer in answers).encode())
        keyboard.flush()
        done = subprocess.run(
            [sys.executable, "-m", "kfp_release", "init", "parts", "--offline", "--json", *options],
            cwd=init.folder,
            env={**os.environ, "PYTHONPATH": str(init.metadata)},
            stdin=terminal,
            capture_output=True,
            text=True,
            check=False,
        )
    return done.returncode, done.stderr


def test_on_a_terminal_it_asks_and_asks_again_where_an_answer_is_wrong(init: Init) -> None:
    wrong = f"{ECR}/forecasting/parts:1.0"
    answers = ("", "", wrong, GIVEN["--repository"], "image", GIVEN["--source"], GIVEN["--index-url"], "")
    status, said = asked(init, *answers)
    assert status == 0, said
    assert "Name of the Python distribution [parts]: " in said
    assert "carries a tag\n  → write the repository alone" in said
    assert said.count("ECR repository of the image: ") == 2
    assert list(tomllib.loads((init.folder / "parts/pyproject.toml").read_text())["tool"]["kfp-release"]["images"]) == [
        "image"
    ]


def test_on_a_terminal_nothing_is_asked_where_all_is_known(init: Init) -> None:
    status, said = asked(init, options=tuple(word for pair in GIVEN.items() for word in pair))
    assert (status, said) == (0, "")


def test_a_wrong_option_is_told_before_anything_is_asked(init: Init) -> None:
    status, said = asked(init, options=("--package", "1st"))
    assert status == 1
    assert said.startswith("error: --package: '1st' is not the name of a package")
    assert "Name of the Python distribution" not in said
