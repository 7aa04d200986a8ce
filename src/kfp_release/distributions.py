"""Names of projects and of their files on an index."""

from __future__ import annotations

from pathlib import Path

from packaging.version import Version

from kfp_release.archive_name import ArchiveName
from kfp_release.config import PYPROJECT, read_distribution
from kfp_release.errors import Problems, ReleaseError
from kfp_release.member import BadArchive
from kfp_release.toml_table import TomlFile


def project_name(folder: Path) -> str:
    """``project.name`` of the folder's pyproject.toml. Raise `ReleaseError` where there is none."""
    path = folder / PYPROJECT
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ReleaseError(
            f"{path} cannot be read: {error.strerror}",
            remedy=f"extra-projects of [tool.kfp-release] names folders with a {PYPROJECT} of their own",
        ) from error
    return name_in(str(path), data)


def name_in(path: str, pyproject: bytes) -> str:
    """``project.name`` of a pyproject.toml with these bytes. Raise `ReleaseError` where there is none."""
    file = TomlFile.parse(path, pyproject)
    name = read_distribution(file)
    if name is None:
        raise Problems(file.problems)
    return name


def version_of_file(filename: str) -> Version | None:
    """The version that a wheel's or sdist's file name carries; None for any other file. Source: PEP 427, PEP 625."""
    try:
        return (ArchiveName.of_wheel if filename.endswith(".whl") else ArchiveName.of_sdist)(filename).version
    except BadArchive:
        return None
