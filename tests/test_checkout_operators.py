from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import commit_all, kfp_release
from small_project import DEMO, component, make_project

from kfp_release.check import check
from kfp_release.checkout_operators import CheckoutOperators
from kfp_release.config import Config
from kfp_release.errors import Problems, ReleaseError
from kfp_release.package_files import package_files
from kfp_release.stub import stub_text
from kfp_release.written import WRITTEN

PACKAGE = "src/demo_parts"
STUB = f"{PACKAGE}/operators.pyi"
IGNORED = [
    *(f"/{PACKAGE}/{name}" for name in ("__main__.py", "_operators/", "operators.py", "operators.pyi", "py.typed")),
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = make_project(tmp_path / "project")
    with (folder / ".gitignore").open("a", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in IGNORED)
    commit_all(folder, "Operators")
    return folder


def read(project: Path) -> CheckoutOperators:
    return CheckoutOperators.read(project, Config.parse((project / "pyproject.toml").read_bytes(), {}))


def test_they_are_written_into_the_package_and_left_alone_where_they_are_right(project: Path) -> None:
    assert read(project).write()
    assert (project / STUB).read_text(encoding="utf-8") == stub_text(read(project).operators)
    assert (project / PACKAGE / "py.typed").read_bytes() == b""
    for name, data in package_files().items():
        assert (project / PACKAGE / name).read_bytes() == data
    os.utime(project / STUB, ns=(1, 1))
    assert not read(project).write()
    assert (project / STUB).stat().st_mtime_ns == 1


def test_they_work_on_the_component_files_of_the_checkout(project: Path) -> None:
    read(project).write()
    code = "from demo_parts import operators; print(dir(operators), operators.multiply_op)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project / "src", capture_output=True, text=True, check=False
    )
    assert done.stdout == "['UnpinnedWarning', 'foreign_op', 'load', 'multiply_op'] <multiply_op(a: float)>\n", (
        done.stderr
    )
    assert f"UnpinnedWarning: the components are those of the folder {project / 'yaml'}" in done.stderr
    listed = subprocess.run(
        [sys.executable, "-m", "demo_parts", "--json"], cwd=project / "src", capture_output=True, text=True, check=True
    )
    assert json.loads(listed.stdout)["distribution"] == "demo-parts"


def test_they_are_written_anew_where_components_have_changed_or_a_file_is_gone_or_old(project: Path) -> None:
    read(project).write()
    (project / "yaml/more.yaml").write_bytes(component(DEMO))
    assert read(project).is_stale
    assert read(project).write()
    assert "more_op: _MoreOp" in (project / STUB).read_text(encoding="utf-8")
    for name, text in (("py.typed", None), ("operators.py", WRITTEN), ("_operators/checkout.json", b"{}\n")):
        path = project / PACKAGE / name
        right = path.read_bytes()
        path.unlink() if text is None else path.write_bytes(text)
        assert not read(project).is_stale
        assert read(project).write()
        assert path.read_bytes() == right


def test_types_that_a_person_wrote_are_left_alone(project: Path) -> None:
    (project / STUB).write_text("multiply_op: object\n", encoding="utf-8")
    assert not read(project).is_stale
    with pytest.raises(ReleaseError, match=r"operators\.pyi was not written by kfp-release, and stays as it is"):
        read(project).write()
    assert (project / STUB).read_text(encoding="utf-8") == "multiply_op: object\n"


def test_a_listing_that_a_person_wrote_is_left_alone(project: Path) -> None:
    main = project / PACKAGE / "__main__.py"
    main.write_text("print(1)\n", encoding="utf-8")
    assert read(project).write()
    assert main.read_text(encoding="utf-8") == "print(1)\n"


@pytest.mark.parametrize("name", ["_operators/__init__.py", "_operators/deep/mine.py", "_operators.py", "_operators"])
def test_a_persons_file_where_theirs_go_is_refused(project: Path, name: str) -> None:
    read(project).write()
    if name == "_operators":
        shutil.rmtree(project / PACKAGE / name)
    path = project / PACKAGE / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine = 1\n", encoding="utf-8")
    told = f"is one that a person wrote, where kfp-release writes {PACKAGE}/_operators/"
    done = kfp_release(["operators"], cwd=project, environ={})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"error: {PACKAGE}/{name} {told}\n  → give it another name than _operators\n"
    problems = check(project, Config.parse((project / "pyproject.toml").read_bytes(), {}))
    found = [(problem.message, problem.severity) for problem in problems if problem.path == f"{PACKAGE}/{name}"]
    assert found == [(told, "error")]
    assert path.read_text(encoding="utf-8") == "mine = 1\n"


def test_a_package_at_the_projects_top_is_found(project: Path) -> None:
    (project / PACKAGE).rename(project / "demo_parts")
    assert (read(project).package, read(project).stub) == ("demo_parts", "demo_parts/operators.pyi")


def test_operators_of_a_persons_own_that_are_made_when_asked_for_get_types_alone(project: Path) -> None:
    lazy = "def __getattr__(name):\n    return name\n"
    (project / PACKAGE / "operators.py").write_text(lazy, encoding="utf-8")
    assert sorted(read(project).files) == [STUB, f"{PACKAGE}/py.typed"]
    assert read(project).write()
    assert (project / PACKAGE / "operators.py").read_text(encoding="utf-8") == lazy


def test_other_operators_of_a_persons_own_need_none(project: Path) -> None:
    (project / PACKAGE / "operators.py").write_text("def multiply_op(): ...\n", encoding="utf-8")
    with pytest.raises(ReleaseError, match=r"src/demo_parts/operators\.py is one that a person wrote, and makes no"):
        read(project)


def test_a_package_that_is_not_there_is_told(project: Path) -> None:
    (project / PACKAGE).rename(project / "src/elsewhere")
    with pytest.raises(ReleaseError, match=r"there is no package demo_parts in src/ or .*/project"):
        read(project)


def test_all_that_is_wrong_in_component_files_is_told(project: Path) -> None:
    for name in ("multiply.yaml", "foreign.yml"):
        (project / "yaml" / name).write_text("a: [\n", encoding="utf-8")
    with pytest.raises(Problems) as caught:
        read(project)
    assert [problem.path for problem in caught.value.problems] == ["yaml/foreign.yml", "yaml/multiply.yaml"]


def test_what_git_sees_of_them(project: Path, tmp_path: Path) -> None:
    assert read(project).seen_by_git == ()
    (project / ".gitignore").write_text(f"{STUB}\n", encoding="utf-8")
    assert read(project).seen_by_git == tuple(sorted(line for line in IGNORED if not line.endswith("pyi")))
    (project / ".git").rename(tmp_path / "git")
    assert read(project).seen_by_git == ()


def test_the_command_says_what_it_did(project: Path) -> None:
    first, again = (kfp_release(["operators"], cwd=project, environ={}) for _ in range(2))
    assert (first.returncode, first.stdout) == (0, f"{PACKAGE}: written, 2 operators\n"), first.stderr
    assert (again.returncode, again.stdout) == (0, f"{PACKAGE}: unchanged, 2 operators\n")
    value = json.loads(kfp_release(["operators", "--json"], cwd=project, environ={}).stdout)
    names = ["foreign_op", "multiply_op"]
    assert value == {"path": PACKAGE, "changed": False, "operators": names, "left_out": []}


def test_the_command_names_what_it_leaves_out(project: Path) -> None:
    for name in ("odd", "__odd"):
        text = component(DEMO)
        odd = text if name == "__odd" else text.replace(b"name: a,", b"name: class,")
        (project / f"yaml/{name}.yaml").write_bytes(odd)
    done = kfp_release(["operators"], cwd=project, environ={})
    assert f"{PACKAGE}: written, 2 operators\n" in done.stdout
    assert "left out, for Python cannot call it: __odd_op, odd_op; kfp-release check says why" in done.stdout
    value = json.loads(kfp_release(["operators", "--json"], cwd=project, environ={}).stdout)
    assert (value["operators"], value["left_out"]) == (["foreign_op", "multiply_op"], ["__odd_op", "odd_op"])


def test_the_command_says_what_git_is_to_ignore(project: Path) -> None:
    (project / ".gitignore").unlink()
    done = kfp_release(["operators"], cwd=project, environ={})
    assert f"git does not ignore it: add {', '.join(sorted(IGNORED))} to .gitignore" in done.stdout


def test_the_command_refuses_what_it_cannot_do(project: Path) -> None:
    (project / STUB).write_text("multiply_op: object\n", encoding="utf-8")
    done = kfp_release(["operators"], cwd=project, environ={})
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
        "  → kfp-release operators writes it anew"
    )
