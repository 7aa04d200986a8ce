"""A commit without a tag, published on purpose: to be tried before it is released, and taken by nobody unasked."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import kfp_release, run_git
from test_refusals import _images, _state
from test_release import DISTRIBUTION, change_multiply, small_project

from kfp_release.sandbox import Sandbox

SNAPSHOT = ["release", "--snapshot", "--json"]


@dataclass(frozen=True)
class Published:
    """A repository one commit after its release 1.0, both of which are public."""

    repository: Path
    sandbox: Sandbox
    commit: str
    result: dict[str, Any]

    @property
    def version(self) -> str:
        version: str = self.result["version"]
        return version

    def run(self, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return kfp_release(arguments, cwd=cwd or self.repository, environ=self.sandbox.environ)

    def pip_download(self, target: Path, *options: str) -> list[str]:
        """The wheel that pip chooses."""
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir"]
        environ = {**os.environ, "PIP_INDEX_URL": self.sandbox.pip_index_url}
        subprocess.run([*command, "--dest", target, *options], env=environ, check=True, capture_output=True)
        return [path.name for path in target.iterdir()]


@pytest.fixture(scope="module")
def published(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Published:
    repository = small_project(tmp_path_factory.mktemp("snapshot") / "project")
    run_git(repository, "tag", "v1.0")
    done = kfp_release(["release", "v1.0", "--create-repository"], cwd=repository, environ=sandbox.environ)
    assert done.returncode == 0, done.stderr
    change_multiply(repository)
    commit = run_git(repository, "rev-parse", "HEAD").strip()
    done = kfp_release(SNAPSHOT, cwd=repository, environ=sandbox.environ)
    assert done.returncode == 0, done.stderr
    return Published(repository, sandbox, commit, json.loads(done.stdout))


def test_its_version_tells_the_commit(published: Published) -> None:
    assert re.fullmatch(r"1\.1\.dev1\+g[0-9a-f]{7,40}", published.version)
    assert published.commit.startswith(published.version.partition("+g")[2])
    assert published.result["commit"] == published.commit
    record = json.loads((published.repository / "dist/release.json").read_bytes())
    assert (record["version"], record["tag"], record["commit"]) == (published.version, "", published.commit)


def test_its_image_tag_has_a_minus_for_the_plus(published: Published) -> None:
    tag = published.version.replace("+", "-")
    pin = published.result["images"]["demo"]
    assert f"/demo:{tag}@sha256:" in pin
    tags = {tag: image["imageDigest"] for image in _images(published.sandbox) for tag in image.get("imageTags", ())}
    assert tags[tag] == pin.partition("@")[2]
    assert tags[tag] != tags["1.0"]


def test_it_stands_on_the_runtime_of_the_release(published: Published) -> None:
    assert [runtime["how"] for runtime in published.result["runtimes"]] == ["found"]


def test_every_component_of_its_wheel_is_pinned_to_it(published: Published) -> None:
    pin = published.result["images"]["demo"].encode()
    (path,) = (published.repository / "dist").glob("*.whl")
    assert f"-{published.version}-py3" in path.name
    with zipfile.ZipFile(path) as wheel:
        files = [wheel.read(name) for name in wheel.namelist() if name.endswith(".yaml")]
    assert files
    assert all(file.count(pin) == 1 and file.count(b"/demo") == 1 for file in files)


def test_pip_takes_the_release_unless_it_is_asked_for_the_snapshot(published: Published, tmp_path: Path) -> None:
    name = DISTRIBUTION.replace("-", "_")
    assert published.pip_download(tmp_path / "unasked", DISTRIBUTION) == [f"{name}-1.0-py3-none-any.whl"]
    snapshot = [f"{name}-{published.version}-py3-none-any.whl"]
    assert published.pip_download(tmp_path / "pre", "--pre", DISTRIBUTION) == snapshot
    assert published.pip_download(tmp_path / "exact", f"{DISTRIBUTION}=={published.version}") == snapshot


def test_verify_agrees_from_an_empty_folder(published: Published, tmp_path: Path) -> None:
    done = published.run("verify", published.version, "--name", DISTRIBUTION, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["problems"] == []


def modified(repository: Path) -> None:
    with (repository / "README.md").open("a") as file:
        file.write("One more line.\n")


def untracked(repository: Path) -> None:
    (repository / "left-behind.txt").write_text("x")


def tagged(repository: Path) -> None:
    run_git(repository, "checkout", "--quiet", "v1.0")


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (modified, ["    README.md", "git status shows them; commit them, or put them aside with git stash -u"]),
        (untracked, ["    left-behind.txt", "git stash -u"]),
        (tagged, ["has the release tag v1.0, so it is no snapshot", "kfp-release release v1.0"]),
    ],
)
def test_it_is_refused_with_the_command_that_mends_it(
    published: Published, tmp_path: Path, spoil: Callable[[Path], None], expected: list[str]
) -> None:
    clone = tmp_path / "clone"
    run_git(tmp_path, "clone", "--quiet", str(published.repository), str(clone))
    spoil(clone)
    before = _state(clone), _images(published.sandbox)
    done = kfp_release(SNAPSHOT, cwd=clone, environ=published.sandbox.environ)
    assert (done.returncode, done.stdout) == (1, "")
    assert [text for text in expected if text not in done.stderr] == []
    assert "Traceback" not in done.stderr
    assert (_state(clone), _images(published.sandbox)) == before


def test_a_tag_and_a_snapshot_at_once_are_wrong_use(published: Published) -> None:
    done = published.run("release", "v1.0", "--snapshot")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--snapshot" in done.stderr
