"""All that is wrong in one component file."""

from __future__ import annotations

import time

import pytest
from component_files import IR, OWNED, V1, changed, errors

from kfp_release.component import ComponentFile
from kfp_release.component_rules import component_problems


def test_all_that_is_wrong_is_told_at_once() -> None:
    text = changed(V1, "name: Train", "nam: Train")
    for old, new in (
        ("default:", "defualt:"),
        ("{A: b}", "{A: 5}"),
        ("[train, ", "[5, "),
        ("{inputPath: data}", "{inputPath: dat}"),
    ):
        text = changed(text, old, new)
    assert [problem.line for problem in sorted(errors(text))] == [1, 5, 14, 19, 25]


@pytest.mark.parametrize(
    ("image", "message", "remedy"),
    [
        (f"{OWNED}:1.0", f"owned image {OWNED} carries :1.0", f"write {OWNED} alone"),
        (f"{OWNED}@sha256:{'0' * 64}", f"owned image {OWNED} carries @sha256:000", f"write {OWNED} alone"),
        (f"{OWNED}s", f"image {OWNED}s is in no [tool.kfp-release.images]", f"did you mean {OWNED}?"),
        ("busybox:1", "image busybox:1 is in no [tool.kfp-release.images]", "write repository:tag@sha256:…"),
    ],
)
def test_an_image_is_owned_and_bare_or_foreign_and_exact(image: str, message: str, remedy: str) -> None:
    (problem,) = errors(changed(V1, OWNED, image))
    assert problem.line == 13
    assert problem.message.startswith(message)
    assert remedy in problem.remedy


@pytest.mark.parametrize("name", ["__train", "--train", "-_train"])
def test_an_operator_that_would_be_pythons_own_is_refused(name: str) -> None:
    file = ComponentFile.parse(f"yaml/{name}.yaml", V1.encode())
    (problem,) = component_problems(file, {OWNED})
    assert (problem.severity, problem.path, problem.line) == ("error", f"yaml/{name}.yaml", 0)
    assert problem.message == "gives the operator '__train_op', and names that begin so are Python's own"
    assert problem.remedy == "rename the file, so that it begins with a letter"


def test_an_operator_with_one_underscore_before_it_is_fine() -> None:
    assert component_problems(ComponentFile.parse("yaml/_train.yaml", V1.encode()), {OWNED}) == []


def test_a_foreign_image_with_its_digest_is_fine() -> None:
    assert errors(changed(V1, OWNED, f"busybox@sha256:{'0' * 64}")) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [(V1.replace("It trains.", "%s", 1), 2), (f"{IR}---\nplatforms: %s\n", IR.count("\n") + 2)],
    ids=["v1", "the second document of a compiled one"],
)
def test_a_number_of_a_megabyte_is_told_and_takes_no_time(text: str, line: int) -> None:
    began = time.monotonic()
    (problem,) = errors(text % ("1" + ":1" * 500_000))
    assert time.monotonic() - began < 5
    assert (problem.line, problem.message) == (line, "cannot be loaded: a number of 1,000,001 letters")
    assert problem.remedy == "quote the value"
