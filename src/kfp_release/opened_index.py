"""The index that is configured, whatever kind it is, ready to be asked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from kfp_release.credentials import Credentials
from kfp_release.index import Index
from kfp_release.index_page import IndexFile
from kfp_release.index_settings import CodeArtifactRepository, DevpiIndex, IndexSettings, S3Folder
from kfp_release.retry import Retry


class OpenedIndex(Protocol):
    """What every kind can be asked. The steps name what they need of it, each for itself."""

    def files(self, project: str) -> Mapping[str, IndexFile]:
        """The files of a project, by name."""

    def download(self, file: IndexFile) -> bytes:
        """The bytes of one file."""

    def require_credentials(self) -> None:
        """Raise `ReleaseError` where it would take no files from whom asks."""

    def upload(self, path: Path) -> None:
        """Upload one wheel or sdist."""


def open_index(settings: IndexSettings, environ: Mapping[str, str], *, retry: Retry) -> OpenedIndex:
    """The index of these settings. No connection is made before it is asked something.

    Raise `ReleaseError` for credentials in the environment that cannot be sent.
    """
    if isinstance(settings, S3Folder):
        from kfp_release.s3_bucket import Bucket, s3_calls  # noqa: PLC0415 - brings boto3
        from kfp_release.s3_index import S3Index  # noqa: PLC0415 - likewise

        return S3Index(Bucket(settings, s3_calls(settings, retry)), retry=retry)
    credentials = Credentials.from_environment(environ)
    if isinstance(settings, CodeArtifactRepository):
        from kfp_release.codeartifact import CodeArtifact  # noqa: PLC0415 - likewise

        return CodeArtifact(settings, credentials, retry=retry)
    if isinstance(settings, DevpiIndex):
        from kfp_release.devpi import Devpi  # noqa: PLC0415 - for those who have one

        return Devpi(settings, credentials, retry=retry)
    return Index(settings, credentials, retry=retry)
