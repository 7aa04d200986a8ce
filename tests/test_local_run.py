"""The programs under kfp.local's code without a container: it writes their command lines and reads their outputs."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from installation import PROJECT, YAML
from kfp import components, dsl
from kfp.local import executor_input_utils, executor_output_utils, placeholder_utils

SCRIPTS: dict[str, str] = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]


def run(name: str, root: Path, **arguments: Any) -> dict[str, Any]:
    """The outputs of the component `name` as kfp.local sees them."""
    spec = components.load_component_from_file(str(YAML / f"{name}.yaml")).pipeline_spec
    ((_, component),) = spec.components.items()
    executor_input = executor_input_utils.construct_executor_input(
        component_spec=component, arguments=arguments, task_root=str(root / name), block_input_artifact=False
    )
    ((_, executor),) = spec.deployment_spec["executors"].items()
    program, *words = placeholder_utils.replace_placeholders(
        full_command=[*executor["container"]["command"], *executor["container"]["args"]],
        executor_input_dict=executor_input_utils.executor_input_to_dict(executor_input, component),
        pipeline_resource_name="pipeline",
        task_resource_name=name,
        pipeline_root=str(root),
        unique_pipeline_id="1",
    )
    module, function = SCRIPTS[program].split(":")
    start = f"import sys; from {module} import {function}; sys.exit({function}())"
    done = subprocess.run([sys.executable, "-c", start, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    outputs: dict[str, Any] = executor_output_utils.get_outputs_for_task(executor_input, component)
    return outputs


@pytest.mark.parametrize(("a", "b", "product"), [(2.0, 3.0, 6.0), (-1e-7, 2.0, -2e-7), (1e300, 1e-300, 1.0)])
def test_kfp_reads_the_product(tmp_path: Path, a: float, b: float, product: float) -> None:
    assert run("multiply", tmp_path, a=a, b=b) == {"product": pytest.approx(product)}


def test_kfp_hands_a_table_from_program_to_program_and_reads_its_metrics(tmp_path: Path) -> None:
    table = run("make_table", tmp_path, rows=4)["table"]
    assert isinstance(table, dsl.Dataset)
    assert table.metadata == {"rows": 4.0, "seed": 0.0}
    scaled = run("scale_table", tmp_path, table=table, factor=-2.0)["scaled"]
    assert scaled.metadata == {"rows": 4.0, "factor": -2.0}
    before = run("describe_table", tmp_path / "before", table=table)
    after = run("describe_table", tmp_path / "after", table=scaled, column="value")
    assert after["mean"] == pytest.approx(-2 * before["mean"])
    assert isinstance(after["metrics"], dsl.Metrics)
    assert after["metrics"].metadata["rows"] == 4
    assert after["metrics"].metadata["minimum"] == pytest.approx(-2 * before["metrics"].metadata["maximum"])


@pytest.mark.parametrize(("columns", "rows", "dropped"), [("", 1, 3), ("value", 2, 2), (" id , value", 2, 2)])
def test_kfp_reads_a_component_that_is_a_python_function(tmp_path: Path, columns: str, rows: int, dropped: int) -> None:
    table = dsl.Dataset(name="table", uri=str(tmp_path / "table"))
    Path(table.path).write_text("id,value,note\n1,1.5,a\n2,,b\n3,2.5,\n4,,\n", encoding="utf-8")
    outputs = run("drop_missing", tmp_path, table=table, columns=columns)
    assert outputs["dropped"] == dropped
    assert outputs["complete"].metadata == {"rows": float(rows)}
    assert len(Path(outputs["complete"].path).read_text(encoding="utf-8").splitlines()) == rows + 1


def test_kfp_hands_a_model_from_program_to_program_and_reads_score_and_report(tmp_path: Path) -> None:
    table = run("load_table", tmp_path, source="sklearn:breast_cancer")["table"]
    assert isinstance(table, dsl.Dataset)
    assert (table.metadata["rows"], table.metadata["columns"][-1]) == (569.0, "target")
    parts = run("split_table", tmp_path, table=table, seed=7, stratify="target")
    assert [parts[name].metadata["rows"] for name in ("train", "test")] == [426.0, 143.0]
    model = run("train_model", tmp_path, table=parts["train"], algorithm="logistic_regression")["model"]
    assert isinstance(model, dsl.Model)
    assert (model.metadata["algorithm"], len(model.metadata["features"])) == ("logistic_regression", 30)
    seen = {"model": model, "table": parts["test"], "target": "target"}
    evaluated = run("evaluate_model", tmp_path, **seen)
    assert isinstance(evaluated["metrics"], dsl.Metrics)
    assert evaluated["score"] == evaluated["metrics"].metadata["accuracy"] == pytest.approx(140 / 143, abs=0.01)
    report = run("report_model", tmp_path, **seen, title="Of kfp's own")["report"]
    assert isinstance(report, dsl.HTML)
    page = Path(report.path).read_text(encoding="utf-8")
    assert "Of kfp&#39;s own" in page
    assert f"{evaluated['score']:.4f}" in page


def test_tables_go_from_the_components_of_one_image_to_those_of_the_other(tmp_path: Path) -> None:
    table = run("load_table", tmp_path, source="sklearn:diabetes")["table"]
    scaled = run("scale_table", tmp_path, table=table, factor=2.0, column="target")["scaled"]
    parts = run("split_table", tmp_path, table=scaled)
    described = run("describe_table", tmp_path, table=parts["test"], column="target")
    assert described["metrics"].metadata["rows"] == 111
    assert 200 < described["mean"] < 400
