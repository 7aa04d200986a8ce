"""The version that setuptools-scm computes for a checkout: every build outside of a release gets this one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from packaging.version import Version

from kfp_release.errors import ReleaseError
from kfp_release.git_command import git_environment, run_git

_OVERRIDES = ("SETUPTOOLS_SCM_", "VCS_VERSIONING_")
_TIMEOUT = 300
"""Seconds."""


def scm_version(project: Path) -> Version:
    """What setuptools-scm makes of the project's git tags and commits, by the settings in its pyproject.toml.

    A process of its own, so that a pretended version in the environment has no say; it writes no file.
    Raise `ReleaseError` where it finds no version, and where git fails.
    """
    environ = {name: text for name, text in os.environ.items() if not name.startswith(_OVERRIDES)}
    command = [sys.executable, "-P", "-m", "setuptools_scm"]
    if (project / "pyproject.toml").is_file():
        command += ["-c", str((project / "pyproject.toml").resolve())]
    try:
        ended = subprocess.run(  # noqa: S603 - a list, nothing in it from outside
            command,
            cwd=project,
            env=git_environment(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=_TIMEOUT,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ReleaseError(f"setuptools-scm cannot be run in {project}: {error}") from error
    text = ended.stdout.strip().rpartition("\n")[2]
    try:
        if ended.returncode == 0:
            version = Version(text)
            # setuptools-scm takes a `git describe` that fails, on a full disk say, for a repository without tags.
            run_git(project, ["describe", "--always", "--dirty"])
            return version
    except ValueError:  # InvalidVersion; or a number with more digits than Python reads
        pass
    said = (ended.stderr.strip() or text or "nothing").rpartition("\n")[2][:300]
    raise ReleaseError(
        f"setuptools-scm finds no version for {project}; it said: {said}",
        remedy="mend [tool.setuptools_scm] in pyproject.toml; `python -m setuptools_scm` shows the whole message",
    )
