"""A site in a bucket, on moto's S3: what changed is written, in an order, and nothing of others is touched."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from ecr_fixtures import Told
from s3_fixtures import AWS, S3Server, running_s3

from kfp_release import aws_calls
from kfp_release.catalog.bucket import Sent, publish_site
from kfp_release.catalog.folder import read_site, write_site
from kfp_release.catalog.site_files import LIST, parse_list
from kfp_release.errors import ReleaseError
from kfp_release.patience import Patience
from kfp_release.progress import Silent
from kfp_release.retry import Retry
from kfp_release.s3_bucket import Bucket

SITE = {
    "index.html": b"<h1>all</h1>",
    "components/add.html": b"<h1>add</h1>",
    "assets/style.css": b"body {}",
    "assets/search.0123456789abcdef.js": b"let found;",
    "data/search.json": b"[]",
}
ONCE = Retry(Patience(attempts=1), sleep=lambda _: None)


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with running_s3() as server:
        yield server


@pytest.fixture(autouse=True)
def _aws(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**AWS, "AWS_ENDPOINT_URL_S3": server.url, "AWS_DEFAULT_REGION": "eu-north-1"}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def bucket(server: S3Server, request: pytest.FixtureRequest) -> str:
    name = re.sub("[^a-z0-9]+", "-", request.node.name.lower())[-50:].strip("-")
    server.bucket(name)
    return name


def site_at(folder: Path, files: dict[str, bytes] = SITE, *, without: str = "") -> Path:
    """As the command writes it: these files, and those of before but for one."""
    before = {path: data for path, data in read_site(folder).items() if path != without}
    write_site(folder, {**before, **files})
    return folder


def put(folder: Path, bucket: str, **options: Any) -> Sent:
    return publish_site(folder, f"s3://{bucket}/site", progress=Silent(), retry=ONCE, **options)


def recorded(monkeypatch: pytest.MonkeyPatch, *, end_after: int = 1000) -> list[str]:
    """The keys that are put from now on, in their order; the one after so many fails."""
    seen: list[str] = []
    store = Bucket.store

    def storing(self: Bucket, key: str, data: bytes, **options: Any) -> str | None:
        if len(seen) == end_after:
            raise ReleaseError("the run is cut off")
        seen.append(key)
        return store(self, key, data, **options)

    monkeypatch.setattr(Bucket, "store", storing)
    return seen


def test_all_of_a_new_site_is_written_as_a_browser_wants_it(server: S3Server, bucket: str, tmp_path: Path) -> None:
    sent = put(site_at(tmp_path), bucket)
    assert (set(sent.written), sent.deleted, sent.unchanged) == (set(SITE), (), 0)
    assert sent.bytes_sent == sum(map(len, SITE.values()))
    assert {key: data for key, data in server.keys(bucket).items() if key != f"site/{LIST}"} == {
        f"site/{path}": data for path, data in SITE.items()
    }
    heads = {path: server.client.head_object(Bucket=bucket, Key=f"site/{path}") for path in SITE}
    assert {path: (head["ContentType"], head["CacheControl"]) for path, head in heads.items()} == {
        "index.html": ("text/html; charset=utf-8", "no-cache"),
        "components/add.html": ("text/html; charset=utf-8", "no-cache"),
        "assets/style.css": ("text/css; charset=utf-8", "no-cache"),
        "assets/search.0123456789abcdef.js": ("text/javascript; charset=utf-8", "max-age=31536000, immutable"),
        "data/search.json": ("application/json", "no-cache"),
    }


def test_what_pages_show_comes_before_them_and_the_first_page_last(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = recorded(monkeypatch)
    put(site_at(tmp_path), bucket)
    assert seen[0] == seen[-1] == LIST
    assert seen[-3:-1] == ["components/add.html", "index.html"]


def test_the_same_site_again_writes_nothing(bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(site_at(tmp_path), bucket)
    seen = recorded(monkeypatch)
    sent = put(tmp_path, bucket)
    assert (sent.written, sent.deleted, sent.unchanged, sent.bytes_sent, seen) == ((), (), len(SITE), 0, [])
    assert not sent.changed


def test_only_what_changed_is_written_and_what_went_is_deleted(server: S3Server, bucket: str, tmp_path: Path) -> None:
    put(site_at(tmp_path), bucket)
    more = {"components/sub.html": b"<h1>sub</h1>", "index.html": b"<h1>more</h1>"}
    site_at(tmp_path, more, without="components/add.html")
    sent = put(tmp_path, bucket)
    assert (sent.written, sent.deleted, sent.unchanged) == (
        ("components/sub.html", "index.html"),
        ("components/add.html",),
        3,
    )
    keys = server.keys(bucket)
    assert "site/components/add.html" not in keys
    assert keys["site/index.html"] == b"<h1>more</h1>"
    assert set(parse_list(keys[f"site/{LIST}"])) == {*SITE, "components/sub.html"} - {"components/add.html"}


def test_a_dry_run_tells_the_same_and_writes_nothing(server: S3Server, bucket: str, tmp_path: Path) -> None:
    put(site_at(tmp_path), bucket)
    before = server.keys(bucket)
    site_at(tmp_path, {"assets/style.css": b"body { color: red }"}, without="data/search.json")
    told = put(tmp_path, bucket, dry_run=True)
    assert server.keys(bucket) == before
    assert (told.written, told.deleted, told.dry_run) == (("assets/style.css",), ("data/search.json",), True)
    assert put(tmp_path, bucket).to_json() == {**told.to_json(), "dry_run": False}


@pytest.mark.parametrize("end_after", [1, 3, 6])
def test_what_was_cut_off_is_completed_by_the_next_run(
    server: S3Server, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end_after: int
) -> None:
    with monkeypatch.context() as patch:
        recorded(patch, end_after=end_after)
        with pytest.raises(ReleaseError, match="cut off"):
            put(site_at(tmp_path), bucket)
    sent = put(tmp_path, bucket)
    assert len(sent.written) == len(SITE) - (end_after - 1)
    assert {f"site/{path}" for path in SITE} < set(server.keys(bucket))
    assert not put(tmp_path, bucket).changed


def test_files_of_others_are_neither_deleted_nor_written_over(server: S3Server, bucket: str, tmp_path: Path) -> None:
    others = {"site/notes.txt": b"mine", "other/index.html": b"theirs", "site": b"a file"}
    for key, data in others.items():
        server.client.put_object(Bucket=bucket, Key=key, Body=data)
    put(site_at(tmp_path), bucket)
    server.client.put_object(Bucket=bucket, Key="site/index.htm", Body=b"x")
    site_at(tmp_path, {"notes.txt": b"of the site"})
    before = server.keys(bucket)
    with pytest.raises(
        ReleaseError, match=rf"nothing of others is written over: s3://{bucket}/site/notes\.txt"
    ) as caught:
        put(tmp_path, bucket)
    assert "a prefix of its own" in caught.value.remedy
    assert server.keys(bucket) == before
    assert {key: before[key] for key in others} == others


def test_a_page_that_others_have_changed_is_not_written_over_and_not_deleted(
    server: S3Server, bucket: str, tmp_path: Path
) -> None:
    put(site_at(tmp_path), bucket)
    server.client.put_object(Bucket=bucket, Key="site/index.html", Body=b"we move")
    with pytest.raises(ReleaseError, match="others have changed it"):
        put(tmp_path, bucket)
    server.client.delete_object(Bucket=bucket, Key="site/index.html")
    assert put(tmp_path, bucket).written == ("index.html",)
    server.client.put_object(Bucket=bucket, Key="site/data/search.json", Body=b"[1]")
    site_at(tmp_path, {}, without="data/search.json")
    assert put(tmp_path, bucket).deleted == ()
    assert not put(tmp_path, bucket).changed
    assert server.get(bucket, "site/data/search.json") == b"[1]"


def test_an_object_that_went_is_written_again(server: S3Server, bucket: str, tmp_path: Path) -> None:
    put(site_at(tmp_path), bucket)
    server.client.delete_object(Bucket=bucket, Key="site/assets/style.css")
    assert put(tmp_path, bucket).written == ("assets/style.css",)


def test_another_run_at_the_same_time_ends_this_one(
    server: S3Server, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(site_at(tmp_path), bucket)
    (tmp_path / "index.html").write_bytes(b"new")
    listing = Bucket.list

    def meanwhile(self: Bucket, folder: str) -> Any:
        listed = list(listing(self, folder))
        server.client.put_object(Bucket=bucket, Key=f"site/{LIST}", Body=b"{}")
        return iter(listed)

    monkeypatch.setattr(Bucket, "list", meanwhile)
    with pytest.raises(ReleaseError, match=f"{LIST} was changed by others while the site was written"):
        put(tmp_path, bucket)
    assert server.get(bucket, "site/index.html") == SITE["index.html"]


def test_progress_tells_every_byte(bucket: str, tmp_path: Path) -> None:
    told = Told()
    publish_site(site_at(tmp_path), f"s3://{bucket}", progress=told)
    size = sum(map(len, SITE.values()))
    assert told.told[-1] == ("site", size, size)
    assert told.steps == [f"publish the site to s3://{bucket}"]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"no list", "is not JSON"),
        (b"{}", "not a list"),
        (b'{"writer":"kfp-release catalog","files":{"a":[1]}}', "not a"),
    ],
)
def test_something_else_in_the_place_of_the_list_is_refused(
    server: S3Server, bucket: str, tmp_path: Path, data: bytes, why: str
) -> None:
    server.client.put_object(Bucket=bucket, Key=f"site/{LIST}", Body=data)
    with pytest.raises(ReleaseError, match=why):
        put(site_at(tmp_path), bucket)
    assert set(server.keys(bucket)) == {f"site/{LIST}"}


@pytest.mark.parametrize(
    ("target", "message", "remedy"),
    [
        ("s3://there-is-none/site", "NoSuchBucket", "create the bucket"),
        ("https://bucket/site", "names no S3 bucket", "write s3://BUCKET"),
        ("s3://bucket/a site", "a prefix that URLs cannot hold", "letters, digits"),
    ],
)
def test_a_place_that_is_none_is_named(tmp_path: Path, target: str, message: str, remedy: str) -> None:
    with pytest.raises(ReleaseError, match=message) as caught:
        publish_site(site_at(tmp_path), target, progress=Silent(), retry=ONCE)
    assert remedy in caught.value.remedy


def test_a_role_that_may_not_is_told_the_permissions(
    server: S3Server, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Denied:
        meta = server.client.meta

        def get_object(self, **_: Any) -> Any:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetObject")

    monkeypatch.setattr(aws_calls, "aws_client", lambda *_, **__: Denied())
    with pytest.raises(ReleaseError, match="AccessDenied") as caught:
        put(site_at(tmp_path), bucket)
    assert "s3:DeleteObject" in caught.value.remedy


def test_a_folder_without_a_first_page_is_no_site(bucket: str, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"is no site: it has no index\.html"):
        put(site_at(tmp_path, {"page.html": b""}), bucket)


def test_a_site_cannot_have_a_file_of_the_lists_name(bucket: str, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=LIST):
        put(site_at(tmp_path, {**SITE, LIST: b""}), bucket)


def test_what_else_lies_in_the_folder_is_not_sent(server: S3Server, bucket: str, tmp_path: Path) -> None:
    site_at(tmp_path / "site")
    (tmp_path / "secret").write_bytes(b"key")
    for name in (".git/config", ".env", "notes.txt"):
        (tmp_path / "site" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "site" / name).write_bytes(b"mine")
    (tmp_path / "site/link").symlink_to(tmp_path / "secret")
    assert set(put(tmp_path / "site", bucket).written) == set(SITE)
    assert set(server.keys(bucket)) == {f"site/{path}" for path in (*SITE, LIST)}


@pytest.mark.parametrize("path", ["index.html", "components"])
def test_a_link_in_the_place_of_a_page_is_not_followed(bucket: str, tmp_path: Path, path: str) -> None:
    site_at(tmp_path / "site")
    (tmp_path / "site" / path).rename(tmp_path / "elsewhere")
    (tmp_path / "site" / path).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ReleaseError, match=rf"{path} is (a link|not there as a catalog wrote it)"):
        put(tmp_path / "site", bucket)
