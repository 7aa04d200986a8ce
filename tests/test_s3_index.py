"""A static index in a bucket of moto's S3: pip reads it, nothing is overwritten, and no entry is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import pytest
from s3_fixtures import AWS, S3Server, running_s3
from scripted import answering
from test_index import METADATA, sdist, sha256, wheel

from kfp_release.aws_calls import AwsCalls
from kfp_release.errors import ReleaseError
from kfp_release.index_session import PackageIndexError
from kfp_release.index_settings import S3Folder
from kfp_release.patience import Patience
from kfp_release.retry import Retry
from kfp_release.s3_bucket import Bucket, s3_calls
from kfp_release.s3_index import S3Index

PROJECT = "demo-components"
PAGE = f"simple/{PROJECT}/"
PAGES = ("simple/", PAGE)
OTHER = METADATA + "\nOther words.\n"
RETRY = Retry(Patience(1, 5), sleep=lambda _: None)


@pytest.fixture(scope="module")
def started() -> Iterator[S3Server]:
    with running_s3() as server:
        yield server


@pytest.fixture
def server(started: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    for name, value in {**AWS, "AWS_ENDPOINT_URL_S3": started.url}.items():
        monkeypatch.setenv(name, value)
    return started


@pytest.fixture
def bucket(server: S3Server, request: pytest.FixtureRequest) -> str:
    """A bucket of the test's own, and its name."""
    name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name.lower())[-60:].strip("-")
    server.bucket(name)
    return name


class Interrupted(Bucket):
    """Does something else before each object is put."""

    def __init__(self, folder: S3Folder, calls: AwsCalls, before: Callable[[str], None]) -> None:
        super().__init__(folder, calls)
        self.before = before

    def put(self, key: str, data: bytes, *, content: str, cache: str, etag: str | None = None) -> bool:
        self.before(key)
        return super().put(key, data, content=content, cache=cache, etag=etag)


class Killed(Exception):
    """In the place of a SIGKILL."""


def index_in(text: str, before: Callable[[str], None] = lambda _: None) -> S3Index:
    """All with one client, which takes long to be made."""
    return S3Index(
        Interrupted(S3Folder.parse(f"s3://{text}"), shared_calls(os.environ["AWS_ENDPOINT_URL_S3"]), before),
        retry=RETRY,
    )


@cache
def shared_calls(url: str) -> AwsCalls:
    assert url
    return s3_calls(S3Folder("tests"), RETRY)


def new_index(text: str) -> S3Index:
    """With a client of its own."""
    folder = S3Folder.parse(f"s3://{text}")
    return S3Index(Bucket(folder, s3_calls(folder, RETRY)), retry=RETRY)


def pages_tell(server: S3Server, bucket: str, names: set[str]) -> None:
    """All three pages of the project name these files, and those of all projects the project."""
    value = json.loads(server.get(bucket, f"{PAGE}index.v1_json"))
    assert {file["filename"] for file in value["files"]} == names
    html = server.get(bucket, PAGE)
    assert html == server.get(bucket, f"{PAGE}index.html")
    assert {name for name in names if f">{name}</a>".encode() in html} == names
    assert html.count(b"<a ") == len(names)
    assert {project["name"] for project in json.loads(server.get(bucket, "simple/index.v1_json"))["projects"]} == {
        PROJECT
    }
    assert b'<a href="demo-components/">' in server.get(bucket, "simple/") == server.get(bucket, "simple/index.html")


@pytest.mark.parametrize("prefix", ["", "/team/python"])
def test_files_go_there_and_come_back(server: S3Server, bucket: str, prefix: str, tmp_path: Path) -> None:
    index = index_in(bucket + prefix)
    assert index.files(PROJECT) == {}
    files = [sdist(tmp_path, "1.0"), wheel(tmp_path, "1.0"), wheel(tmp_path, "1.1.dev2+gabc1234")]
    for path in files:
        index.require_credentials()
        index.upload(path)
    for spelling in (PROJECT, "Demo.Components"):
        listed = index.files(spelling)
        assert {name: file.sha256 for name, file in listed.items()} == {path.name: sha256(path) for path in files}
    for path in files:
        assert index.download(listed[path.name]) == path.read_bytes()
    begin = f"{prefix[1:]}/" if prefix else ""
    assert all(key.startswith(begin) for key in server.keys(bucket))
    assert index_in(f"{bucket}{prefix}/other").files(PROJECT) == {}


def test_pip_installs_from_it_and_reads_its_metadata_alone(server: S3Server, bucket: str, tmp_path: Path) -> None:
    index = index_in(f"{bucket}/python")
    told = METADATA.replace("\n\n", "\nRequires-Python: >=3.8,<9\n\n", 1)
    first, second = (wheel(tmp_path, version, metadata=told) for version in ("1.0", "1.1+local.2"))
    index.upload(first)
    index.upload(second)
    index.upload(wheel(tmp_path, "2.0", metadata=told.replace(">=3.8", ">=3.99")))
    venv.create(tmp_path / "venv")
    for path in ("simple/", "simple/index.html"):
        assert b"demo-components/" in server.get(bucket, f"python/{path}")
    pip = (sys.executable, "-m", "pip", "--python", tmp_path / "venv", "--isolated", "--no-cache-dir")
    url = ("--index-url", f"{server.url}/{bucket}/python/simple/")
    done = subprocess.run([*pip, "install", "-vv", *url, PROJECT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    # The highest that this Python can use, told by its page; from its metadata, before the wheel.
    assert "Successfully installed demo-components-1.1+local.2" in done.stdout
    assert "1.1%2Blocal.2-py3-none-any.whl.metadata" in done.stdout
    out = ("--dest", tmp_path / "out")
    subprocess.run([*pip, "download", "--no-deps", *out, *url, f"{PROJECT}==1.0"], capture_output=True, check=True)
    (kept,) = (tmp_path / "out").iterdir()
    assert kept.read_bytes() == first.read_bytes()


def test_servers_are_told_what_each_object_is_and_how_long_it_may_be_kept(
    server: S3Server, bucket: str, tmp_path: Path
) -> None:
    index_in(bucket).upload(wheel(tmp_path, "1.0"))
    told = {key: server.client.head_object(Bucket=bucket, Key=key) for key in server.keys(bucket)}
    kinds = {key: (value["ContentType"], value["CacheControl"]) for key, value in told.items()}
    html, json_ = ("text/html; charset=utf-8", "no-cache"), ("application/vnd.pypi.simple.v1+json", "no-cache")
    ever = "max-age=31536000, immutable"
    file = f"packages/{PROJECT}/demo_components-1.0-py3-none-any.whl"
    assert kinds == {
        **{f"{page}{name}": html for page in PAGES for name in ("", "index.html")},
        **{f"{page}index.v1_json": json_ for page in PAGES},
        file: ("application/zip", ever),
        f"{file}.metadata": ("text/plain; charset=utf-8", ever),
    }


def test_the_json_form_tells_versions_sizes_times_and_what_python_they_need(
    server: S3Server, bucket: str, tmp_path: Path
) -> None:
    told = METADATA.replace("\n\n", "\nRequires-Python: >=3.8,!=3.9.*\n\n", 1)
    path = wheel(tmp_path, "1.10", metadata=told)
    for each in (path, sdist(tmp_path, "1.9")):
        index_in(bucket).upload(each)
    value = json.loads(server.get(bucket, f"{PAGE}index.v1_json"))
    assert value["meta"]["api-version"] == "1.1"
    assert (value["name"], value["versions"]) == (PROJECT, ["1.9", "1.10"])
    file = value["files"][0]
    assert file["size"] == path.stat().st_size
    assert file["upload-time"].endswith("Z")
    assert file["requires-python"] == "!=3.9.*,>=3.8"
    assert b'data-requires-python="!=3.9.*,&gt;=3.8"' in server.get(bucket, PAGE)


def test_the_same_file_again_changes_nothing(server: S3Server, bucket: str, tmp_path: Path) -> None:
    for _ in range(2):
        index_in(bucket).upload(wheel(tmp_path, "1.0"))
        before = {key: value["LastModified"] for key, value in heads(server, bucket).items()}
    assert before == {key: value["LastModified"] for key, value in heads(server, bucket).items()}
    pages_tell(server, bucket, {"demo_components-1.0-py3-none-any.whl"})


def heads(server: S3Server, bucket: str) -> dict[str, dict[str, object]]:
    return {key: server.client.head_object(Bucket=bucket, Key=key) for key in server.keys(bucket)}


def test_other_content_under_the_same_name_is_refused_and_changes_nothing(
    server: S3Server, bucket: str, tmp_path: Path
) -> None:
    index_in(bucket).upload(wheel(tmp_path, "1.0"))
    before = server.keys(bucket)
    with pytest.raises(
        PackageIndexError, match=r"whl is there with sha256 [0-9a-f]{64} and other content, this"
    ) as caught:
        index_in(bucket).upload(wheel(tmp_path, "1.0", metadata=OTHER))
    assert "release under the next version" in caught.value.remedy
    assert caught.value.status == 409
    assert server.keys(bucket) == before


def test_whoever_is_killed_at_any_object_is_completed_by_the_same_command(bucket: str, tmp_path: Path) -> None:
    first, second = wheel(tmp_path, "1.0"), wheel(tmp_path, "1.1")
    puts: list[str] = []
    index_in(f"{bucket}/whole", puts.append).upload(first)
    assert puts[0].endswith(".whl")
    assert puts[-1] == PAGE
    for number in range(len(puts)):
        left = iter(range(number))

        def stop(_: str, left: Iterator[int] = left) -> None:
            if next(left, None) is None:
                raise Killed

        with pytest.raises(Killed):
            index_in(f"{bucket}/killed-{number}", stop).upload(first)
        index = index_in(f"{bucket}/killed-{number}")
        assert index.files(PROJECT) == {}
        if number % 2:  # another file first, whose pages tell of both
            index.upload(second)
            assert set(index.files(PROJECT)) == ({first.name, second.name} if number else {second.name})
        index.upload(first)
        assert set(index.files(PROJECT)) == {first.name, *([second.name] if number % 2 else [])}
        assert index.download(index.files(PROJECT)[first.name]) == first.read_bytes()


@pytest.mark.parametrize("at", ["simple/", "simple/index.v1_json", PAGE, f"{PAGE}index.v1_json"])
@pytest.mark.parametrize("empty", [True, False])
def test_two_uploads_that_meet_lose_no_entry(
    server: S3Server, bucket: str, tmp_path: Path, at: str, *, empty: bool
) -> None:
    names = {path.name for path in (wheel(tmp_path, "1.0"), wheel(tmp_path, "1.1"))}
    if not empty:
        index_in(bucket).upload(sdist(tmp_path, "0.9"))
        names.add("demo_components-0.9.tar.gz")
    met: list[str] = []

    def meet(key: str) -> None:
        # Between the moment when a page is read and that when it is written.
        if key == at and not met:
            met.append(key)
            index_in(bucket).upload(tmp_path / "demo_components-1.1-py3-none-any.whl")

    index_in(bucket, meet).upload(tmp_path / "demo_components-1.0-py3-none-any.whl")
    assert met == ([at] if empty or at.startswith(PAGE) else [])
    if not met:
        index_in(bucket).upload(tmp_path / "demo_components-1.1-py3-none-any.whl")
    pages_tell(server, bucket, names)


def test_many_uploads_at_once_lose_no_entry(server: S3Server, bucket: str, tmp_path: Path) -> None:
    paths = [wheel(tmp_path, f"1.{number}") for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda path: index_in(bucket).upload(path), paths))
    pages_tell(server, bucket, {path.name for path in paths})


def test_one_file_from_two_at_once_is_there_once(server: S3Server, bucket: str, tmp_path: Path) -> None:
    path = wheel(tmp_path, "1.0")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: index_in(bucket).upload(path), range(4)))
    pages_tell(server, bucket, {path.name})


def test_a_page_that_others_change_all_the_time_ends_with_an_error(
    server: S3Server, bucket: str, tmp_path: Path
) -> None:
    numbers = iter(range(1000))

    def change(key: str) -> None:
        if key == f"{PAGE}index.v1_json":
            page = {"meta": {"_generator": "kfp-release", "number": next(numbers)}, "files": []}
            server.client.put_object(Bucket=bucket, Key=key, Body=json.dumps(page).encode())

    with pytest.raises(ReleaseError, match=rf"s3://{bucket}/{PAGE} was changed by others 30 times.*\n.*run this again"):
        index_in(bucket, change).upload(wheel(tmp_path, "1.0"))


class Contended(Bucket):
    """Answers that others put the same at this moment, so many times."""

    def __init__(self, folder: S3Folder, calls: AwsCalls, times: int) -> None:
        super().__init__(folder, calls)
        self.times = times

    def put(self, key: str, data: bytes, *, content: str, cache: str, etag: str | None = None) -> bool:
        self.times -= key.endswith(".whl")
        return self.times < 0 and super().put(key, data, content=content, cache=cache, etag=etag)


class Careless(Bucket):
    """In a store that does not know conditional writes, as some call S3: it takes all."""

    def _put(self, key: str, data: bytes, condition: Mapping[str, str], **headers: str) -> str | None:
        del condition
        return super()._put(key, data, {}, **headers)


@pytest.mark.parametrize("uploads", [0, 1])
def test_a_store_that_ignores_conditions_is_found_out(
    server: S3Server, bucket: str, uploads: int, tmp_path: Path
) -> None:
    for _ in range(uploads):
        index_in(bucket).upload(wheel(tmp_path, "1.0"))
    before = server.keys(bucket)
    careless = S3Index(Careless(S3Folder(bucket), shared_calls(server.url)), retry=RETRY)
    with pytest.raises(ReleaseError, match=r"simple/ is taken by an object .* only where there is none\n.*conditional"):
        careless.upload(wheel(tmp_path, "1.0", metadata=OTHER))
    assert not uploads or server.keys(bucket) == before


def test_a_file_that_others_put_and_did_not_is_put_again_and_not_for_ever(
    server: S3Server, bucket: str, tmp_path: Path
) -> None:
    calls, folder, path = shared_calls(server.url), S3Folder(bucket), wheel(tmp_path, "1.0")
    with pytest.raises(PackageIndexError, match=r"is put by others at this moment, and is not there\n.*run this again"):
        S3Index(Contended(folder, calls, 9), retry=RETRY).upload(path)
    assert server.keys(bucket) == {}
    S3Index(Contended(folder, calls, 2), retry=RETRY).upload(path)
    pages_tell(server, bucket, {path.name})


FOREIGN = {
    "a page of another tool": (PAGE, b"<html><body><a href='x-1.0.tar.gz'>x-1.0.tar.gz</a></body></html>"),
    "a page for websites": (f"{PAGE}index.html", b"<html></html>"),
    "JSON of another tool": (f"{PAGE}index.v1_json", b'{"meta": {"api-version": "1.0"}, "files": []}'),
    "no JSON": (f"{PAGE}index.v1_json", b"\x00"),
    "a list": ("simple/index.v1_json", b"[]"),
    "a start page": ("simple/", b"Welcome"),
    "a website": ("simple/index.html", b"<h1>Welcome</h1>"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_object_in_a_pages_place_is_refused_before_anything_is_put(
    server: S3Server, bucket: str, name: str, tmp_path: Path
) -> None:
    key, data = FOREIGN[name]
    server.client.put_object(Bucket=bucket, Key=key, Body=data)
    with pytest.raises(ReleaseError, match=rf"s3://{bucket}/{key} .*, and a page .*\n.*take it away, or give"):
        index_in(bucket).upload(wheel(tmp_path, "1.0"))
    if key == PAGE:
        with pytest.raises(ReleaseError, match="is no page that kfp-release has written"):
            index_in(bucket).files(PROJECT)
    assert server.keys(bucket) == {key: data}


def test_folders_that_a_console_made_and_foreign_files_are_no_matter(
    server: S3Server, bucket: str, tmp_path: Path
) -> None:
    for key in (*PAGES, "packages/", f"packages/{PROJECT}/"):
        server.client.put_object(Bucket=bucket, Key=key, Body=b"")
    server.client.put_object(Bucket=bucket, Key=f"packages/{PROJECT}/notes.txt", Body=b"x")
    server.client.put_object(Bucket=bucket, Key=f"packages/{PROJECT}/other-1.0.tar.gz", Body=b"x")
    server.client.put_object(Bucket=bucket, Key=f"packages/{PROJECT}/old/demo_components-0.1.tar.gz", Body=b"x")
    server.client.put_object(Bucket=bucket, Key="packages/<b>/x", Body=b"x")
    assert index_in(bucket).files(PROJECT) == {}
    index_in(bucket).upload(wheel(tmp_path, "1.0"))
    pages_tell(server, bucket, {"demo_components-1.0-py3-none-any.whl"})


def test_a_page_that_was_damaged_is_told_and_not_written_over(server: S3Server, bucket: str, tmp_path: Path) -> None:
    index_in(bucket).upload(wheel(tmp_path, "1.0"))
    value = json.loads(server.get(bucket, f"{PAGE}index.v1_json"))
    del value["files"][0]["hashes"]
    server.client.put_object(Bucket=bucket, Key=f"{PAGE}index.v1_json", Body=json.dumps(value).encode())
    with pytest.raises(ReleaseError, match=r"index.v1_json has a file that is told of otherwise(.|\n)*take it away"):
        index_in(bucket).upload(wheel(tmp_path, "1.1"))
    server.client.delete_object(Bucket=bucket, Key=f"{PAGE}index.v1_json")
    index_in(bucket).upload(wheel(tmp_path, "1.1"))
    pages_tell(server, bucket, {f"demo_components-1.{number}-py3-none-any.whl" for number in (0, 1)})


def test_a_file_that_is_gone_or_changed_is_told(server: S3Server, bucket: str, tmp_path: Path) -> None:
    path = wheel(tmp_path, "1.0")
    index = index_in(bucket)
    index.upload(path)
    (file,) = index.files(PROJECT).values()
    key = f"packages/{PROJECT}/{path.name}"
    server.client.put_object(Bucket=bucket, Key=key, Body=b"other bytes")
    with pytest.raises(ReleaseError, match=r"from the index has sha256 [0-9a-f]{64}, its page says"):
        index.download(file)
    server.client.delete_object(Bucket=bucket, Key=key)
    with pytest.raises(PackageIndexError, match=f"lists {path.name}, and s3://{bucket}/{key} is not there") as caught:
        index.download(file)
    assert caught.value.status == 404


def test_a_listing_that_leads_in_a_circle_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in AWS.items():
        monkeypatch.setenv(variable, value)
    folder = S3Folder("b-u-c")
    again = "<Name>b-u-c</Name><IsTruncated>true</IsTruncated><NextContinuationToken>again</NextContinuationToken>"
    with answering(200, f"<ListBucketResult>{again}</ListBucketResult>".encode()) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", url)
        with pytest.raises(ReleaseError, match=r"list_objects_v2 with .*: a page leads back to one before"):
            list(Bucket(folder, s3_calls(folder, RETRY)).list("packages/"))


def test_a_bucket_that_is_missing_is_told(server: S3Server, tmp_path: Path) -> None:
    index = new_index("no-such-bucket")
    for ask in (lambda: index.files(PROJECT), lambda: index.upload(wheel(tmp_path, "1.0"))):
        with pytest.raises(
            PackageIndexError, match=r"S3 refused get_object for s3://no-such-bucket at .*NoSuchBucket"
        ) as caught:
            ask()
        assert caught.value.remedy == "create the bucket, or correct s3 of [tool.kfp-release.index]"
    assert server


def test_without_aws_credentials_it_says_so(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    assert server
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(
        PackageIndexError, match=r"cannot ask S3 for s3://b-u-c: there are no AWS credentials\n.*AWS_PROFILE"
    ):
        new_index("b-u-c").require_credentials()


def error(code: str) -> bytes:
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>No.</Message></Error>".encode()


ANSWERS = {
    "no permission": (
        403,
        error("AccessDenied"),
        r"AccessDenied: No.\n.*s3:GetObject, and s3:PutObject .*ListBucket",
    ),
    "another region": (
        301,
        error("PermanentRedirect"),
        "PermanentRedirect.*\n.*set AWS_DEFAULT_REGION to the bucket's region",
    ),
    "no conditional writes": (501, error("NotImplemented"), "NotImplemented.*\n.*conditional writes"),
    "a gateway without a code": (403, b"<Error/>", "S3 refused .*: HTTP 403\n.*is AWS_ENDPOINT_URL_S3 the URL of S3"),
    "a log-in page": (200, b"<html><form></form></html>", "get_object with something that S3 does not say"),
    "an error that is none": (403, b"<html><p>Log in.", "S3 (refused|answers).*get_object"),
    "a key that is none": (403, error("InvalidAccessKeyId"), r"InvalidAccessKeyId: No.\n.*set AWS_PROFILE"),
    "a clock that is wrong": (403, error("RequestTimeTooSkewed"), r"RequestTimeTooSkewed: No.\n.*clock"),
    "too much at once": (503, error("SlowDown"), "SlowDown: No.\n.*too many calls at once"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_what_is_answered_otherwise_is_one_clear_error(
    monkeypatch: pytest.MonkeyPatch, name: str, tmp_path: Path
) -> None:
    status, body, message = ANSWERS[name]
    for variable, value in AWS.items():
        monkeypatch.setenv(variable, value)
    with answering(status, body, **{"Content-Type": "application/xml"}) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", url)
        for ask in (
            lambda: new_index("b-u-c").files(PROJECT),
            lambda: new_index("b-u-c").upload(wheel(tmp_path, "1.0")),
        ):
            with pytest.raises(ReleaseError, match=message):
                ask()
