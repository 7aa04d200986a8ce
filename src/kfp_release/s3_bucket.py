"""Objects of an S3 bucket, each read whole and never written over unseen (S3 User Guide, "Conditional requests")."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from botocore import exceptions as aws
from urllib3.exceptions import HTTPError

from kfp_release.aws_calls import AwsCalls, AwsIndexError
from kfp_release.digest import Digest
from kfp_release.errors import ReleaseError
from kfp_release.index_settings import S3Folder
from kfp_release.retry import Passing, Retry

_KEY = "s3 of [tool.kfp-release.index]"
_REGION = "set AWS_DEFAULT_REGION to the bucket's region, and unset AWS_ENDPOINT_URL_S3 if it is set to another's"
CONDITIONS = "an S3 is needed that has conditional writes: without, nothing is kept from being overwritten"
"""What to do where it has none."""
REGIONAL = {
    "PermanentRedirect": _REGION,
    "301": _REGION,
    "AuthorizationHeaderMalformed": _REGION,
    "IllegalLocationConstraintException": _REGION,
    "NotImplemented": CONDITIONS,
    "KMS.DisabledException": "the bucket's encryption key must be enabled and usable for the role",
}
"""What to do, by AWS's codes, whatever is in the bucket."""
_REMEDIES = {
    **REGIONAL,
    "AccessDenied": (
        "give the role s3:GetObject, and s3:PutObject where it uploads, for the bucket's objects, and s3:ListBucket "
        "for the bucket; the bucket's own policy may deny it too"
    ),
    "NoSuchBucket": f"create the bucket, or correct {_KEY}",
}
_LOST = {"PreconditionFailed", "ConditionalRequestConflict"}
"""Somebody else was faster."""
_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Stored:
    """An object, whole."""

    data: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class Listed:
    """An object, as the bucket lists it."""

    key: str
    size: int
    modified: datetime
    etag: str = ""


def s3_calls(folder: S3Folder, retry: Retry) -> AwsCalls:
    """What a `Bucket` asks through. boto3 finds the bucket's region itself, whichever it begins with."""
    return AwsCalls("s3", where=str(folder), region=None, retry=retry, remedies=_REMEDIES)


class Bucket:
    """The objects below one folder of a bucket; keys are those behind the folder."""

    def __init__(self, folder: S3Folder, calls: AwsCalls) -> None:
        self._folder = folder
        self._calls = calls

    def open(self) -> None:
        """Raise `ReleaseError` where nothing can be asked: without credentials, for one."""
        self._calls.open()

    def url(self, key: str) -> str:
        """What messages call the object: ``s3://BUCKET/PREFIX/KEY``."""
        return f"s3://{self._folder.bucket}/{self._folder.prefix}{key}"

    def get(self, key: str, *, most: int) -> Stored | None:
        """The object; None where there is none. Raise `ReleaseError` where it has more than `most` bytes."""
        return self._calls.retry.ask(f"S3: {key}", partial(self._get, key, most))

    def put(self, key: str, data: bytes, *, content: str, cache: str, etag: str | None = None) -> bool:
        """Write it: in the place of the object with this `etag`, or where there is none if it is None.

        False where that is not so, for somebody else was faster. `content` is its Content-Type, `cache` says how long
        others may keep it.
        """
        return self.store(key, data, content=content, cache=cache, etag=etag) is not None

    def store(self, key: str, data: bytes, *, content: str, cache: str, etag: str | None = None) -> str | None:
        """As `put`: the etag of what was written, None where somebody else was faster."""
        condition = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag}
        return self._put(key, data, condition, ContentType=content, CacheControl=cache)

    def delete(self, key: str) -> None:
        """Take the object away; one that is gone already is no error."""
        self._calls.call("delete_object", **self._named(key))

    def keeps(self, key: str, data: bytes, *, content: str, cache: str) -> bool:
        """Whether the object at `key`, which is these `data`, is kept where another is to be put only if there is none.

        S3 keeps it. A store that does not know conditional writes puts it again, and tells of no error.
        """
        return self._put(key, data, {"IfNoneMatch": "*"}, ContentType=content, CacheControl=cache) is None

    def _put(self, key: str, data: bytes, condition: Mapping[str, str], **headers: str) -> str | None:
        checksum = base64.b64encode(bytes.fromhex(Digest.of(data).hex)).decode()
        try:
            answer = self._calls.call(
                "put_object", **self._named(key), **condition, **headers, Body=data, ChecksumSHA256=checksum
            )
        except AwsIndexError as error:
            if error.code in _LOST or ("IfMatch" in condition and error.code == "NoSuchKey"):
                return None
            raise
        return str(answer.get("ETag", ""))

    def list(self, folder: str) -> Iterator[Listed]:
        """All objects whose keys begin with `folder`."""
        for page in self._pages(folder):
            for item in page.get("Contents", ()):
                key = str(item["Key"]).removeprefix(self._folder.prefix)
                yield Listed(key, int(item["Size"]), item["LastModified"].astimezone(UTC), str(item.get("ETag", "")))

    def folders(self, folder: str) -> Iterator[str]:
        """The names of the folders in `folder`."""
        for page in self._pages(folder, Delimiter="/"):
            for item in page.get("CommonPrefixes", ()):
                yield str(item["Prefix"]).removeprefix(self._folder.prefix + folder).rstrip("/")

    def _pages(self, folder: str, **options: str) -> Iterator[dict[str, Any]]:
        operation = "list_objects_v2"
        more: dict[str, str] = {}
        seen: set[str] = set()
        while True:
            page = self._calls.call(
                operation, Bucket=self._folder.bucket, Prefix=self._folder.prefix + folder, **options, **more
            )
            if page["Name"] != self._folder.bucket:
                raise self._calls.strange(operation, "another bucket's objects")
            yield page
            if not page.get("IsTruncated"):
                return
            following = page["NextContinuationToken"]
            if following in seen:
                raise self._calls.strange(operation, "a page leads back to one before")
            seen.add(following)
            more = {"ContinuationToken": following}

    def _get(self, key: str, most: int) -> Stored | None:
        operation = "get_object"
        try:
            answer = self._calls.call(operation, **self._named(key))
            with closing(answer["Body"]) as body:
                data = b"".join(body.iter_chunks(_CHUNK)) if answer["ContentLength"] <= most else None
        except AwsIndexError as error:
            if error.code == "NoSuchKey":
                return None
            raise
        except (aws.BotoCoreError, HTTPError, OSError) as error:
            raise Passing(self._calls.unanswered(error, operation), "answered half") from error
        if data is None:
            raise ReleaseError(f"{self.url(key)} has more than {most} bytes", remedy="that is no file of a release")
        return Stored(data, str(answer["ETag"]))

    def _named(self, key: str) -> dict[str, str]:
        return {"Bucket": self._folder.bucket, "Key": self._folder.prefix + key}
