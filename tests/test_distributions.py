from __future__ import annotations

from pathlib import Path

import pytest
from packaging.version import Version

from kfp_release.distributions import project_name, version_of_file
from kfp_release.errors import ReleaseError


def test_a_project_has_the_name_that_it_declares(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'Demo.Parts'\n")
    assert project_name(tmp_path) == "Demo.Parts"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, " cannot be read: No such file or directory"),
        ("[project]\nname =\n", ":2: the file is not TOML"),
        ("\nname = 'demo'\n", ": there is no [project] table"),
        ("\n[project]\nversion = '1'\n", ":2: project.name is missing"),
        ("[project]\n\nname = 3\n", ":3: project.name must be a text, and is a number: 3"),
        ("project = 3\n", ":1: there is no [project] table"),
        ("[project]\nname = 'a b'\n", ":2: project.name: 'a b' is not the name of a distribution"),
    ],
)
def test_a_folder_without_a_project_s_name_is_told_with_file_line_and_remedy(
    tmp_path: Path, text: str | None, message: str
) -> None:
    if text is not None:
        (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(ReleaseError) as caught:
        project_name(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / 'pyproject.toml'}{message}")
    assert "\n  → " in str(caught.value)


@pytest.mark.parametrize(
    ("filename", "version"),
    [
        ("demo_parts-1.2-py3-none-any.whl", "1.2"),
        ("demo_parts-1.2rc1.tar.gz", "1.2rc1"),
        ("demo_parts.whl", None),
        ("demo_parts-1.2.exe", None),
    ],
)
def test_a_file_s_name_tells_its_version(filename: str, version: str | None) -> None:
    assert version_of_file(filename) == (Version(version) if version else None)
