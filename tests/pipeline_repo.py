"""A copy of examples/pipeline-repo as a repository of its own, its index's address replaced by that of a sandbox."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from conftest import PROJECT, commit_all, kfp_release, run_git
from test_release import small_project

from kfp_release.sandbox import Sandbox

EXAMPLE = PROJECT / "examples" / "pipeline-repo"
URL = "https://pypi.data-science.example/"
HOST = "pypi.data-science.example"


@dataclass(frozen=True)
class PipelineRepo:
    """The copy, and the home of who works in it: the index's password is in its netrc, as the README says."""

    folder: Path
    home: Path
    sandbox: Sandbox

    @property
    def netrc(self) -> Path:
        return self.home / ".netrc"

    def environ(self, **more: str) -> dict[str, str]:
        """Nothing leads to the index but the files of the repository; an engine is the sandbox's."""
        mine = ("PIP_", "PYTHON", "UV_", "GIT", "AWS_", "TWINE_", "KFP_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(mine)}
        docker = {
            name: value for name, value in self.sandbox.environ.items() if name.startswith(("DOCKER_", "NO_", "no_"))
        }
        return {
            **kept,
            **docker,
            "HOME": str(self.home),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            # What the machine needs to reach the public index, and caches what comes from there.
            "PIP_CONFIG_FILE": os.environ.get("PIP_CONFIG_FILE", ""),
            "PIP_CACHE_DIR": str(PROJECT / "build" / "test-cache" / "pip"),
            "PIP_COMPILE": "0",  # most of the time, and most of it is never imported
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            **more,
        }

    def run(self, command: str, **more: str) -> subprocess.CompletedProcess[str]:
        """As typed into a shell in the repository; `more` variables are set."""
        return subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self.environ(**more),
            capture_output=True,
            text=True,
            check=False,
        )

    def follow(self, command: str, **more: str) -> str:
        done = self.run(command, **more)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout


def release(folder: Path, sandbox: Sandbox) -> None:
    """Version 1.0 of the components, with a small runtime."""
    project = small_project(folder)
    run_git(project, "tag", "v1.0")
    done = kfp_release(["release", "v1.0", "--create-repository"], cwd=project, environ=sandbox.environ)
    assert done.returncode == 0, done.stderr


def copy_repo(target: Path, sandbox: Sandbox) -> PipelineRepo:
    """What git has of the example, committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=EXAMPLE,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    repo = PipelineRepo(target / "repository", target / "home", sandbox)
    index = urlsplit(sandbox.environ["KFP_RELEASE_SIMPLE_URL"])
    for name in filter(None, listed.split("\0")):
        copy = repo.folder / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(EXAMPLE / name, copy)
        text = copy.read_text(encoding="utf-8")
        text = text.replace(URL, f"http://{index.netloc}/").replace(HOST, str(index.hostname))
        copy.write_text(text, encoding="utf-8")
    repo.home.mkdir()
    repo.netrc.touch(0o600)
    user, password = (sandbox.environ[f"TWINE_{name}"] for name in ("USERNAME", "PASSWORD"))
    repo.netrc.write_text(f"machine {index.hostname} login {user} password {password}\n", encoding="utf-8")
    run_git(repo.folder, "init", "--quiet", "--initial-branch=main")
    commit_all(repo.folder, "A pipeline")
    return repo
