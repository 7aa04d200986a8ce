"""Components that are made of the component files of others, which are compiled too."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from python_project import (
    CONFIG,
    DEFINITIONS,
    HEAD,
    SCORE,
    TRAIN,
    compiled,
    config,
    contents,
    make_project,
    refused,
    stale,
    write,
)

from kfp_release import compiled_rules
from kfp_release.checkout_operators import CheckoutOperators
from kfp_release.errors import ReleaseError

OPERATORS = """\
from pathlib import Path
from kfp import components

def op(name):
    file = Path(__file__).parents[2] / "yaml" / f"{name}.yaml"
    return components.load_component_from_text(file.read_text())
"""
TWICE = """\
@dsl.pipeline
def twice(data: dsl.Input[dsl.Dataset]) -> float:
    from demo_parts.operators import op
    op("train")(data=data, rate=1.0)
    return op("score")(model=op("train")(data=data, rate=2.0).outputs["model"]).outputs["result"]

"""
THRICE = """\
from kfp import dsl
from demo_parts.operators import op

@dsl.pipeline
def thrice(data: dsl.Input[dsl.Dataset]) -> float:
    return op("twice")(data=data).output
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Compiled, and from then on check may not ask kfp."""
    make_project(tmp_path)
    write(tmp_path, "src/demo_parts/operators.py", OPERATORS)
    compiled(tmp_path)
    write(tmp_path, DEFINITIONS, HEAD + TRAIN + SCORE + TWICE)
    compiled(tmp_path)
    setting = CONFIG.replace('["demo_parts.definitions"]', '["demo_parts.definitions", "demo_parts.over"]')
    write(tmp_path, "pyproject.toml", setting)
    write(tmp_path, "src/demo_parts/over.py", THRICE)
    compiled(tmp_path)

    def never(*_: object, **__: object) -> None:
        raise AssertionError("kfp was asked")

    monkeypatch.setattr(compiled_rules, "compile_modules", never)
    return tmp_path


def test_the_second_time_nothing_is_written_and_check_needs_no_kfp(project: Path) -> None:
    assert stale(project) == []
    assert set(compiled(project).values()) == {"unchanged"}


def test_one_compilation_follows_a_change_through_all_that_is_made_of_it(project: Path) -> None:
    before = contents(project)
    write(project, DEFINITIONS, HEAD + TRAIN.replace('"none"', '"some"') + SCORE + TWICE)
    states = compiled(project)
    assert set(states.values()) == {"written"}
    assert list(states) == [f"yaml/{name}.yaml" for name in ("score", "thrice", "train", "twice")]
    after = contents(project)
    assert all(b"none" in before[f"{name}.yaml"] and b"some" in after[f"{name}.yaml"] for name in ("train", "thrice"))
    assert stale(project) == []
    assert set(compiled(project).values()) == {"unchanged"}


def test_a_component_that_is_another_one_after_each_compilation_is_refused(project: Path) -> None:
    own = (
        "import hashlib, pathlib\nOWN = pathlib.Path(__file__).parents[2] / 'yaml/score.yaml'\n"
        "IMAGE = 'ghcr.io/other/tool@sha256:' + hashlib.sha256(OWN.read_bytes()).hexdigest()\n"
    )
    write(project, DEFINITIONS, HEAD + own + TRAIN + SCORE + TWICE)
    with pytest.raises(ReleaseError, match=r"yaml/train\.yaml, .*: not the same after 8 compilations") as caught:
        compiled(project)
    assert caught.value.remedy.startswith("a component must not be made of its own file")


def test_a_pipeline_that_holds_its_own_operator_is_refused(project: Path) -> None:
    write(
        project,
        DEFINITIONS,
        HEAD + TRAIN + SCORE + TWICE.replace('op("train")(data=data, rate=1.0)', 'op("twice")(data=data)'),
    )
    (line,) = refused(project)
    assert "twice is the pipeline 'twice' with a step of that name" in line


def test_a_component_may_be_made_of_the_packages_operators_which_are_no_sources_of_it(tmp_path: Path) -> None:
    make_project(tmp_path)
    compiled(tmp_path)
    CheckoutOperators.read(tmp_path, config(tmp_path)).write()
    imported = TWICE.replace("import op\n", "import score_op, train_op\n")
    of_names = imported.replace('op("train")', "train_op").replace('op("score")', "score_op")
    write(tmp_path, DEFINITIONS, HEAD + TRAIN + SCORE + of_names)
    assert compiled(tmp_path)["yaml/twice.yaml"] == "written"
    mark = (tmp_path / "yaml/twice.yaml").read_text(encoding="utf-8").splitlines()[-1]
    assert "yaml/train.yaml" in mark
    assert "src/demo_parts/names.py" in mark
    assert not [name for name in ("operators.py", "_operators", "checkout.json") if name in mark]
    shutil.rmtree(tmp_path / "src/demo_parts/_operators")
    assert stale(tmp_path) == []
