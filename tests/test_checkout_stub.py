from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from conftest import commit_all, kfp_release
from small_project import DEMO, component, make_project

from kfp_release.check import check
from kfp_release.checkout_stub import CheckoutStub
from kfp_release.config import Config
from kfp_release.errors import Problems, ReleaseError
from kfp_release.stub import stub_text

LAZY = b"def __getattr__(name):\n    return name\n"
STUB = "src/demo_parts/operators.pyi"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = make_project(tmp_path / "project")
    (folder / "src/demo_parts/operators.py").write_bytes(LAZY)
    with (folder / ".gitignore").open("a", encoding="utf-8") as file:
        file.write("/src/demo_parts/operators.pyi\n/src/demo_parts/py.typed\n")
    commit_all(folder, "Operators")
    return folder


def read(project: Path) -> CheckoutStub:
    return CheckoutStub.read(project, Config.parse((project / "pyproject.toml").read_bytes(), {}))


def test_it_is_written_beside_the_module_and_left_alone_where_it_is_right(project: Path) -> None:
    assert read(project).write()
    assert (project / STUB).read_text(encoding="utf-8") == stub_text(read(project).operators)
    assert (project / "src/demo_parts/py.typed").read_bytes() == b""
    os.utime(project / STUB, ns=(1, 1))
    assert not read(project).write()
    assert (project / STUB).stat().st_mtime_ns == 1
    assert sorted(path.name for path in (project / "src/demo_parts").glob("op*")) == ["operators.py", "operators.pyi"]


def test_it_is_written_anew_where_components_have_changed_or_a_file_is_gone(project: Path) -> None:
    read(project).write()
    (project / "yaml/more.yaml").write_bytes(component(DEMO))
    assert read(project).is_stale
    assert read(project).write()
    assert "more_op: _MoreOp" in (project / STUB).read_text(encoding="utf-8")
    (project / "src/demo_parts/py.typed").unlink()
    assert not read(project).is_stale
    assert read(project).write()
    assert (project / "src/demo_parts/py.typed").exists()


def test_one_that_a_person_wrote_is_left_alone(project: Path) -> None:
    (project / STUB).write_text("multiply_op: object\n", encoding="utf-8")
    assert not read(project).is_stale
    with pytest.raises(ReleaseError, match=r"operators\.pyi was not written by kfp-release, and stays as it is"):
        read(project).write()
    assert (project / STUB).read_text(encoding="utf-8") == "multiply_op: object\n"


def test_a_package_at_the_projects_top_is_found(project: Path) -> None:
    (project / "src/demo_parts").rename(project / "demo_parts")
    assert (read(project).path, read(project).mark) == ("demo_parts/operators.pyi", "demo_parts/py.typed")


def test_a_package_without_the_module_is_told(project: Path) -> None:
    module = project / "src/demo_parts/operators.py"
    for change in (lambda: module.write_text("def multiply_op(): ...\n", encoding="utf-8"), module.unlink):
        change()
        with pytest.raises(
            ReleaseError, match=r"there is no demo_parts/operators\.py in src/ or .*/project that makes"
        ):
            read(project)


def test_all_that_is_wrong_in_component_files_is_told(project: Path) -> None:
    for name in ("multiply.yaml", "foreign.yml"):
        (project / "yaml" / name).write_text("a: [\n", encoding="utf-8")
    with pytest.raises(Problems) as caught:
        read(project)
    assert [problem.path for problem in caught.value.problems] == ["yaml/foreign.yml", "yaml/multiply.yaml"]


def test_whether_git_sees_it(project: Path, tmp_path: Path) -> None:
    assert read(project).is_ignored
    (project / ".gitignore").unlink()
    assert not read(project).is_ignored
    (project / ".git").rename(tmp_path / "git")
    assert read(project).is_ignored


def test_the_command_says_what_it_did(project: Path) -> None:
    first, again = (kfp_release(["stubs"], cwd=project, environ={}) for _ in range(2))
    assert (first.returncode, first.stdout) == (0, f"{STUB}: written, 2 operators\n"), first.stderr
    assert (again.returncode, again.stdout) == (0, f"{STUB}: unchanged, 2 operators\n")
    value = json.loads(kfp_release(["stubs", "--json"], cwd=project, environ={}).stdout)
    names = ["foreign_op", "multiply_op"]
    assert value == {"path": STUB, "changed": False, "operators": names, "left_out": []}


def test_the_command_names_what_it_leaves_out(project: Path) -> None:
    for name in ("odd", "__odd"):
        text = component(DEMO)
        odd = text if name == "__odd" else text.replace(b"name: a,", b"name: class,")
        (project / f"yaml/{name}.yaml").write_bytes(odd)
    done = kfp_release(["stubs"], cwd=project, environ={})
    assert f"{STUB}: written, 2 operators\n" in done.stdout
    assert "left out, for Python cannot call it: __odd_op, odd_op; kfp-release check says why" in done.stdout
    value = json.loads(kfp_release(["stubs", "--json"], cwd=project, environ={}).stdout)
    assert (value["operators"], value["left_out"]) == (["foreign_op", "multiply_op"], ["__odd_op", "odd_op"])


def test_the_command_says_what_git_is_to_ignore(project: Path) -> None:
    (project / ".gitignore").unlink()
    done = kfp_release(["stubs"], cwd=project, environ={})
    assert f"add /{STUB} and /src/demo_parts/py.typed to .gitignore" in done.stdout


def test_the_command_refuses_what_it_cannot_do(project: Path) -> None:
    (project / STUB).write_text("multiply_op: object\n", encoding="utf-8")
    done = kfp_release(["stubs"], cwd=project, environ={})
    assert (done.returncode, done.stdout) == (1, "")
    assert f"error: {STUB} was not written by kfp-release" in done.stderr


def test_check_warns_of_one_of_other_component_files(project: Path) -> None:
    config = Config.parse((project / "pyproject.toml").read_bytes(), {})

    def warned() -> list[str]:
        return [str(problem) for problem in check(project, config) if problem.path == STUB]

    assert warned() == []
    read(project).write()
    text = (project / STUB).read_text(encoding="utf-8")
    assert warned() == []
    (project / STUB).write_text(text.replace("multiply_op", "divide_op"), encoding="utf-8")
    (project / "yaml/foreign.yml").unlink()
    (problem,) = warned()
    assert problem == (
        f"{STUB}: warning: tells editors and type checkers of other component files than there are now\n"
        "  → kfp-release stubs writes it anew"
    )
