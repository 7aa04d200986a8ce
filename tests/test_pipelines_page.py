"""docs/pipelines.md, done as it stands by somebody with a fresh virtual environment and a version in the index."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from conftest import PROJECT, kfp_release, run_git
from pages import blocks, commands
from test_release import small_project

from kfp_release.config import Config
from kfp_release.index_settings import IndexUrls
from kfp_release.sandbox import Sandbox

PAGE = PROJECT / "docs" / "pipelines.md"


@dataclass(frozen=True)
class Author:
    """A folder with a virtual environment, and a sandbox whose index has version 1.0."""

    home: Path
    components: Path
    """A checkout of their repository."""
    sandbox: Sandbox
    simple_url: str

    def run(self, *command: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run it in the author's folder, with the programs of the environment first and kfp-release behind them."""
        programs = (self.home / "venv/bin", Path(sys.executable).parent)
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
        return subprocess.run(
            command,
            cwd=cwd or self.home,
            env={
                **environ,
                **self.sandbox.environ,
                "HOME": str(self.home),  # where pip finds the index's password, as the page says
                "PATH": os.pathsep.join([*map(str, programs), os.environ["PATH"]]),
                "PIP_CONFIG_FILE": os.environ.get("PIP_CONFIG_FILE", ""),
                "PIP_COMPILE": "0",  # most of the time, and most of it is never imported
                "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def follow(self, command: str) -> str:
        """Run a command of the page, the address of its index replaced by that of the sandbox's; what it prints."""
        words = [
            word.replace(self.simple_url, self.sandbox.environ["KFP_RELEASE_SIMPLE_URL"])
            for word in shlex.split(command)
        ]
        done = self.run(*words, cwd=self.components if words[0] == "kfp-release" else None)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def author(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Author:
    folder = tmp_path_factory.mktemp("pipelines")
    repository = small_project(folder / "project")
    run_git(repository, "tag", "v1.0")
    done = kfp_release(["release", "v1.0", "--create-repository"], cwd=repository, environ=sandbox.environ)
    assert done.returncode == 0, done.stderr
    home = folder / "pipelines"
    venv.create(home / "venv", with_pip=True)
    shutil.copytree(PROJECT / "examples", home / "examples")
    environ = sandbox.environ
    host = urlsplit(environ["KFP_RELEASE_SIMPLE_URL"]).hostname
    netrc = home / ".netrc"
    netrc.touch(0o600)
    netrc.write_text(f"machine {host} login {environ['TWINE_USERNAME']} password {environ['TWINE_PASSWORD']}\n")
    index = Config.parse((PROJECT / "pyproject.toml").read_bytes(), {}).require_index()
    assert isinstance(index, IndexUrls)
    return Author(home, repository, sandbox, index.simple_url)


def test_every_command_and_snippet_of_the_page_works(author: Author) -> None:
    # One test, for each begins where the one before has ended.
    told = {command: author.follow(command) for command in commands(PAGE)}
    assert "multiply_op" in told["python -m kubeflow_demo_components"]
    assert '"exact": true' in told["python -m kubeflow_demo_components --json"]
    for number, snippet in enumerate(blocks(PAGE, "python")):
        file = author.home / f"snippet_{number}.py"
        file.write_text(snippet, encoding="utf-8")
        done = author.run("python", "-W", "error::UserWarning", file)
        assert done.returncode == 0, done.stderr
