"""Names of projects and of their files on an index."""

from __future__ import annotations

import tomllib
from pathlib import Path

from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

from kfp_release.errors import ReleaseError


def project_name(folder: Path) -> str:
    """``project.name`` of the folder's pyproject.toml. Raise `ReleaseError` where there is none."""
    path = folder / "pyproject.toml"
    try:
        name = tomllib.loads(path.read_text(encoding="utf-8"))["project"]["name"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReleaseError(f"{path} names no project: {error}") from error
    if not isinstance(name, str):
        raise ReleaseError(f"{path}: project.name is not a text")
    return name


def version_of_file(filename: str) -> Version | None:
    """The version that a wheel's or sdist's file name carries; None for any other file. Source: PEP 427, PEP 625."""
    try:
        if filename.endswith(".whl"):
            return parse_wheel_filename(filename)[1]
        return parse_sdist_filename(filename)[1]
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None
