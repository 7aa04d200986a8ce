"""A pyproject.toml that is there: what is added to it, and what a person has to write."""

from __future__ import annotations

import tomllib

import pytest
from test_template_files import FILES

from kfp_release.errors import Problems
from kfp_release.pyproject_addition import completed_pyproject, has_settings

NEW = FILES["pyproject.toml"]
PROJECT = '[project]\nname = "forecasting-components"\ndynamic = ["version"]\ndependencies = ["KFP>=2"]\n'


def test_tables_that_are_missing_are_added_at_the_end_and_nothing_else_changes() -> None:
    there = f"# ours\n{PROJECT}\n[tool.ruff]\nline-length = 100\n\n\n"
    text = completed_pyproject(there.encode(), NEW).decode()
    assert text.startswith(there.rstrip("\n") + "\n\n[build-system]\n")
    value, new = tomllib.loads(text), tomllib.loads(NEW)
    assert value["tool"] == {
        "ruff": {"line-length": 100},
        "setuptools_scm": {},
        "kfp-release": new["tool"]["kfp-release"],
    }
    assert value["build-system"] == new["build-system"]
    assert value["project"]["dependencies"] == ["KFP>=2"]
    assert has_settings(text.encode())


def test_tables_that_are_there_and_fit_stay_as_they_are() -> None:
    there = completed_pyproject(PROJECT.encode(), NEW).partition(b"[tool.kfp-release]")[0]
    assert completed_pyproject(there, NEW).startswith(there.rstrip())


def test_an_empty_file_gets_all_but_where_packages_are() -> None:
    value, new = tomllib.loads(completed_pyproject(b"", NEW).decode()), tomllib.loads(NEW)
    del new["tool"]["setuptools"]
    assert value == new


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n', "has another build backend"),
        ('[project]\nname = "others"\ndynamic = ["version"]\n', "is of another name than forecasting-components"),
        ('[project]\nname = "forecasting-components"\nversion = "1"\n', "has a version of its own, or none"),
        (
            f'{PROJECT}[project.scripts]\nx = "x:x"\n',
            "lacks the program add",
        ),
        (
            '[project]\nname = "others"\n',
            "components; has a version of its own, or none: a release takes it from the tag, ",
        ),
        (PROJECT.replace("KFP", "kfp-kubernetes"), "has no kfp in dependencies, which the operators import"),
        (f"{PROJECT}[project.optional-dependencies]\ndev = []\n", "lacks the extra image"),
        (f'{PROJECT}[tool.setuptools]\npackages = ["forecasting_components"]\n', "names packages, and not src/"),
        (f'{PROJECT}[tool.setuptools]\npackage-dir = {{"" = "lib"}}\n', "has packages elsewhere than in src"),
        (f"{PROJECT}[tool.setuptools]\npackage-dir = {{forecasting_components = []}}\n", "elsewhere than in src"),
        (f"{PROJECT}[tool.setuptools.packages.find]\n", "[tool.setuptools.packages.find] finds packages elsewhere"),
        (f'{PROJECT}[tool.setuptools.packages.find-namespace]\nwhere = ["lib"]\n', "finds packages elsewhere"),
        ('project = {name = "forecasting-components", dynamic = ["version", "dependencies"]}\n', "cannot be completed"),
        ("[project\n", "is not TOML"),
    ],
)
def test_what_says_otherwise_is_refused_with_the_text_to_write(text: str, message: str) -> None:
    with pytest.raises(Problems) as caught:
        completed_pyproject(text.encode(), NEW)
    (problem,) = caught.value.problems
    assert problem.path == "pyproject.toml"
    assert message in problem.message
    assert problem.remedy


@pytest.mark.parametrize(
    "text",
    [
        '[tool.setuptools]\npackage-dir = {"" = "./src/"}\n',
        '[tool.setuptools]\npackage-dir = {"" = "src"}\npackages = ["forecasting_components"]\n',
        '[tool.setuptools]\npackage-dir = {forecasting_components = "src/forecasting_components"}\n',
        '[tool.setuptools.packages.find]\nwhere = ["lib", "src"]\n',
        '[tool.setuptools.package-data]\nforecasting_components = ["*.csv"]\n',
    ],
)
def test_packages_that_setuptools_finds_in_src_stay_where_they_are(text: str) -> None:
    assert completed_pyproject(f"{PROJECT}{text}".encode(), NEW).startswith(f"{PROJECT}{text}".encode())


def test_dependencies_that_setuptools_reads_elsewhere_are_left_to_it() -> None:
    there = '[project]\nname = "forecasting-components"\ndynamic = ["version", "dependencies"]\n'
    assert completed_pyproject(there.encode(), NEW).startswith(there.encode())
