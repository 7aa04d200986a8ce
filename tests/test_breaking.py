"""What `diff` calls breaking is what breaks: pipelines written for one version, compiled by kfp with the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from interface_fixtures import OUTPUTS, diff, v1
from kfp import compiler, dsl
from test_port_changes import INPUT_CHANGES, compiled

from kfp_release.interface_change import ChangeKind
from kfp_release.package_files._operators.yaml_operator import YamlOperator

SOURCE = v1((), ("name: data, type: Dataset",))
SINK = v1(("name: model, type: Model", "name: loss, type: Float"), ())
FORMS = ("keywords", "required keywords", "positions", "required positions")
OUTPUT_CHANGES = {
    "another order of outputs": OUTPUTS[::-1],
    "an output less": OUTPUTS[:1],
    "an output more": (*OUTPUTS, "name: log, type: HTML"),
    "an artifact of another type": ("name: model, type: Dataset", OUTPUTS[1]),
    "a parameter of another type": (OUTPUTS[0], "name: loss, type: String"),
}


def operator(name: str, text: bytes) -> YamlOperator:
    return YamlOperator.from_text(f"{name}_op", text.decode().replace("name: Train", f"name: {name}"))


def wired(train: YamlOperator, form: str, folder: Path) -> Any:
    """What each input of the task gets, in a pipeline that was written for `INPUTS` and `OUTPUTS`."""

    def pipeline(rate: Any, seed: Any) -> None:
        given = {"rate": rate, "data": operator("Source", SOURCE)().outputs["data"], "seed": seed}
        if form.startswith("required"):
            del given["seed"]
        task = train(**given) if form.endswith("keywords") else train(*given.values())
        operator("Sink", SINK)(model=task.outputs["model"], loss=task.outputs["loss"])

    pipeline.__annotations__ = {"rate": float, "seed": int}
    made = dsl.pipeline(pipeline, name="written-for-1-0")
    compiler.Compiler().compile(made, str(folder / "pipeline.yaml"))
    tasks = yaml.safe_load((folder / "pipeline.yaml").read_text(encoding="utf-8"))["root"]["dag"]["tasks"]
    (inputs,) = (task["inputs"] for name, task in tasks.items() if name not in {"source", "sink"})
    return inputs


def breaks(old: bytes, new: bytes, folder: Path) -> bool:
    """Whether a call that kfp compiles with `old` fails with `new`, or gives its values to other inputs."""
    for form in FORMS:
        if form.endswith("positions") and old.startswith(b"# PIPELINE"):  # compiled, and so by keyword alone
            continue
        before = wired(operator("Train", old), form, folder)
        try:
            if wired(operator("Train", new), form, folder) != before:
                return True
        except Exception:  # noqa: BLE001 - whatever kfp raises is a pipeline that does not compile
            return True
    return False


@pytest.mark.parametrize("inputs", [inputs for inputs, _ in INPUT_CHANGES.values()], ids=INPUT_CHANGES.keys())
def test_a_change_of_inputs_breaks_where_diff_says_so(inputs: tuple[str, ...], tmp_path: Path) -> None:
    new = v1(inputs)
    assert bool(diff(v1(), new).breaking) == breaks(v1(), new, tmp_path)


@pytest.mark.parametrize("outputs", OUTPUT_CHANGES.values(), ids=OUTPUT_CHANGES.keys())
def test_a_change_of_outputs_breaks_where_diff_says_so(outputs: tuple[str, ...], tmp_path: Path) -> None:
    new = v1(outputs=outputs)
    assert bool(diff(v1(), new).breaking) == breaks(v1(), new, tmp_path)


@pytest.mark.parametrize("is_back", [False, True])
def test_a_component_that_is_compiled_breaks_calls_by_position(tmp_path: Path, *, is_back: bool) -> None:
    sides = (v1(), compiled(v1(), tmp_path))
    old, new = reversed(sides) if is_back else sides
    assert bool(diff(old, new).breaking) == breaks(old, new, tmp_path) == (not is_back)


def test_every_kind_of_change_is_documented() -> None:
    page = (Path(__file__).parent.parent / "docs/components.md").read_text(encoding="utf-8")
    table = page.partition("### What breaks")[2].partition("###")[0]
    assert sorted(kind for kind in ChangeKind if f"`{kind}`" not in table) == []
