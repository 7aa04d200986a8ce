"""Where builds run: what is installed here is not downloaded again, and nothing else is taken from here."""

from __future__ import annotations

import errno
import os
import subprocess
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from build.env import DefaultIsolatedEnv

from kfp_release.build_environment import BuildEnvironment

SCM = metadata.version("setuptools-scm")
VCS = metadata.version("vcs-versioning")
SETUPTOOLS = metadata.version("setuptools")
PACKAGING = metadata.version("packaging")
EXACT = {f"setuptools=={SETUPTOOLS}", f"setuptools-scm=={SCM}", f"vcs-versioning=={VCS}", f"packaging=={PACKAGING}"}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[BuildEnvironment]:
    """One that can ask no index."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    with DefaultIsolatedEnv() as isolated:
        yield BuildEnvironment(isolated)


def run(environment: BuildEnvironment, code: str) -> str:
    command = [environment.isolated.python_executable, "-I", "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_exact_versions_that_are_here_need_no_index(environment: BuildEnvironment) -> None:
    environment.install(EXACT)
    assert environment.tools == {
        "packaging": PACKAGING,
        "setuptools": SETUPTOOLS,
        "setuptools-scm": SCM,
        "vcs-versioning": VCS,
    }
    found = run(environment, "import setuptools_scm; print(setuptools_scm.__file__)")
    assert found.startswith(str(Path(environment.isolated.path).resolve()))
    with pytest.raises(subprocess.CalledProcessError):
        run(environment, "import yaml")


def test_what_is_installed_over_it_does_not_change_the_original(
    environment: BuildEnvironment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment.install(EXACT)
    here = Path(str(metadata.distribution("packaging").locate_file("packaging/__init__.py")))
    before = here.read_bytes()
    wheel = tmp_path / "packaging-99-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("packaging/__init__.py", "x = 1\n")
        file.writestr("packaging-99.dist-info/METADATA", "Metadata-Version: 2.1\nName: packaging\nVersion: 99\n")
        file.writestr("packaging-99.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr("packaging-99.dist-info/RECORD", "packaging/__init__.py,,\npackaging-99.dist-info/RECORD,,\n")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    environment.install({"packaging==99"})
    assert environment.tools["packaging"] == "99"
    assert run(environment, "import packaging; print(packaging.x)") == "1"
    assert here.read_bytes() == before


def test_it_is_filled_from_another_file_system_too(
    environment: BuildEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_self: Path, _target: Path) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    environment.install(EXACT)
    assert run(environment, "import setuptools_scm, setuptools; print(setuptools.__version__)") == SETUPTOOLS


@pytest.mark.parametrize(
    "requirements",
    [
        {"setuptools"},
        {f"setuptools>={SETUPTOOLS}"},
        {f"setuptools=={SETUPTOOLS.partition('.')[0]}.*"},
        {"setuptools==1.0"},
        {f"setuptools-scm=={SCM}"},  # what it needs is not pinned
        {"no-such-thing==1.0"},
        {"kfp-release"},
        {f"kfp-release=={metadata.version('kfp-release')}"},  # from a checkout, whatever its version says
        {f"build[uv]=={metadata.version('build')}"},
        {"setuptools @ file:///nowhere/setuptools-1-py3-none-any.whl"},
    ],
)
def test_all_else_is_asked_of_the_index(environment: BuildEnvironment, requirements: set[str]) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        environment.install(requirements)
    assert environment.tools == {}


def test_what_hooks_ask_for_besides_comes_from_the_index(environment: BuildEnvironment) -> None:
    environment.install(EXACT)
    environment.install(EXACT)
    with pytest.raises(subprocess.CalledProcessError):
        environment.install({"no-such-thing==1.0"})
    assert environment.tools["setuptools"] == SETUPTOOLS


def test_a_requirement_of_another_python_does_not_count(environment: BuildEnvironment) -> None:
    environment.install({*EXACT, "tomli==2.0; python_version < '3'"})
    assert environment.tools["setuptools"] == SETUPTOOLS
