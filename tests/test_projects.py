from __future__ import annotations

import io
import re
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import commit_all, copy_project, run_git

from kfp_release.carried_pins import SDIST_PINS
from kfp_release.errors import MAKE_ROOM, ReleaseError
from kfp_release.image_ref import ImageRef
from kfp_release.pinned import PINS_SETTING, pins_at_hand
from kfp_release.progress import Silent
from kfp_release.projects import BuildFailed, Project, open_projects
from kfp_release.record import Pins
from kfp_release.sdist import Sdist
from kfp_release.version import ReleaseVersion
from kfp_release.wheel import Wheel

VERSION = ReleaseVersion.parse("1.3")
EPOCH = 1_700_000_000

PYPROJECT = """\
[build-system]
requires = ["setuptools==84.2.1", "setuptools-scm==10.3.4"]
build-backend = "setuptools.build_meta"

[project]
name = "plain"
dynamic = ["version"]

[tool.setuptools]
py-modules = ["plain"]

[tool.setuptools_scm]
"""
SETUP = """\
import os
from setuptools import setup

seen = [name for name in os.environ if name.startswith(("AWS_", "TWINE_", "PIP_INDEX"))]
if seen:
    raise SystemExit(f"error: {seen} can be read here")
setup()
"""


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project whose backend knows nothing of kfp-release, open."""
    folder = tmp_path_factory.mktemp("plain")
    for name, text in {"pyproject.toml": PYPROJECT, "setup.py": SETUP, "plain.py": "", "README.md": "Plain.\n"}.items():
        (folder / name).write_text(text)
    run_git(folder, "init", "--quiet")
    commit_all(folder, "Plain")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SETUPTOOLS_SCM_PRETEND_VERSION_FOR_PLAIN", "6.6")
        with open_projects([folder], version=VERSION, epoch=EPOCH, progress=Silent()) as (project,):
            yield project


def test_it_builds_the_version_that_is_asked_for_in_one_byte_form(plain: Project, tmp_path: Path) -> None:
    wheel, sdist = plain.wheel(tmp_path / "new/folder"), plain.sdist(tmp_path)
    assert (wheel.name, sdist.name) == ("plain-1.3-py3-none-any.whl", "plain-1.3.tar.gz")
    assert Wheel.parse(wheel.name, wheel.read_bytes()).to_bytes() == wheel.read_bytes()
    assert Sdist.parse(sdist.name, sdist.read_bytes()).to_bytes(EPOCH) == sdist.read_bytes()
    with zipfile.ZipFile(wheel) as archive:
        assert {info.date_time[0] for info in archive.infolist()} == {1980}
    with tarfile.open(fileobj=io.BytesIO(sdist.read_bytes())) as tar:
        assert {info.mtime for info in tar} == {EPOCH}


def test_it_tells_the_tools_that_it_builds_with(plain: Project) -> None:
    assert plain.tools["setuptools"] == "84.2.1"
    assert plain.tools["setuptools-scm"] == "10.3.4"


def test_a_build_sees_no_credentials(plain: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("TWINE_PASSWORD", "secret")
    monkeypatch.setenv("PIP_INDEX_URL", "https://user:secret@127.0.0.1/simple/")
    assert plain.wheel(tmp_path).is_file()


def test_a_failed_build_shows_what_it_said(plain: Project, tmp_path: Path) -> None:
    setup = plain.folder / "setup.py"
    setup.write_text("print('before')\nraise SystemExit('error: no luck\\n  today')\n")
    try:
        with pytest.raises(BuildFailed) as caught:
            plain.wheel(tmp_path)
    finally:
        setup.write_text(SETUP)
    told = str(caught.value)
    assert told.startswith("the wheel of plain failed: ")
    assert "\n  | error: no luck\n  |   today\n  → python -m build" in told
    assert "before" not in told


def test_a_version_of_its_own_is_refused(plain: Project, tmp_path: Path) -> None:
    pyproject = plain.folder / "pyproject.toml"
    text = PYPROJECT.replace('dynamic = ["version"]', 'version = "7"').replace("[tool.setuptools_scm]\n", "")
    pyproject.write_text(text)
    try:
        with pytest.raises(BuildFailed, match=r"plain-7-.*\.whl came out, and version 1\.3 was asked for\n  → write"):
            plain.wheel(tmp_path)
    finally:
        pyproject.write_text(PYPROJECT)


def test_requirements_that_cannot_be_had_are_told(tmp_path: Path) -> None:
    wanted = "nothing @ file:///nowhere/nothing-1-py3-none-any.whl"
    (tmp_path / "pyproject.toml").write_text(f'[build-system]\nrequires = ["{wanted}"]\n')
    with (
        pytest.raises(BuildFailed, match=r"(?s)the install of build requirements of .* failed.*ERROR: .*No such file"),
        open_projects([tmp_path], version=VERSION, epoch=EPOCH, progress=Silent()),
    ):
        pass


def test_a_build_without_room_says_to_make_some(tmp_path: Path) -> None:
    backend = "import errno, os\n\ndef get_requires_for_build_wheel(config_settings=None):\n"
    (tmp_path / "backend.py").write_text(f"{backend}    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))\n")
    table = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    (tmp_path / "pyproject.toml").write_text(table)
    with (
        pytest.raises(BuildFailed, match=rf"(?s)No space left on device\n  → {re.escape(MAKE_ROOM)}$"),
        open_projects([tmp_path], version=VERSION, epoch=EPOCH, progress=Silent()) as (project,),
    ):
        project.asks_for("wheel")


@pytest.mark.parametrize("text", ["[build-system", "[build-system]\nrequires = 1\n", None])
def test_a_folder_that_is_no_project_is_refused(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "pyproject.toml").write_text(text)
    with (
        pytest.raises(ReleaseError, match=r"the install of build requirements of .* failed: "),
        open_projects([tmp_path], version=VERSION, epoch=EPOCH, progress=Silent()),
    ):
        pass


def test_this_project_takes_exact_pins_into_its_wheel_and_sdist(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    copy_project(folder)
    commit = run_git(folder, "rev-parse", "HEAD").strip()
    digest = "@sha256:" + "a" * 64
    tags = pins_at_hand(folder, version=str(VERSION), commit=commit, pins_file=None, environ={})
    pins_file = tmp_path / "pins.json"
    pins_file.write_text(tags.to_json().decode().replace('/demo:1.3"', f'/demo:1.3{digest}"'))
    settings = {PINS_SETTING: str(pins_file)}
    with open_projects([folder], version=VERSION, epoch=EPOCH, progress=Silent()) as (project,):
        one, two, archive = (
            project.wheel(tmp_path, settings),
            project.wheel(tmp_path / "2", settings),
            project.sdist(tmp_path, settings),
        )
    wheel, sdist = Wheel.parse(one.name, one.read_bytes()), Sdist.parse(archive.name, archive.read_bytes())
    assert one.read_bytes() == two.read_bytes()
    pins = Pins.parse(wheel.read("kubeflow_demo_components/pins.json"))
    assert pins.to_json() == sdist.read(SDIST_PINS)
    assert pins.is_exact
    (image,) = pins.images
    assert str(ImageRef.parse(image.pin)) == f"{image.declared}:1.3{digest}"
    for component in pins.components:
        assert component.images == (image.pin,)
        data = wheel.read(f"kubeflow_demo_components/yaml/{component.file}")
        assert data.replace(f":1.3{digest}".encode(), b"") == (folder / "yaml" / component.file).read_bytes()
    assert run_git(folder, "status", "--porcelain", "--ignored") == ""
