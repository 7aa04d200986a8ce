"""A pyproject.toml that is there: what is added to it, and what a person has to write."""

from __future__ import annotations

import tomllib

import pytest
from test_template_files import FILES

from kfp_release.errors import Problems
from kfp_release.pyproject_addition import completed_pyproject, has_settings

NEW = FILES["pyproject.toml"]
PROJECT = '[project]\nname = "forecasting-components"\ndynamic = ["version"]\n'


def test_tables_that_are_missing_are_added_at_the_end_and_nothing_else_changes() -> None:
    there = f'# ours\n{PROJECT}dependencies = ["kfp"]\n\n[tool.ruff]\nline-length = 100\n\n\n'
    text = completed_pyproject(there.encode(), NEW).decode()
    assert text.startswith(there.rstrip("\n") + "\n\n[build-system]\n")
    value, new = tomllib.loads(text), tomllib.loads(NEW)
    assert value["tool"] == {
        "ruff": {"line-length": 100},
        "setuptools_scm": {},
        "kfp-release": new["tool"]["kfp-release"],
    }
    assert value["build-system"] == new["build-system"]
    assert value["project"]["dependencies"] == ["kfp"]
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
            '[project]\nname = "forecasting-components"\ndynamic = ["version"]\n[project.scripts]\nx = "x:x"\n',
            "lacks the program add",
        ),
        ('project = {name = "forecasting-components", dynamic = ["version"]}\n', "cannot be completed"),
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
