"""A site in an S3 bucket: only what changed is written, pages after what they show, and nothing of others touched.

A list in the bucket tells what was written there. It is written before the first file, with all that there will be, and
after the last; so whatever is cut off is the site's own, and is completed by the next run.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from kfp_release.aws_calls import AwsCalls
from kfp_release.catalog.folder import read_site
from kfp_release.catalog.site_files import LIST, MOST_LIST, BadSiteList, WrittenFile, list_json, parse_list
from kfp_release.errors import ReleaseError
from kfp_release.index_settings import S3Folder
from kfp_release.progress import Progress
from kfp_release.retry import SILENT, Retry
from kfp_release.s3_bucket import REGIONAL, Bucket
from kfp_release.workers import in_parallel

_AT_ONCE: Final = 16
_ROOT: Final = "index.html"
_JSON: Final = "application/json"
_FRESH: Final = "no-cache"
_SHOWN: Final = 5
_REMEDIES: Final = {
    **REGIONAL,
    "AccessDenied": (
        "give the role s3:GetObject, s3:PutObject and s3:DeleteObject for the site's objects, and s3:ListBucket for "
        "the bucket; the bucket's own policy may deny it too"
    ),
    "NoSuchBucket": "create the bucket, or correct the URL",
}


@dataclass(frozen=True, slots=True)
class Sent:
    """What was written to the bucket, or would be: paths of the site."""

    target: str
    written: tuple[str, ...]
    deleted: tuple[str, ...]
    """Those that the site has no more."""
    unchanged: int
    bytes_sent: int
    dry_run: bool = False

    @property
    def changed(self) -> bool:
        """Whether there was anything to do."""
        return bool(self.written or self.deleted)

    def to_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "target": self.target,
            "dry_run": self.dry_run,
            "written": list(self.written),
            "deleted": list(self.deleted),
            "unchanged": self.unchanged,
            "bytes_sent": self.bytes_sent,
        }


def publish_site(
    folder: Path, target: str, *, progress: Progress, retry: Retry = SILENT, dry_run: bool = False
) -> Sent:
    """Bring the site in `folder` to `target`, an ``s3://BUCKET/PREFIX``; what the bucket has already is not sent again.

    What a catalog wrote into the folder is sent, and nothing else that lies there; nothing at all in a `dry_run`.
    Raise `ReleaseError` where S3 cannot be asked, and, with nothing written, where an object that no catalog wrote is
    in the place of a file.
    """
    place = S3Folder.parse(target)
    progress.step(f"compare the site with {place}" if dry_run else f"publish the site to {place}")
    bucket = Bucket(place, AwsCalls("s3", where=str(place), region=None, retry=retry, remedies=_REMEDIES))
    site = _read(folder)
    plan = _plan(bucket, {path: WrittenFile.of(path, data) for path, data in site.items()}, site)
    size = sum(len(site[path]) for path in plan.changed)
    for path in plan.left:
        progress.note(f"{bucket.url(path)} is no part of the site any more, was changed by others, and is left alone")
    sent = Sent(str(place), plan.changed, tuple(plan.gone), len(site) - len(plan.changed), size, dry_run)
    if not dry_run and (sent.changed or plan.is_unfinished):
        _Writing(bucket, site, plan, progress, size).write()
    return sent


def _read(folder: Path) -> dict[str, bytes]:
    """The files of the site by path: what a person has put into the folder may be meant for nobody."""
    site = read_site(folder)
    if _ROOT not in site:
        raise ReleaseError(f"{folder} is no site: it has no {_ROOT}", remedy="write it with kfp-release catalog")
    if LIST in site:
        raise ReleaseError(f"{folder / LIST} stands where the list of the written files is", remedy="rename it")
    return site


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be done: `files` is the whole site, with the etags of what is there as it should be."""

    files: Mapping[str, WrittenFile]
    changed: tuple[str, ...]
    """In the order in which they are written: what pages show, the pages, and the first page last."""
    gone: Mapping[str, WrittenFile]
    """What is there, was written by a catalog, and is not in the site."""
    left: tuple[str, ...]
    """What would be gone too, and others have changed since."""
    there: Mapping[str, str]
    """The etags of what the bucket has, by path."""
    list_etag: str | None
    is_unfinished: bool
    """Whether the list tells of another state than this."""


def _plan(bucket: Bucket, wanted: Mapping[str, WrittenFile], site: Mapping[str, bytes]) -> _Plan:
    found = bucket.get(LIST, most=MOST_LIST)
    try:
        known = parse_list(found.data) if found else {}
    except BadSiteList as error:
        raise ReleaseError(
            f"{bucket.url(LIST)} stands where the list of the site's files belongs, and is none: {error.args[0]}",
            remedy="take it away, or give the site a prefix of its own: s3://BUCKET/PREFIX",
        ) from error
    there = {item.key: item.etag for item in bucket.list("")}
    files, foreign = {}, []
    for path, file in wanted.items():
        etag, before = there.get(path, ""), known.get(path)
        # A run that was cut off has left no etag in the list; what it has written is told by its MD5.
        is_as_listed = before is not None and before.etag in {"", etag}
        is_there = before is not None and before.is_same(file) and etag in {before.etag, _md5(site[path])}
        files[path] = replace(file, etag=etag) if etag and is_there else file
        if etag and not is_as_listed and not is_there:
            foreign.append(path)
    _refuse_foreign(bucket, foreign)
    changed = sorted((path for path, file in files.items() if not file.etag), key=_order)
    old = {path: file for path, file in known.items() if path not in wanted and path in there}
    gone = {path: file for path, file in old.items() if file.etag in {"", there[path]}}
    left = tuple(path for path in old if path not in gone)
    return _Plan(files, tuple(changed), gone, left, there, found.etag if found else None, known != files)


def _md5(data: bytes) -> str:
    """The etag of an object that S3 keeps without a key of KMS (S3 API Reference, "Object")."""
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


def _order(path: str) -> tuple[bool, bool, str]:
    return path == _ROOT, path.endswith(".html"), path


def _refuse_foreign(bucket: Bucket, paths: Sequence[str]) -> None:
    if paths:
        more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
        raise ReleaseError(
            "no catalog wrote what is there, or others have changed it, and nothing of others is written over: "
            f"{', '.join(bucket.url(path) for path in paths[:_SHOWN])}{more}",
            remedy="give the site a prefix of its own, s3://BUCKET/PREFIX; or, if it is of no use, take it away",
        )


@dataclass(slots=True)
class _Writing:
    """One run."""

    bucket: Bucket
    site: Mapping[str, bytes]
    plan: _Plan
    progress: Progress
    size: int
    done: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def write(self) -> None:
        plan = self.plan
        etag = self._list({**plan.gone, **plan.files}, plan.list_etag)
        pages = [path for path in plan.changed if path.endswith(".html") and path != _ROOT]
        others = [path for path in plan.changed if not path.endswith(".html")]
        root = [path for path in plan.changed if path == _ROOT]
        written: dict[str, str] = {}
        for paths in (others, pages, root):
            written |= dict(zip(paths, in_parallel(self._put, paths, workers=_AT_ONCE), strict=True))
        in_parallel(self.bucket.delete, list(plan.gone), workers=_AT_ONCE)
        files = {path: replace(file, etag=written.get(path, file.etag)) for path, file in plan.files.items()}
        self._list(files, etag)

    def _put(self, path: str) -> str:
        data, file, before = self.site[path], self.plan.files[path], self.plan.there.get(path)
        etag = self.bucket.store(path, data, content=file.content, cache=file.cache, etag=before)
        if etag is None:
            raise _met(self.bucket, path)
        with self.lock:
            self.done += len(data)
            self.progress.sent("site", self.done, self.size)
        return etag

    def _list(self, files: Mapping[str, WrittenFile], etag: str | None) -> str:
        put = partial(self.bucket.store, content=_JSON, cache=_FRESH)
        new = put(LIST, list_json(files), etag=etag)
        if new is None:
            raise _met(self.bucket, LIST)
        return new


def _met(bucket: Bucket, path: str) -> ReleaseError:
    return ReleaseError(
        f"{bucket.url(path)} was changed by others while the site was written",
        remedy="wait until nobody else publishes it, and run this again: it goes on where it stopped",
    )
