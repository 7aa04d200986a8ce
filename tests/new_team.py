"""Another team: kfp-release as a release puts it on an index, and a repository that `kfp-release init` wrote."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from conftest import PROJECT, copy_project, run_git
from pages import commands

from kfp_release.credentials import Credentials
from kfp_release.index import Index
from kfp_release.index_settings import IndexUrls
from kfp_release.progress import Silent
from kfp_release.projects import open_projects
from kfp_release.sandbox import Sandbox
from kfp_release.version import ReleaseVersion

PAGE = PROJECT / "docs/new-team.md"
TOOL = "1.1"
"""The version of kfp-release that this checkout is released as."""
NAME = "forecasting-components"
PACKAGE = "forecasting_components"
REPOSITORY = "forecasting/parts"
INDEX = "https://pypi.data-science.example/simple/"
"""As the page has it."""
UV = Path(sys.executable).parent / "uv"
_OURS = ("AWS_", "TWINE_", "KFP_", "GIT", "PYTHONPATH", "VIRTUAL_ENV", "PIP_INDEX_URL")


@dataclass(frozen=True)
class Team:
    """A machine of theirs: a folder for the repository, with nothing of this checkout on any path."""

    folder: Path
    sandbox: Sandbox

    @property
    def repository(self) -> Path:
        return self.folder / NAME

    def begin(self) -> None:
        """A place for `git push`, and the first commands of the page."""
        run_git(self.folder, "init", "--quiet", "--bare", "origin.git")
        first, *others = commands(PAGE, "Begin")
        self.run([first], self.folder)
        run_git(self.repository, "remote", "add", "origin", str(self.folder / "origin.git"))
        self.run(others, self.repository)

    def do(self, heading: str, *, leave_out: tuple[str, ...] = ()) -> str:
        """What the page's commands below a heading print, in the repository, as they stand."""
        lines = [line for line in commands(PAGE, heading) if not line.startswith(leave_out)]
        assert lines
        return self.run([self.activate, *lines], self.repository)

    @property
    def activate(self) -> str:
        """Of their kfp-release's environment, in whatever folder."""
        return f". {self.repository}/.venv/bin/activate"

    def run(self, lines: list[str], folder: Path) -> str:
        """What a shell prints that ends with the first line that fails. uv stands in for pip, which takes minutes."""
        head = ["set -eu", 'pip() { "$UV" pip "$@"; }', *(line.replace(INDEX, self._url(line)) for line in lines)]
        done = subprocess.run(
            ["bash", "-c", "\n".join(head)],
            cwd=folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{lines}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    @property
    def environ(self) -> dict[str, str]:
        machine = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        identity = {
            f"GIT_{who}_{what}": f"{who}@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
        }
        tools = Path(sys.executable).parent
        path = [each for each in os.environ["PATH"].split(os.pathsep) if Path(each) != tools]
        index = self.sandbox.pip_index_url
        return {
            **machine,
            **self.sandbox.environ,
            **identity,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "PATH": os.pathsep.join(path),
            "UV": str(UV),
            "PIP_INDEX_URL": index,
            "UV_DEFAULT_INDEX": index,
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "UV_CACHE_DIR": str(_uv_cache()),
        }

    def _url(self, line: str) -> str:
        return shlex.quote(self.sandbox.pip_index_url) if line.startswith("pip ") else INDEX


def release_tool(folder: Path, sandbox: Sandbox) -> list[Path]:
    """kfp-release of this checkout on the sandbox's index, built as a release builds it."""
    project = copy_project(folder / "tool")
    version = ReleaseVersion.parse(TOOL)
    with open_projects([project / "src/kfp_release"], version=version, epoch=1_800_000_000, progress=Silent()) as (
        one,
    ):
        files = [one.sdist(folder / "built"), one.wheel(folder / "built")]
    environ = sandbox.environ
    index = Index(
        IndexUrls(environ["TWINE_REPOSITORY_URL"], environ["KFP_RELEASE_SIMPLE_URL"]),
        Credentials(environ["TWINE_USERNAME"], environ["TWINE_PASSWORD"]),
    )
    for file in files:
        index.upload(file)
    shutil.rmtree(project)
    return files


def change_component(repository: Path) -> None:
    """A third number, which pipelines need not give; as 0.2."""
    program, definition = repository / f"src/{PACKAGE}/add.py", repository / "yaml/add.yaml"
    _change(program, "return a + b\n", "return a + b + c\n")
    _change(program, "def add(a: int, b: int)", "def add(a: int, b: int, c: int = 0)")
    _change(program, "add(options.a, options.b)", "add(options.a, options.b, options.c)")
    last = '    parser.add_argument("--sum"'
    _change(program, last, f'    parser.add_argument("--c", type=int, default=0, help="a third number")\n{last}')
    _change(definition, "outputs:\n", "- {name: c, type: Integer, default: '0'}\noutputs:\n")
    _change(definition, "    - --sum\n", "    - --c\n    - {inputValue: c}\n    - --sum\n")
    _change(repository / "CHANGELOG.md", "## [0.1]\n", "## [0.2]\n\n### Added\n\n- A third number.\n\n## [0.1]\n")


def _change(path: Path, before: str, after: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1, (path, before)
    path.write_text(text.replace(before, after), encoding="utf-8")


def _uv_cache() -> Path:
    """The machine's own: what it has already is linked."""
    said = subprocess.run([UV, "cache", "dir"], capture_output=True, text=True, check=True).stdout
    return Path(said.strip())
