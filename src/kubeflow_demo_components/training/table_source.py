"""Where a table comes from: a web server, S3, or a path in the container. It is copied to a file, within limits."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

_PATIENCE = 30
"""Seconds without a byte after which it ends."""
_CHUNK = 1 << 20
_SCHEME = re.compile(r"\s*([a-z][a-z0-9+.-]*)://|\s*(?:https?|s3):/*", re.IGNORECASE)
"""How a URL begins, or one that is mistyped."""
_FORMATS = {".csv": "csv", ".parquet": "parquet", ".pq": "parquet"}


class NoSource(ValueError):
    """A source that is none, or that does not give what it is to give."""


class Limits(NamedTuple):
    """How large a source may be, in bytes, and how long it may take, in seconds."""

    size: int
    seconds: int


class _TooLate(BaseException):
    """Not an `Exception`: botocore would take it for one of the network's, and try again."""


def shown(source: str) -> str:
    """`source` as it may be seen by everybody: the query of a signed URL is as good as a password."""
    scheme = _SCHEME.match(source)
    if scheme:
        return scheme[0] + source[scheme.end() :].partition("?")[0].partition("#")[0].rpartition("@")[2]
    path, _, query = source.partition("?")
    return path if "=" in query else source


def format_of(source: str, told: str) -> str:
    """``csv`` or ``parquet``: as it was `told`, or by the suffix. Raise `NoSource` where that does not say it."""
    if told:
        return told
    suffix = Path(shown(source)).suffix.lower()
    if suffix not in _FORMATS:
        known = ", ".join(_FORMATS)
        raise NoSource(f"{shown(source)} ends with none of {known}: say which it is, with the format csv or parquet")
    return _FORMATS[suffix]


def fetch(source: str, target: Path, limits: Limits) -> None:
    """Copy what is at `source` to the file `target`. Raise `NoSource` where it cannot be had within `limits`."""
    match = _SCHEME.match(source)
    scheme = match[1] if match else ""
    known = {"http": _from_web, "https": _from_web, "s3": _from_s3, "": _from_path}
    if scheme not in known:
        raise NoSource(f"{shown(source)} is of no kind that is known: http://, https://, s3://, sklearn:NAME or a path")
    with _deadline(source, limits.seconds):
        known[scheme](source, target, limits)


def _from_web(source: str, target: Path, limits: Limits) -> None:
    from http.client import HTTPException  # noqa: PLC0415 - the parser of the program is read without all this
    from urllib.error import HTTPError  # noqa: PLC0415 - likewise
    from urllib.request import urlopen  # noqa: PLC0415 - likewise

    try:
        if "@" in urlsplit(source).netloc:
            raise NoSource(f"{shown(source)} carries a password, which everybody could read in the pipeline")
        with urlopen(source, timeout=_PATIENCE) as answer:  # noqa: S310 - http and https alone come here
            length = answer.headers.get("Content-Length", "")
            _copy(answer, target, source, size=int(length) if length.isdecimal() else None, limits=limits)
    except HTTPError as error:
        with error:
            is_redirect = error.code // 100 == 3  # noqa: PLR2004 - as HTTP numbers them
            reason = "with a redirect that is not followed" if is_redirect else error.reason
            raise NoSource(f"{shown(source)} answers {error.code} {reason}") from error
    except (OSError, HTTPException, ValueError) as error:
        if isinstance(error, NoSource):
            raise
        raise NoSource(f"{shown(source)} cannot be read: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """Why it cannot be read. What is wrong with a URL is told by its kind: such an error's text has the signature."""
    from http.client import InvalidURL  # noqa: PLC0415 - see above

    if isinstance(error, InvalidURL | UnicodeError):
        return "percent-encode what a URL has no form for, a blank as %20, é as %C3%A9; a port is a number"
    if isinstance(error, OSError):
        return str(getattr(error, "reason", "") or error or type(error).__name__)
    return "it is no URL" if type(error) is ValueError else type(error).__name__


def _from_s3(source: str, target: Path, limits: Limits) -> None:
    import boto3  # noqa: PLC0415 - only where S3 is the source
    from botocore.config import Config  # noqa: PLC0415 - likewise
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - likewise

    bucket, key = _bucket_and_key(source)
    if not bucket or not key:
        raise NoSource(f"{shown(source)} is not s3://bucket/key")
    # A store of one's own seldom has a host name for each bucket, as AWS has.
    is_own = any(os.environ.get(name) for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"))
    config = Config(
        connect_timeout=10,
        read_timeout=_PATIENCE,
        retries={"mode": "standard", "max_attempts": 3},
        s3={"addressing_style": "path" if is_own else "auto"},
    )
    try:
        with contextlib.closing(boto3.client("s3", config=config)) as client:
            answer: Any = client.get_object(Bucket=bucket, Key=key)
            with answer["Body"] as body:
                _copy(body, target, source, size=answer["ContentLength"], limits=limits)
    except ClientError as error:
        raise NoSource(f"{shown(source)} {_refusal(error, *_bucket_and_key(shown(source)))}") from error
    except (BotoCoreError, OSError) as error:
        reason = type(error).__name__ if "?" in source else error  # whose text may have the key
        raise NoSource(f"{shown(source)} cannot be read: {reason}") from error


def _bucket_and_key(source: str) -> tuple[str, str]:
    bucket, _, key = source.removeprefix("s3://").partition("/")
    return bucket, key


def _refusal(error: Any, bucket: str, key: str) -> str:
    answer = error.response["Error"]
    messages = {
        "NoSuchBucket": f"cannot be read: there is no bucket {bucket!r}",
        "NoSuchKey": f"cannot be read: bucket {bucket!r} has no key {key!r}",
        "AccessDenied": "may not be read with these credentials, or is not there",
    }
    return messages.get(answer["Code"], f"cannot be read: {answer['Code']}: {answer.get('Message', '')}")


def _from_path(source: str, target: Path, limits: Limits) -> None:
    try:
        if not stat.S_ISREG(Path(source).stat().st_mode):
            raise NoSource(f"{shown(source)} is no plain file")
        with Path(source).open("rb") as file:
            _require_size(source, os.fstat(file.fileno()).st_size, limits)
            _copy(file, target, source, size=None, limits=limits)  # some have more than they say
    except OSError as error:
        raise NoSource(f"{shown(source)} cannot be read: {error.strerror}") from error


def _copy(body: Any, target: Path, source: str, *, size: int | None, limits: Limits) -> None:
    """Copy `body`, which is to have `size` bytes, if that is known."""
    _require_size(source, size or 0, limits)
    copied = 0
    with target.open("wb") as file:
        while chunk := body.read(_CHUNK):
            copied += file.write(chunk)
            _require_size(source, copied, limits)
    if size is not None and copied != size:
        raise NoSource(f"{shown(source)} ended after {copied:,} of {size:,} bytes")


def _require_size(source: str, size: int, limits: Limits) -> None:
    if size > limits.size:
        raise NoSource(f"{shown(source)} has more than {limits.size:,} bytes: see max_megabytes")


@contextlib.contextmanager
def _deadline(source: str, seconds: int) -> Iterator[None]:
    """Raise `NoSource` when the time is over, wherever the program is waiting: a server can be slow without a pause."""

    def end(*_: object) -> None:
        raise _TooLate

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except _TooLate:
        raise NoSource(f"{shown(source)} was not read within {seconds} seconds: see timeout") from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
