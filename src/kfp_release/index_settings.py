"""The settings of the private index: where it is, in one of four ways, read from its table and the environment."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

from kfp_release.errors import Problem, ReleaseError
from kfp_release.terminal_text import one_line
from kfp_release.toml_table import Table
from kfp_release.url import BadUrl, parse_url

SIMPLE_URL = "KFP_RELEASE_SIMPLE_URL"
UPLOAD_URL = "TWINE_REPOSITORY_URL"

_URL_KEYS = ("upload-url", "simple-url")
_ARN = re.compile(
    r"arn:aws[a-z-]*:codeartifact:(?P<region>[a-z]{2,}(?:-[a-z]+)+-[0-9]):(?P<account>[0-9]{12})"
    r":repository/(?P<domain>[a-z][a-z0-9-]{0,48}[a-z0-9])/(?P<repository>[A-Za-z0-9][A-Za-z0-9._-]{1,99})",
    re.ASCII,
)
_ARN_FORM = "arn:aws:codeartifact:REGION:ACCOUNT:repository/DOMAIN/REPOSITORY"
_DEVPI_FORM = "https://HOST/USER/INDEX"
_DEVPI_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@-]{0,99}", re.ASCII)
_S3_FORM = "s3://BUCKET or s3://BUCKET/PREFIX"
_BUCKET = re.compile(r"[a-z0-9](?:[a-z0-9-]|\.(?![.-])){1,61}[a-z0-9]", re.ASCII)
_PREFIX = re.compile(r"(?:[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,99}/){0,9}", re.ASCII)


class BadIndex(ReleaseError):
    """A text that should say where an index is does not."""


@dataclass(frozen=True, slots=True)
class IndexUrls:
    """An index at two URLs: where twine uploads to, and the simple API (PEP 503, PEP 691) that pip reads."""

    upload_url: str
    simple_url: str

    @classmethod
    def to_read(cls, url: str) -> Self:
        """One that is read at `url`, and not written to. Raise `BadUrl` for what is none."""
        return cls(parse_url(url), url)


@dataclass(frozen=True, slots=True)
class CodeArtifactRepository:
    """A repository of AWS CodeArtifact."""

    arn: str
    region: str
    account: str
    """That owns the domain."""
    domain: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raise `BadIndex` unless `text` is the ARN of a repository. Source: CodeArtifact API Reference."""
        if found := _ARN.fullmatch(text):
            return cls(text, found["region"], found["account"], found["domain"], found["repository"])
        raise BadIndex(f"{one_line(text, 200)!r} is not the ARN of a repository", remedy=f"write {_ARN_FORM}")

    def __str__(self) -> str:
        return self.arn


@dataclass(frozen=True, slots=True)
class DevpiIndex:
    """An index of a devpi server, at `url`, which has no ``/`` at its end."""

    url: str
    name: str
    """``USER/INDEX``."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raise `BadIndex` or `BadUrl` unless `text` is the URL of an index, its last two parts user and index."""
        url = parse_url(text).rstrip("/")
        if url.endswith("/+simple"):
            remedy = f"write {one_line(url.removesuffix('/+simple'), 200)}: the rest follows from it"
            raise BadIndex(f"{one_line(text, 200)!r} is the simple API of an index, not the index", remedy=remedy)
        user, index = ["", "", *url.partition("//")[2].split("/")[1:]][-2:]
        if not _DEVPI_NAME.fullmatch(user) or not _DEVPI_NAME.fullmatch(index):
            raise BadIndex(f"{one_line(text, 200)!r} names no index of a user", remedy=f"write {_DEVPI_FORM}")
        return cls(url, f"{user}/{index}")

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True, slots=True)
class S3Folder:
    """A bucket, and what the keys of an index in it begin with: nothing, or a text with ``/`` at its end."""

    bucket: str
    prefix: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raise `BadIndex` unless `text` is ``s3://BUCKET`` or ``s3://BUCKET/PREFIX``."""
        scheme, _, rest = text.partition("://")
        bucket, _, prefix = rest.partition("/")
        prefix = f"{prefix.rstrip('/')}/" if prefix else ""
        if scheme != "s3" or not _BUCKET.fullmatch(bucket):
            raise BadIndex(f"{one_line(text, 200)!r} names no S3 bucket", remedy=f"write {_S3_FORM}")
        if not _PREFIX.fullmatch(prefix):
            remedy = "letters, digits, . - _ ~ between /, no part that begins with a dot"
            raise BadIndex(f"{one_line(text, 200)!r} has a prefix that URLs cannot hold as it is", remedy=remedy)
        return cls(bucket, prefix)

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")


IndexSettings = IndexUrls | CodeArtifactRepository | DevpiIndex | S3Folder
"""One of the four."""

_PARSERS: Mapping[str, Callable[[str], CodeArtifactRepository | DevpiIndex | S3Folder]] = {
    "codeartifact": CodeArtifactRepository.parse,
    "devpi": DevpiIndex.parse,
    "s3": S3Folder.parse,
}
INDEX_KEYS = (*_URL_KEYS, *_PARSERS)
INDEX_CHOICE = "one of: upload-url with simple-url, codeartifact, devpi, s3"


def read_index(table: Table | None, environ: Mapping[str, str], problems: list[Problem]) -> IndexSettings | None:
    """The index of `table`, if there is one, and of the environment; None where it is not known.

    The environment's two URLs together take the place of whatever is configured; one of them that of one URL.
    """
    configured = None if table is None else _configured(table)
    urls = {name: _url_of(environ, name, problems) for name in (UPLOAD_URL, SIMPLE_URL)}
    upload, simple = urls.values()
    if isinstance(configured, IndexUrls):
        upload, simple = upload or configured.upload_url, simple or configured.simple_url
    if upload is not None and simple is not None:
        return IndexUrls(upload, simple)
    if configured is not None and not isinstance(configured, IndexUrls):
        problems += [_alone(name, configured) for name, url in urls.items() if url is not None]
        return configured
    return None


def _configured(table: Table) -> IndexSettings | None:
    table.refuse_unknown(INDEX_KEYS)
    kinds = [key for key in _PARSERS if key in table.value]
    if any(key in table.value for key in _URL_KEYS):
        kinds.insert(0, "upload-url with simple-url")
    if len(kinds) > 1:
        table.report((), f"[{table.name()}] names {len(kinds)} indexes: {', '.join(kinds)}", "keep one of them")
        return None
    if not kinds:
        if not table.value:
            table.report((), f"[{table.name()}] names no index", f"set {INDEX_CHOICE}")
        return None
    if parse := _PARSERS.get(kinds[0]):
        return table.read(kinds[0], parse)
    upload = table.read("upload-url", parse_url, required=True)
    simple = table.read("simple-url", parse_url, required=True)
    return None if upload is None or simple is None else IndexUrls(upload, simple)


def _alone(name: str, configured: IndexSettings) -> Problem:
    other = SIMPLE_URL if name == UPLOAD_URL else UPLOAD_URL
    message = f"it is set and {other} is not: together they take the place of {configured}, and not one alone"
    return Problem(name, 0, message, f"set {other} too, or unset {name}")


def _url_of(environ: Mapping[str, str], variable: str, problems: list[Problem]) -> str | None:
    text = environ.get(variable, "")
    try:
        return parse_url(text) if text else None
    except BadUrl as error:
        problems.append(Problem(variable, 0, str(error.args[0]), error.remedy))
        return None
