from __future__ import annotations

from pathlib import Path

import pytest
from component_files import IR, V1, changed, errors, kfp_takes


@pytest.mark.parametrize(
    ("old", "new", "line", "message", "remedy"),
    [
        (
            "executorLabel: exec-train",
            "executorLabel: exec-trian",
            3,
            "executor 'exec-trian'",
            "did you mean exec-train?",
        ),
        ("componentRef: {name: comp-train}", "componentRef: {name: x}", 41, "component 'x'", "there is: comp-train"),
    ],
)
def test_names_that_lead_nowhere_are_told_which_kfp_takes_until_it_runs(  # noqa: PLR0917 - a table's columns
    tmp_path: Path, old: str, new: str, line: int, message: str, remedy: str
) -> None:
    text = changed(IR, old, new)
    assert kfp_takes(text, tmp_path)
    (problem,) = [each for each in errors(text) if "which is not there" in each.message]
    assert (problem.line, problem.message) == (line, f"names the {message}, which is not there")
    assert problem.remedy == remedy


@pytest.mark.parametrize("text", [IR, V1])
def test_names_that_are_there_are_none_of_its_business(text: str) -> None:
    assert errors(text) == []
