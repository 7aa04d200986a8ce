"""An index of a real devpi-server: its own files alone, and none that would be overwritten."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from archives import NAME, wheel_bytes
from conftest import PROJECT as REPOSITORY
from devpi_fixtures import WRITER, DevpiServer, programs, running_devpi
from pages import commands
from scripted import scripted
from test_index import METADATA, sdist, sha256, wheel

from kfp_release.credentials import Credentials
from kfp_release.devpi import Devpi
from kfp_release.errors import ReleaseError
from kfp_release.index import Index
from kfp_release.index_session import PackageIndexError
from kfp_release.index_settings import DevpiIndex, IndexUrls
from kfp_release.patience import Patience
from kfp_release.retry import Retry

PROJECT = "demo-components"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevpiServer]:
    with running_devpi(tmp_path_factory.mktemp("devpi")) as running:
        yield running


def opened(url: str, credentials: Credentials = WRITER) -> Devpi:
    return Devpi(DevpiIndex.parse(url), credentials, retry=Retry(Patience(1, 10), sleep=lambda _: None))


def all_files(url: str) -> set[str]:
    """What pip finds there."""
    return set(Index(IndexUrls(f"{url}/", f"{url}/+simple/"), WRITER).files(PROJECT))


def test_files_go_there_and_come_back(server: DevpiServer, tmp_path: Path) -> None:
    index = opened(server.index("prod"))
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


def test_a_file_that_is_there_is_refused_and_stays_as_it_was(server: DevpiServer, tmp_path: Path) -> None:
    index = opened(server.index("kept"))
    path = wheel(tmp_path, "1.0")
    index.upload(path)
    before = sha256(path)
    wheel(tmp_path, "1.0", metadata=METADATA + "\nOther words.\n")
    with pytest.raises(PackageIndexError, match=r"HTTP 409 .*exists in non-volatile index(.|\n)*never replaced"):
        index.upload(path)
    assert index.files(PROJECT)[path.name].sha256 == before


def test_an_index_that_overwrites_is_refused_until_it_is_changed(server: DevpiServer, tmp_path: Path) -> None:
    url = server.index("loose", volatile=True)
    path = wheel(tmp_path, "1.0")
    for credentials in (WRITER, Credentials()):
        for ask in (opened(url, credentials).require_credentials, lambda: opened(url).upload(path)):
            with pytest.raises(PackageIndexError, match=f"{url} is volatile: devpi overwrites its files") as caught:
                ask()
            assert caught.value.remedy == "devpi index writer/loose volatile=False"
    assert opened(url).files(PROJECT) == {}
    server.change("loose", "volatile=False")
    opened(url).upload(path)
    assert set(opened(url).files(PROJECT)) == {path.name}


def test_what_is_inherited_from_another_index_is_not_ours(server: DevpiServer, tmp_path: Path) -> None:
    base = server.index("base")
    opened(base).upload(sdist(tmp_path, "1.0"))
    opened(base).upload(wheel(tmp_path, "1.0"))
    url = server.index("derived", bases=["writer/base"])
    assert all_files(url) == {"demo_components-1.0.tar.gz", "demo_components-1.0-py3-none-any.whl"}
    index = opened(url)
    assert index.files(PROJECT) == {}
    path = wheel(tmp_path, "1.0", metadata=METADATA + "\nOther words.\n")
    index.upload(path)
    assert {name: file.sha256 for name, file in index.files(PROJECT).items()} == {path.name: sha256(path)}
    assert set(opened(base).files(PROJECT)) == all_files(url)


def test_a_public_project_of_the_same_name_is_not_ours_nor_on_the_page_once_there_is_one(
    server: DevpiServer, tmp_path: Path
) -> None:
    page = b'<html><body><a href="demo_components-99.0.tar.gz">demo_components-99.0.tar.gz</a></body></html>'
    names = b'<html><body><a href="demo-components/">demo-components</a></body></html>'
    kind = {"Content-Type": "text/html"}
    with scripted({"/simple/": (200, kind, names), f"/simple/{PROJECT}/": (200, kind, page)}) as (public, _):
        server.index("mirror", mirror_url=f"{public}/simple/", type="mirror")
        url = server.index("beside", bases=["writer/mirror"])
        assert all_files(url) == {"demo_components-99.0.tar.gz"}
        index = opened(url)
        assert index.files(PROJECT) == {}
        index.upload(wheel(tmp_path, "1.0"))
        assert set(index.files(PROJECT)) == all_files(url) == {"demo_components-1.0-py3-none-any.whl"}
        with pytest.raises(PackageIndexError, match="/writer/mirror is a mirror, which takes no files"):
            opened(f"{server.url}/writer/mirror").require_credentials()


def test_an_index_that_is_not_there_is_told_with_the_command_that_creates_it(server: DevpiServer) -> None:
    none, nobodys = (opened(f"{server.url}/{name}") for name in ("writer/none/", "a/b"))
    for ask in (none.require_credentials, lambda: nobodys.files("x")):
        with pytest.raises(
            PackageIndexError, match=f"there is no devpi index at {server.url}/.* \\(HTTP 404\\)"
        ) as caught:
            ask()
        assert "create it: devpi index -c" in caught.value.remedy


def test_nobody_and_a_wrong_password_are_told_with_the_variables(server: DevpiServer, tmp_path: Path) -> None:
    url = server.index("closed")
    with pytest.raises(PackageIndexError, match=r"without credentials(.|\n)*set TWINE_USERNAME and TWINE_PASSWORD"):
        opened(url, Credentials()).require_credentials()
    with pytest.raises(PackageIndexError, match=r"refuses access(.|\n)*check TWINE_USERNAME and TWINE_PASSWORD"):
        opened(url, Credentials("writer", "wrong")).upload(wheel(tmp_path, "1.0"))


STAGE = {"type": "stage", "volatile": False}
NO_DEVPI = {
    "a page": (b"<html>Welcome</html>", "is no index of a devpi server: its answer is not JSON"),
    "another JSON": (b'{"name": "x"}', "is no index .*: its answer is not what devpi says of an index"),
    "a list": (b"[]", "its answer is not what devpi says of an index"),
    "a user": (b'{"type": "userconfig", "result": {"type": "stage"}}', "is not what devpi says of an index"),
    "nothing of volatile": (b'{"type": "indexconfig", "result": {"type": "stage"}}', "whether the index is volatile"),
}


@pytest.mark.parametrize("name", NO_DEVPI)
def test_what_is_no_devpi_is_told_and_asked_nothing_else(name: str, tmp_path: Path) -> None:
    body, message = NO_DEVPI[name]
    with scripted({"/team/prod?no_projects=": (200, {}, body)}) as (url, asked):
        index = opened(f"{url}/team/prod")
        for ask in (
            lambda: index.files(PROJECT),
            index.require_credentials,
            lambda: index.upload(wheel(tmp_path, "1")),
        ):
            with pytest.raises(ReleaseError, match=rf"{url}/team/prod .*{message}(.|\n)*correct devpi of \[tool"):
                ask()
    assert {path for path, _ in asked} == {"/team/prod?no_projects="}


def test_a_devpi_below_a_path_is_asked_once_and_its_other_files_are_not_ours() -> None:
    page = {
        "meta": {"api-version": "1.0"},
        "name": PROJECT,
        "files": [
            {
                "filename": "demo_components-1.0.tar.gz",
                "url": "../../+f/ab/cd/demo_components-1.0.tar.gz",
                "hashes": {},
            },
            {"filename": "demo_components-1.1.tar.gz", "url": "../../../other/+f/ab/cd/x-1.1.tar.gz", "hashes": {}},
            {"filename": "demo_components-1.2.tar.gz", "url": "../../../../team/prod/x/1.2.tar.gz", "hashes": {}},
        ],
    }
    state = json.dumps({"type": "indexconfig", "result": STAGE}).encode()
    kind = {"Content-Type": "application/vnd.pypi.simple.v1+json"}
    answers = {
        "/devpi/team/prod?no_projects=": (200, {}, state),
        f"/devpi/team/prod/+simple/{PROJECT}/": (200, kind, json.dumps(page).encode()),
    }
    with scripted(answers) as (url, asked):
        index = opened(f"{url}/devpi/team/prod")
        for _ in range(2):
            assert set(index.files(PROJECT)) == {"demo_components-1.0.tar.gz"}
    assert [path for path, _ in asked].count("/devpi/team/prod?no_projects=") == 1


def test_the_commands_of_the_docs_make_an_index_that_is_taken(server: DevpiServer, tmp_path: Path) -> None:
    environ = {**os.environ, "HOME": str(tmp_path), "PATH": f"{programs()}{os.pathsep}{os.environ['PATH']}"}
    for line in commands(REPOSITORY / "docs/indexes.md", "devpi"):
        words = shlex.split(line.replace("https://devpi.data-science.example", server.url).replace("team", "writer"))
        words += ["--password", WRITER.password] if words[1] == "login" else []
        if words[0] == "pip":
            index = opened(f"{server.url}/writer/prod2")
            index.require_credentials()
            (tmp_path / NAME).write_bytes(wheel_bytes())
            index.upload(tmp_path / NAME)
            words = [sys.executable, "-m", "pip", "--isolated", "download", "--dest", str(tmp_path / "out"), *words[2:]]
        words = [word.replace("writer/prod", "writer/prod2") for word in words]
        done = subprocess.run(words, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == [NAME]
