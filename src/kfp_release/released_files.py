"""The files of public versions: listed by an index, downloaded, and read for the pins that they carry."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Protocol

from kfp_release.distributions import version_of_file
from kfp_release.errors import ReleaseError
from kfp_release.finding import Finding, Kind
from kfp_release.index import IndexFile
from kfp_release.index_session import PackageIndexError
from kfp_release.release_file import ReleaseFile
from kfp_release.version import ReleaseVersion

_GONE = {404, 410}
"""The index's answers that tell of the release, and not of who asks (RFC 9110)."""
_ONE_BY_ONE = threading.Lock()
"""Files are downloaded beside each other and unpacked one by one: each may take as much memory as an archive may."""


class PackageIndex(Protocol):
    """What is asked of an index that is read."""

    def files(self, project: str) -> Mapping[str, IndexFile]:
        """The files of a project, by name."""

    def download(self, file: IndexFile) -> bytes:
        """The bytes of one file."""


class FileReader(Protocol):
    """`read_file`, or what knows some files already."""

    def __call__(self, index: PackageIndex, file: IndexFile, *, project: str, version: ReleaseVersion) -> ReleaseFile:
        """As `read_file`."""


def files_by_version(index: PackageIndex, project: str) -> dict[ReleaseVersion, list[IndexFile]]:
    """The wheels and sdists of `project` that the index lists, in the order of their names."""
    found: dict[ReleaseVersion, list[IndexFile]] = {}
    for name, file in sorted(index.files(project).items()):
        if (version := version_of_file(name)) is not None:
            found.setdefault(ReleaseVersion(version), []).append(file)
    return found


def read_file(index: PackageIndex, file: IndexFile, *, project: str, version: ReleaseVersion) -> ReleaseFile:
    """The file, downloaded and read. What is wrong with it is in its findings.

    Raise `ReleaseError` where the index cannot be asked for it.
    """
    data = file_bytes(index, file)
    if isinstance(data, Finding):
        return ReleaseFile(project, file.filename, file.sha256 or "", findings=(data,))
    with _ONE_BY_ONE:
        return ReleaseFile.read(project, file.filename, data, version)


def file_bytes(index: PackageIndex, file: IndexFile) -> bytes | Finding:
    """The bytes of the file, or why the index has not those that it announces.

    Raise `ReleaseError` where the index cannot be asked for it.
    """
    try:
        return index.download(file)
    except PackageIndexError as error:
        if error.status not in _GONE:
            raise
        return Finding.of(Kind.FILE_GONE, file.filename, error)
    except ReleaseError as error:
        return Finding.of(Kind.FILE_CHANGED, file.filename, error)
