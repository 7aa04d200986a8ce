from __future__ import annotations

from pathlib import Path

import pytest

from kfp_release.component_folder import ComponentFolder, folder_bytes
from kfp_release.errors import Problems

TEXT = "implementation: {container: {image: ghcr.io/team/demo, command: [a]}}\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "deploy/yaml").mkdir(parents=True)
    for name in ("b.yaml", "a.yml", "README.md"):
        (tmp_path / "deploy/yaml" / name).write_text(TEXT)
    return tmp_path


def problems(project: Path) -> list[str]:
    found = ComponentFolder.read(project, "deploy/yaml").problems
    assert all(problem.remedy for problem in found)
    return [str(problem).partition("\n")[0] for problem in found]


def test_its_files_are_those_of_a_component_s_suffix_in_order_of_their_names(project: Path) -> None:
    folder = ComponentFolder.read(project, "deploy/yaml")
    assert [file.name for file in folder.files] == ["deploy/yaml/a.yml", "deploy/yaml/b.yaml"]
    assert folder.problems == ()


def test_all_that_is_wrong_is_told_at_once_and_the_other_files_are_read(project: Path) -> None:
    folder = project / "deploy/yaml"
    (folder / "broken.yaml").write_text("[")
    (folder / "folder.yaml").mkdir()
    (folder / "gone.yml").symlink_to("nowhere")
    (folder / "b.yml").write_text(TEXT)
    assert problems(project) == [
        "deploy/yaml/broken.yaml:2: is not YAML: did not find expected node content",
        "deploy/yaml/folder.yaml: cannot be read: Is a directory",
        "deploy/yaml/gone.yml: cannot be read: No such file or directory",
        "deploy/yaml/b.yml: gives the operator b_op, as deploy/yaml/b.yaml does",
    ]
    assert len(ComponentFolder.read(project, "deploy/yaml").files) == 3


def test_two_spellings_of_one_operator_are_told(project: Path) -> None:
    (project / "deploy/yaml/a-b.yaml").write_text(TEXT)
    (project / "deploy/yaml/a_b.yaml").write_text(TEXT)
    assert problems(project) == [
        "deploy/yaml/a_b.yaml: gives the operator a_b_op, as deploy/yaml/a-b.yaml does",
    ]


@pytest.mark.parametrize("is_there", [True, False])
def test_a_folder_without_component_files_is_told(project: Path, *, is_there: bool) -> None:
    for path in (project / "deploy/yaml").glob("*.y*ml"):
        path.unlink()
    if not is_there:
        (project / "deploy/yaml").rename(project / "deploy/yml")
    assert problems(project) == ["deploy/yaml: has no component files (.yaml, .yml)"]


def test_the_bytes_of_its_files_are_read_without_a_look_at_what_they_hold(project: Path) -> None:
    (project / "deploy/yaml/b.yaml").write_text("[")
    assert folder_bytes(project, "deploy/yaml") == {"deploy/yaml/a.yml": TEXT.encode(), "deploy/yaml/b.yaml": b"["}
    assert folder_bytes(project, "nowhere") == {}


def test_bytes_that_cannot_be_read_are_told_all_at_once(project: Path) -> None:
    for name in ("c.yaml", "d.yaml"):
        (project / "deploy/yaml" / name).mkdir()
    with pytest.raises(Problems, match=r"c\.yaml: cannot be read: Is a directory\n.*\n.*d\.yaml: cannot be read"):
        folder_bytes(project, "deploy/yaml")
