"""The index adapter against a real pypiserver, and against answers that a real one gives on bad days."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import tarfile
import traceback
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from scripted import ANY, Answer, scripted

from kfp_release.credentials import Credentials
from kfp_release.errors import Problems, ReleaseError
from kfp_release.index import Index, IndexFile
from kfp_release.index_page import MAX_FILE
from kfp_release.index_session import PackageIndexError
from kfp_release.index_settings import IndexUrls
from kfp_release.retry import Retry
from kfp_release.sandbox.index import IndexServer
from kfp_release.sandbox.process import free_port
from kfp_release.twine_upload import check_distributions

USER, PASSWORD = "ann", "päss-word-that-nobody-may-see"
JSON = "application/vnd.pypi.simple.v1+json"
METADATA = """\
Metadata-Version: 2.1
Name: Demo.Components
Version: {version}
Description-Content-Type: text/markdown

# Demo
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IndexServer]:
    server = IndexServer(
        tmp_path_factory.mktemp("index"),
        Credentials(USER, PASSWORD),
        fallback_url=f"http://127.0.0.1:{free_port()}/simple/",
    )
    server.start()
    yield server
    server.stop()


@pytest.fixture
def index(server: IndexServer) -> Index:
    return open_index(server, Credentials(USER, PASSWORD))


def open_index(server: IndexServer, credentials: Credentials) -> Index:
    return Index(IndexUrls(server.upload_url, server.simple_url), credentials)


def index_at(url: str, *, waits: list[float] | None = None, notes: list[str] | None = None) -> Index:
    """The index there; it keeps in `waits` how long it would have waited."""
    kept: list[float] = [] if waits is None else waits
    told: list[str] = [] if notes is None else notes
    retry = Retry(note=told.append, sleep=kept.append)
    return Index(IndexUrls(f"{url}/", f"{url}/simple/"), Credentials(USER, PASSWORD), retry=retry)


def wheel(folder: Path, version: str, *, metadata: str = METADATA) -> Path:
    path = folder / f"demo_components-{version}-py3-none-any.whl"
    info = f"demo_components-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{info}/METADATA", metadata.format(version=version))
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return path


def sdist(folder: Path, version: str) -> Path:
    path = folder / f"demo_components-{version}.tar.gz"
    data = METADATA.format(version=version).encode()
    with tarfile.open(path, "w:gz") as archive:
        for name, content in {"PKG-INFO": data, "pyproject.toml": b""}.items():
            member = tarfile.TarInfo(f"demo_components-{version}/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_what_is_uploaded_is_listed_under_every_spelling_of_its_project(index: Index, tmp_path: Path) -> None:
    files = [sdist(tmp_path, "1.0"), wheel(tmp_path, "1.0")]
    for path in files:
        index.upload(path)
    for spelling in ("demo-components", "Demo.Components", "demo_components"):
        listed = index.files(spelling)
        assert {name: file.sha256 for name, file in listed.items()} == {path.name: sha256(path) for path in files}
    for path in files:
        assert index.download(listed[path.name]) == path.read_bytes()


def test_a_file_that_is_there_is_refused_and_stays_as_it_was(index: Index, tmp_path: Path) -> None:
    path = wheel(tmp_path, "2.0")
    index.upload(path)
    before = sha256(path)
    wheel(tmp_path, "2.0", metadata=METADATA + "\nOther words.\n")
    with pytest.raises(ReleaseError, match=r"does not take demo_components-2.0.*already exists!.*\n.*never replaced"):
        index.upload(path)
    assert index.files("demo-components")[path.name].sha256 == before


def test_uploading_says_nothing_on_stdout_and_stderr(
    index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="twine"):
        index.upload(wheel(tmp_path, "3.0"))
    seen = capsys.readouterr()
    assert seen.out == seen.err == ""
    assert PASSWORD not in caplog.text


def test_a_wrong_password_is_told_with_the_variables_to_set(server: IndexServer, tmp_path: Path) -> None:
    index = open_index(server, Credentials(USER, "wröng"))
    calls: list[Callable[[], object]] = [
        lambda: index.files("demo-components"),
        lambda: index.upload(wheel(tmp_path, "4.0")),
    ]
    for call in calls:
        with pytest.raises(
            ReleaseError, match=r"refuses access.*HTTP 403(.|\n)*check TWINE_USERNAME and TWINE"
        ) as caught:
            call()
        assert "wröng" not in str(caught.value)


def test_no_password_is_told_with_the_variables_to_set(server: IndexServer, tmp_path: Path) -> None:
    index = open_index(server, Credentials())
    with pytest.raises(ReleaseError, match=r"HTTP 401(.|\n)*set TWINE_USERNAME and TWINE_PASSWORD"):
        index.files("demo-components")
    with pytest.raises(ReleaseError, match=r"without credentials(.|\n)*set TWINE_USERNAME and TWINE_PASSWORD"):
        index.upload(wheel(tmp_path, "4.0"))
    with pytest.raises(PackageIndexError, match=rf"uploaded to {server.upload_url} without credentials") as caught:
        index.require_credentials()
    assert caught.value.remedy == "set TWINE_USERNAME and TWINE_PASSWORD in the environment"
    open_index(server, Credentials(USER, PASSWORD)).require_credentials()


def test_credentials_in_netrc_are_not_used(
    server: IndexServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine 127.0.0.1 login {USER} password {PASSWORD}\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    with pytest.raises(ReleaseError, match="HTTP 401"):
        open_index(server, Credentials()).files("demo-components")


def test_an_unknown_project_has_no_files() -> None:
    with scripted({}) as (url, _):
        assert index_at(url).files("nothing") == {}


def test_a_public_project_of_the_same_name_is_not_ours(tmp_path: Path) -> None:
    page = b'<a href="../../demo-1.0.tar.gz">demo-1.0.tar.gz</a>'
    with scripted({"/simple/demo/": (200, {"Content-Type": "text/html"}, page)}) as (public, asked):
        server = IndexServer(tmp_path, Credentials(USER, PASSWORD), fallback_url=f"{public}/simple/")
        server.start()
        try:
            assert open_index(server, Credentials(USER, PASSWORD)).files("demo") == {}
        finally:
            server.stop()
    assert asked == []


def test_a_redirect_on_the_same_host_is_followed() -> None:
    answers: dict[str, Answer] = {
        "/simple/demo/": (301, {"Location": "/root/simple/demo/"}, b""),
        "/root/simple/demo/": (200, {"Content-Type": "text/html"}, b'<a href="demo-1.0.tar.gz">demo-1.0.tar.gz</a>'),
    }
    with scripted(answers) as (url, asked):
        files = index_at(url).files("demo")
    assert files["demo-1.0.tar.gz"].url == f"{url}/root/simple/demo/demo-1.0.tar.gz"
    assert all(authorization for _, authorization in asked)


def test_the_json_form_is_read() -> None:
    page = {
        "meta": {"api-version": "1.1"},
        "name": "demo",
        "files": [
            {"filename": "demo-1.0.tar.gz", "url": "a", "hashes": {"sha256": "A" * 64}, "yanked": "bad"},
            {"filename": "demo-1.1.tar.gz", "url": "b", "hashes": {}},
            {"filename": "../demo-1.2.tar.gz", "url": "c", "hashes": {}},
        ],
    }
    with scripted({"/simple/demo/": (200, {"Content-Type": JSON}, json.dumps(page).encode())}) as (url, _):
        assert index_at(url).files("demo") == {
            "demo-1.0.tar.gz": IndexFile("demo-1.0.tar.gz", f"{url}/simple/demo/a", "a" * 64, yanked=True),
            "demo-1.1.tar.gz": IndexFile("demo-1.1.tar.gz", f"{url}/simple/demo/b", None),
        }


BAD_PAGES = {
    "not JSON": (200, JSON, b"{", "cannot be read"),
    "no files": (200, JSON, b'{"meta": {"api-version": "1.0"}}', "cannot be read"),
    "a version of tomorrow": (200, JSON, b'{"meta": {"api-version": "2.0"}, "name": "demo", "files": []}', "cannot be"),
    "something else": (200, "image/png", b"", "'image/png', not a page of a simple API"),
    "XML": (200, "text/html", b'<?xml version="1.0"?><a href="http://[">d-1.0.zip</a>', "cannot be read"),
    "a bad hash": (
        200,
        "text/html",
        b'<a href="d.zip#sha256=123">d-1.0.zip</a>',
        "gives d-1.0.zip a sha256 that is none",
    ),
    "an error": (500, "text/html", b"", r"answers HTTP 500 .*\n.*try again later"),
    "still an error": (503, "text/html", b"", r"answers HTTP 503 .*\n.*try again later"),
    "too many questions": (429, "text/html", b"", r"answers HTTP 429 .*\n.*try again later"),
    "a teapot": (418, "text/html", b"", r"answers HTTP 418 .*\n.*is the URL right"),
}


@pytest.mark.parametrize("name", BAD_PAGES)
def test_a_page_that_is_none_is_refused(name: str) -> None:
    status, kind, body, message = BAD_PAGES[name]
    with (
        scripted({"/simple/demo/": (status, {"Content-Type": kind}, body)}) as (url, _),
        pytest.raises(ReleaseError, match=message),
    ):
        index_at(url).files("demo")


RETRY_AFTER = {
    "nothing": ({}, [0.5, 1.0, 2.0]),
    "a moment": ({"Retry-After": "2"}, [2.0, 2.0, 2.0]),
    "hours": ({"Retry-After": "21600"}, [60.0, 60.0, 60.0]),
    "a day in years": ({"Retry-After": "Fri, 31 Dec 2100 23:59:59 GMT"}, [60.0, 60.0, 60.0]),
    "a day that is over": ({"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}, [0.5, 1.0, 2.0]),
    "no time": ({"Retry-After": "soon"}, [0.5, 1.0, 2.0]),
    "a number without end": ({"Retry-After": "9" * 5000}, [60.0, 60.0, 60.0]),
}


@pytest.mark.parametrize("asked_for", RETRY_AFTER)
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_an_index_that_has_no_time_is_asked_again_within_bounds_and_says_so(status: int, asked_for: str) -> None:
    headers, expected = RETRY_AFTER[asked_for]
    waits: list[float] = []
    notes: list[str] = []
    busy = (status, headers, b"")
    with scripted({"/simple/demo/": busy, "/file": busy}) as (url, asked):
        index = index_at(url, waits=waits, notes=notes)
        with pytest.raises(ReleaseError, match=f"answers HTTP {status} .*\n.*try again later"):
            index.files("demo")
        assert len(asked) == 4
        with pytest.raises(ReleaseError, match=f"answers HTTP {status} .*\n.*try again later"):
            index.download(IndexFile("file", f"{url}/file", None))
        assert len(asked) == 8
    assert waits == expected * 2
    for what, found in (("the page of demo", notes[:3]), ("file", notes[3:])):
        assert found == [
            f"index: {what} answered {status}, tried again in {wait:.2g} s ({attempt} of 4)"
            for attempt, wait in enumerate(expected, 2)
        ]


@pytest.mark.parametrize("status", [404, 413, 418])
def test_an_answer_that_does_not_pass_is_taken_at_once(status: int) -> None:
    waits: list[float] = []
    with scripted({"/file": (status, {"Retry-After": "21600"}, b"")}) as (url, asked):
        with pytest.raises(ReleaseError, match=f"answers HTTP {status} .*\n.*is the URL right"):
            index_at(url, waits=waits).download(IndexFile("file", f"{url}/file", None))
        assert (len(asked), waits) == (1, [])


def test_an_index_that_finds_time_is_read() -> None:
    busy: dict[str, Answer] = {"/simple/demo/": (503, {"Retry-After": "1"}, b"")}
    with scripted(busy) as (url, asked):
        page = 200, {"Content-Type": "text/html"}, b'<a href="demo-1.0.tar.gz">demo-1.0.tar.gz</a>'
        index = Index(
            IndexUrls(f"{url}/", f"{url}/simple/"),
            Credentials(USER, PASSWORD),
            retry=Retry(sleep=lambda _: busy.update({"/simple/demo/": page})),
        )
        assert list(index.files("demo")) == ["demo-1.0.tar.gz"]
        assert len(asked) == 2


@pytest.mark.parametrize("status", [401, 403, 404, 410, 418, 429, 503])
def test_what_the_index_refuses_carries_its_status(status: int, tmp_path: Path) -> None:
    with scripted({"/file": (status, {}, b""), "/": (status, {}, b"")}) as (url, _):
        for call in (
            lambda: index_at(url).download(IndexFile("file", f"{url}/file", None)),
            lambda: index_at(url).upload(wheel(tmp_path, "1.0")),
        ):
            with pytest.raises(PackageIndexError, match=f"HTTP {status}") as caught:
                call()
            assert caught.value.status == status


def test_an_index_that_does_not_answer_is_named(tmp_path: Path) -> None:
    url = "http://127.0.0.1:1"
    calls: list[Callable[[], object]] = [
        lambda: index_at(url).files("demo"),
        lambda: index_at(url).upload(wheel(tmp_path, "1.0")),
    ]
    for call in calls:
        with pytest.raises(
            PackageIndexError, match=rf"does not answer at {url}/.*Connection refused(.|\n)*is the URL right"
        ) as caught:
            call()
        assert caught.value.status == 0


UPLOADS = {
    "an error": (500, {}, b"boom", r"HTTP 500 Internal Server Error\): boom\n.*try again later"),
    "too many uploads": (429, {}, b"slow", r"HTTP 429 Too Many Requests\): slow\n.*try again later"),
    "elsewhere": (302, {"Location": "https://example.com/"}, b"", r"elsewhere \(HTTP 302 Found\)"),
    "the password": (400, {}, f"no\x1b {PASSWORD}!".encode(), r"HTTP 400 Bad Request\): no\ufffd \*\*\*!\n"),
}


@pytest.mark.parametrize("name", UPLOADS)
def test_an_upload_that_is_not_taken_is_refused(name: str, tmp_path: Path) -> None:
    status, headers, body, message = UPLOADS[name]
    with (
        scripted({"/": (status, {"Content-Type": "text/plain; charset=utf-8", **headers}, body)}) as (url, _),
        pytest.raises(ReleaseError, match=message),
    ):
        index_at(url).upload(wheel(tmp_path, "1.0"))


def test_what_is_no_distribution_is_not_uploaded(index: Index, tmp_path: Path) -> None:
    broken = tmp_path / "demo_components-1.0-py3-none-any.whl"
    broken.write_bytes(b"no zip")
    for path in (broken, tmp_path / "missing-1.0.tar.gz", Path(__file__)):
        with pytest.raises(ReleaseError, match=f"{path.name} is no wheel or sdist"):
            index.upload(path)


def test_a_download_with_other_bytes_is_refused() -> None:
    with scripted({"/file": (200, {}, b"other bytes")}) as (url, _):
        index = index_at(url)
        with pytest.raises(ReleaseError, match=r"has sha256 [0-9a-f]{64}, its page says 0{64}") as caught:
            index.download(IndexFile("file", f"{url}/file", "0" * 64))
        assert not isinstance(caught.value, PackageIndexError)
        assert index.download(IndexFile("file", f"{url}/file", None)) == b"other bytes"
        with pytest.raises(ReleaseError, match="answers HTTP 404"):
            index.download(IndexFile("gone", f"{url}/gone", None))
        for odd in ("ftp://example.com/x", "http://[", "http://127.0.0.1:99999/"):
            with pytest.raises(ReleaseError, match="does not answer"):
                index.download(IndexFile("odd", odd, None))


@pytest.mark.parametrize(
    ("scheme", "answer"),
    [*(("http", (status, {}, b"")) for status in (403, 404, 503)), ("http", None), ("https", None), ("ftp", None)],
)
def test_what_may_be_secret_in_a_files_url_is_not_shown(scheme: str, answer: Answer | None) -> None:
    with scripted({"/x.tar.gz?token=T0KEN": answer or (200, {}, b"")}) as (url, _):
        host = url.removeprefix("http://") if answer else "127.0.0.1:1"
        file = IndexFile("x.tar.gz", f"{scheme}://u:s3cret@{host}/x.tar.gz?token=T0KEN#frag", None)
        with pytest.raises(PackageIndexError, match=f"{scheme}://{host}/x.tar.gz[\\s:]") as caught:
            index_at(url).download(file)
    told = "".join(traceback.format_exception(caught.value))
    assert not any(secret in told for secret in ("s3cret", "T0KEN", "frag"))


@pytest.mark.parametrize(
    "at", ["u:s3cret@a..b/x", "u:s3cret@/x", "u:s3cret@127.0.0.1:99999/x", "u:s3cret@[/x", "[s3cret/"]
)
def test_a_url_that_is_none_is_not_repeated(at: str) -> None:
    with pytest.raises(PackageIndexError, match="the index does not answer at ") as caught:
        index_at("http://127.0.0.1:1").download(IndexFile("x.tar.gz", f"http://{at}", None))
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))


def test_a_download_that_does_not_end_is_refused() -> None:
    with (
        scripted({"/file": (200, {}, bytes(MAX_FILE + 1))}) as (url, _),
        pytest.raises(ReleaseError, match=f"more than {MAX_FILE} bytes"),
    ):
        index_at(url).download(IndexFile("file", f"{url}/file", None))


def test_a_download_that_breaks_off_is_refused() -> None:
    with (
        scripted({"/file": (200, {"Content-Length": "100", "Connection": "close"}, b"half")}) as (url, asked),
        pytest.raises(ReleaseError, match="does not answer"),
    ):
        index_at(url).download(IndexFile("file", f"{url}/file", None))
    assert len(asked) == 4


def test_files_may_lie_on_another_host_which_gets_no_credentials() -> None:
    with (
        scripted({"/file": (200, {}, b"bytes")}) as (storage, asked),
        scripted({"/redirect": (302, {"Location": f"{storage}/file"}, b"")}) as (url, _),
    ):
        index = index_at(url)
        for link in (f"{url}/redirect", f"{storage}/file"):
            assert index.download(IndexFile("file", link, None)) == b"bytes"
    assert asked == [("/file", None)] * 2


def test_credentials_do_not_come_back_from_another_host() -> None:
    back: dict[str, Answer] = {}
    with scripted(back) as (storage, _), scripted({"/file": (200, {}, b"bytes")}) as (url, asked):
        back["/away"] = (302, {"Location": f"{url}/file"}, b"")
        assert index_at(url).download(IndexFile("file", f"{storage}/away", None)) == b"bytes"
    assert asked == [("/file", None)]


@pytest.mark.parametrize("location", ["/file", "file", "//{host}/file", "http://{host}/file"])
def test_a_redirect_leads_where_it_says(location: str) -> None:
    answers: dict[str, Answer] = {"/file": (200, {}, b"bytes")}
    with scripted(answers) as (url, asked):
        answers["/redirect"] = (302, {"Location": location.format(host=url.removeprefix("http://"))}, b"")
        assert index_at(url).download(IndexFile("file", f"{url}/redirect", None)) == b"bytes"
    assert [path for path, _ in asked] == ["/redirect", "/file"]
    assert all(authorization for _, authorization in asked)


def test_redirects_are_followed_for_a_while_and_to_urls_alone() -> None:
    with scripted({"/file": (302, {"Location": "/file?token=T0KEN"}, b"")}) as (url, asked):
        with pytest.raises(PackageIndexError, match="HTTP 404"):
            index_at(url).download(IndexFile("file", f"{url}/file", None))
        assert len(asked) == 2
    with scripted({ANY: (302, {"Location": "/file?token=T0KEN"}, b"")}) as (url, asked):
        with pytest.raises(PackageIndexError, match=f"more than 30 times, to {url}/file at last"):
            index_at(url).download(IndexFile("file", f"{url}/file", None))
        assert len(asked) == 31
    for odd in ("http://[T0KEN", "ftp://T0KEN@127.0.0.1/", "http://T0KEN@a..b/"):
        with (
            scripted({ANY: (302, {"Location": odd}, b"")}) as (url, _),
            pytest.raises(PackageIndexError, match="does not answer at") as caught,
        ):
            index_at(url).download(IndexFile("file", f"{url}/file", None))
        assert "T0KEN" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("which", ["upload-url", "simple-url"])
def test_a_url_with_credentials_is_refused_and_not_shown(which: str) -> None:
    good, bad = "https://pypi.example.com/", f"https://ann:{PASSWORD}@pypi.example.com/"
    settings = IndexUrls(bad, good) if which == "upload-url" else IndexUrls(good, bad)
    with pytest.raises(ReleaseError, match=f"{which}(.|\n)*TWINE_PASSWORD") as caught:
        Index(settings, Credentials())
    assert PASSWORD not in str(caught.value)


def test_credentials_come_from_the_environment() -> None:
    credentials = Credentials.from_environment({"TWINE_USERNAME": USER, "TWINE_PASSWORD": PASSWORD})
    assert credentials == Credentials(USER, PASSWORD)
    assert PASSWORD not in repr(credentials)
    assert Credentials.from_environment({}).is_anonymous


BAD_CREDENTIALS = {
    "no password": ({"TWINE_USERNAME": USER}, "TWINE_PASSWORD is not set"),
    "no user": ({"TWINE_PASSWORD": PASSWORD}, "TWINE_USERNAME is not set"),
    "a line end": ({"TWINE_USERNAME": USER, "TWINE_PASSWORD": f"{PASSWORD}\n"}, "TWINE_PASSWORD holds a control"),
    "a colon": ({"TWINE_USERNAME": "a:b", "TWINE_PASSWORD": PASSWORD}, "TWINE_USERNAME holds a colon"),
}


@pytest.mark.parametrize("name", BAD_CREDENTIALS)
def test_credentials_that_cannot_be_sent_are_refused(name: str) -> None:
    environ, message = BAD_CREDENTIALS[name]
    with pytest.raises(ReleaseError, match=message) as caught:
        Credentials.from_environment(environ)
    assert caught.value.remedy
    assert PASSWORD not in str(caught.value)


def test_good_distributions_pass_the_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check_distributions([wheel(tmp_path, "1.0"), sdist(tmp_path, "1.0")])
    assert capsys.readouterr().out == ""


def test_every_bad_distribution_is_named_at_once(tmp_path: Path) -> None:
    plain = wheel(tmp_path, "1.0", metadata="Metadata-Version: 2.1\nName: demo-components\nVersion: {version}\n")
    rst = METADATA.replace("text/markdown", "text/x-rst").replace("# Demo", "Demo\n=\n\n`broken")
    broken = wheel(tmp_path, "2.0", metadata=rst)
    invalid = wheel(tmp_path, "3.0", metadata="Metadata-Version: 2.1\nName: a b\n")
    with pytest.raises(Problems) as caught:
        check_distributions([plain, broken, invalid])
    problems = {problem.path: problem.message for problem in caught.value.problems}
    assert "`long_description` missing" in problems[plain.name]
    assert "would not be rendered" in problems[broken.name]
    assert "Invalid distribution metadata" in problems[invalid.name]
