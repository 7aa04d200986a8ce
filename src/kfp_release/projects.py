"""Builds Python projects: wheels and sdists, in an environment of their own and in one byte form."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, TypeAlias

from build import BuildBackendException, BuildException, FailedProcessError, ProjectBuilder
from build.env import DefaultIsolatedEnv

from kfp_release.build_environment import BuildEnvironment
from kfp_release.distributions import project_name
from kfp_release.errors import MAKE_ROOM, ReleaseError
from kfp_release.progress import Progress
from kfp_release.sdist import Sdist
from kfp_release.stopping import ended_with
from kfp_release.version import ReleaseVersion
from kfp_release.wheel import Wheel

Kind: TypeAlias = Literal["wheel", "sdist"]

_TAIL = 30
"""Lines of a failed build's output that its error shows."""
_INSTALL = "install of build requirements"
_KEPT_OUT = (
    *("AWS_", "TWINE_", "SETUPTOOLS_SCM_", "ACTIONS_", "GITHUB_TOKEN", "GH_TOKEN", "DOCKER_"),
    *("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_INDEX", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL"),
)
"""Beginnings of environment variables that a build does not see: credentials, and versions for somebody else.

What installs its requirements before it does see those of the index.
"""


class BuildFailed(ReleaseError):
    """A project that does not build, or whose build requirements cannot be had."""


@dataclass(frozen=True, slots=True)
class Project:
    """A project whose build requirements are installed, to be built once or more."""

    folder: Path
    version: ReleaseVersion
    epoch: int
    environment: BuildEnvironment = field(repr=False)
    builder: ProjectBuilder = field(repr=False)
    output: list[str] = field(repr=False)
    """What the last hook printed."""

    @property
    def tools(self) -> Mapping[str, str]:
        """Versions by name of all that is installed in its environment."""
        return self.environment.tools

    def asks_for(self, kind: Kind) -> set[str]:
        """What its build backend needs besides for a build of this `kind`. Raise `BuildFailed`."""
        with _failures(self.folder, kind, self.output):
            return set(self.builder.get_requires_for_build(kind))

    def install(self, requirements: AbstractSet[str]) -> None:
        """Make sure that they are in its environment. Raise `BuildFailed`."""
        with _failures(self.folder, _INSTALL, self.output):
            self.environment.install(requirements)

    def build(self, kind: Kind, out: Path) -> Path:
        """The wheel or the sdist, written into `out`. Raise `BuildFailed`."""
        return self.wheel(out) if kind == "wheel" else self.sdist(out)

    def wheel(self, out: Path, settings: Mapping[str, str] | None = None) -> Path:
        """The wheel, written into `out`; `settings` go to the build backend. Raise `BuildFailed`."""
        name, data = self._build("wheel", settings or {})
        wheel = Wheel.parse(name, data)
        self._require_version(wheel.filename, wheel.version)
        return _write(out / name, wheel.to_bytes())

    def sdist(self, out: Path, settings: Mapping[str, str] | None = None) -> Path:
        """The sdist, written into `out`; `settings` go to the build backend. Raise `BuildFailed`."""
        name, data = self._build("sdist", settings or {})
        sdist = Sdist.parse(name, data)
        self._require_version(sdist.filename, sdist.version)
        return _write(out / name, sdist.to_bytes(self.epoch))

    def _build(self, kind: Kind, settings: Mapping[str, str]) -> tuple[str, bytes]:
        with TemporaryDirectory() as made, _failures(self.folder, kind, self.output):
            path = Path(self.builder.build(kind, made, dict(settings)))
            return path.name, path.read_bytes()

    def _require_version(self, filename: str, version: str) -> None:
        if version != str(self.version):
            raise BuildFailed(
                f"{self.folder.name}: {filename} came out, and version {self.version} was asked for",
                remedy='write dynamic = ["version"] and [tool.setuptools_scm] in its pyproject.toml',
            )


@contextmanager
def open_projects(
    folders: Sequence[Path], *, version: ReleaseVersion, epoch: int, progress: Progress
) -> Iterator[tuple[Project, ...]]:
    """The projects in `folders`, which build as `version`, at the time `epoch` in seconds since 1970.

    One environment serves all whose requirements it has. They build without the credentials of AWS and of the index.
    Raise `BuildFailed` where build requirements cannot be installed.
    """
    with ExitStack() as stack:
        environ = {
            # What a hook that is killed leaves goes with the rest.
            "TMPDIR": stack.enter_context(TemporaryDirectory(prefix="kfp-release-")),
            "SETUPTOOLS_SCM_PRETEND_VERSION": str(version),
            "SOURCE_DATE_EPOCH": str(epoch),
            "PYTHONDONTWRITEBYTECODE": "1",  # a backend of the project's own would be compiled beside its source
            "PYTHONHASHSEED": "0",
        }
        environments: list[BuildEnvironment] = []
        projects = []
        for folder in folders:
            output: list[str] = []
            with _failures(folder, _INSTALL, output):
                requirements = ProjectBuilder(folder).build_system_requires
                environment = next((each for each in environments if requirements <= each.requirements), None)
                if environment is None:
                    progress.note(f"build requirements: {', '.join(sorted(requirements))}")
                    environment = BuildEnvironment(stack.enter_context(DefaultIsolatedEnv()))
                    environment.install(requirements)
                    environments.append(environment)
                run = partial(_run_hook, environ=environ, output=output)
                builder = ProjectBuilder.from_isolated_env(environment.isolated, folder, runner=run)
            projects.append(Project(folder, version, epoch, environment, builder, output))
        yield tuple(projects)


def _run_hook(
    cmd: Sequence[str],
    cwd: str | None = None,
    extra_environ: Mapping[str, str] | None = None,
    *,
    environ: Mapping[str, str],
    output: list[str],
) -> None:
    _run(cmd, cwd, {**(extra_environ or {}), **environ}, output)


def _run(command: Sequence[str], cwd: str | None, environ: Mapping[str, str], output: list[str]) -> None:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_KEPT_OUT)}
    with subprocess.Popen(  # noqa: S603 - build's own list, no shell
        command,
        cwd=cwd,
        env=inherited | dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as child:
        try:
            with ended_with(child.kill):
                printed, _ = child.communicate()
        except BaseException:
            child.kill()
            raise
    output[:] = printed.splitlines()
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command)


@contextmanager
def _failures(folder: Path, what: str, output: list[str]) -> Iterator[None]:
    output.clear()
    try:
        yield
    except (BuildBackendException, BuildException, FailedProcessError, subprocess.CalledProcessError) as error:
        cause = getattr(error, "exception", error)
        shown = "".join(f"\n  | {line}" for line in _telling(output or _printed(cause)))
        name = _project_name(folder)
        remedy = f"python -m build, in the folder of {name}, shows all of it; it needs a package index like pip"
        if os.strerror(errno.ENOSPC) in shown:
            remedy = MAKE_ROOM
        raise BuildFailed(f"the {what} of {name} failed: {error}{shown}", remedy=remedy) from error


def _project_name(folder: Path) -> str:
    """As people know it; the folder's name where it has none."""
    try:
        return project_name(folder)
    except ReleaseError:
        return folder.name


def _telling(printed: Sequence[str]) -> Sequence[str]:
    """The end of what a build printed, from its first error on where it names one."""
    errors = [number for number, line in enumerate(printed) if line.lower().startswith("error: ")]
    return printed[max(errors[0] if errors else 0, len(printed) - _TAIL) :]


def _printed(cause: Exception) -> list[str]:
    if not isinstance(cause, subprocess.CalledProcessError):
        return []
    streams = [text for text in (cause.stdout, cause.stderr) if text]
    return [line for text in streams for line in (text if isinstance(text, str) else text.decode()).splitlines()]


def _write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path
