from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from kubeflow_demo_components.executor import ExecutorInput

PROJECT = Path(__file__).resolve().parent.parent
SCRIPTS: dict[str, str] = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]


def run(name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The program as its console script starts it."""
    module, function = SCRIPTS[name].split(":")
    start = f"import sys; from {module} import {function}; sys.exit({function}())"
    return subprocess.run([sys.executable, "-c", start, *arguments], capture_output=True, text=True, check=False)


def executor_input(folder: Path, *artifacts: str) -> str:
    """What kfp puts in place of '{{$}}' for a task with these output artifacts."""
    declared = {
        name: {"artifacts": [{"name": name, "uri": f"s3://bucket/{name}", "type": {}, "metadata": {}}]}
        for name in artifacts
    }
    return json.dumps({"inputs": {}, "outputs": {"artifacts": declared, "outputFile": str(folder / "out/report.json")}})


def report(folder: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((folder / "out/report.json").read_text(encoding="utf-8"))["artifacts"]
    return value


def make_table(path: Path, *, seed: int = 0, rows: int = 5) -> bytes:
    done = run("make-table", "--rows", str(rows), "--seed", str(seed), "--table", path)
    assert done.returncode == 0, done.stderr
    return path.read_bytes()


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_program_explains_itself(name: str) -> None:
    done = run(name, "--help")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"usage: {name} ")


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_parser_is_built_without_what_only_the_image_has(name: str) -> None:
    module = SCRIPTS[name].partition(":")[0]
    code = (
        f"import sys; from {module} import build_parser; build_parser();"
        "print(sorted({'pandas', 'numpy', 'sklearn', 'skops', 'boto3', 'matplotlib', 'jinja2', 'kfp', 'yaml'}"
        " & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_multiply_prints_the_product() -> None:
    done = run("multiply", "--a", "2", "--b", "3")
    assert (done.returncode, done.stdout, done.stderr) == (0, "6.0\n", "")


def test_multiply_writes_the_product_into_a_folder_that_it_makes(tmp_path: Path) -> None:
    run("multiply", "--a", "2", "--b", "3.5", "--product", tmp_path / "new/folder/product")
    assert (tmp_path / "new/folder/product").read_text(encoding="utf-8") == "7.0"


@pytest.mark.parametrize(
    ("a", "b", "product"),
    [("-2", "3", "-6.0"), ("-1e-07", "2", "-2e-07"), ("1e3", "-1E+2", "-100000.0"), (".5", "-.5", "-0.25")],
)
def test_multiply_takes_every_form_in_which_kfp_writes_a_number(a: str, b: str, product: str) -> None:
    done = run("multiply", "--a", a, "--b", b)
    assert done.stdout == f"{product}\n", done.stderr
    assert run("multiply", f"--a={a}", f"--b={b}").stdout == f"{product}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--a", "two", "--b", "3"], "argument --a: invalid float value: 'two'"),
        (["--a", "2"], "the following arguments are required: --b"),
        (["--a", "2", "--b"], "argument --b: expected one argument"),
        (["--a", "2", "--b", "3", "--c", "4"], "unrecognized arguments: --c=4"),
    ],
)
def test_multiply_refuses_wrong_use(arguments: list[str], message: str) -> None:
    done = run("multiply", *arguments)
    assert done.returncode == 2
    assert message in done.stderr


@pytest.mark.parametrize(("a", "b"), [("1e308", "10"), ("nan", "1"), ("inf", "1")])
def test_multiply_refuses_a_product_that_is_no_finite_number(tmp_path: Path, a: str, b: str) -> None:
    done = run("multiply", "--a", a, "--b", b, "--product", tmp_path / "product")
    assert done.returncode == 1
    assert "which is no finite number" in done.stderr
    assert not (tmp_path / "product").exists()


def test_a_table_is_the_same_for_the_same_seed_and_another_for_another(tmp_path: Path) -> None:
    first = make_table(tmp_path / "a", seed=7)
    assert make_table(tmp_path / "b", seed=7) == first
    assert make_table(tmp_path / "c", seed=8) != first
    assert first.splitlines()[:2] == [b"id,value", b"1,32.383"]
    assert first.count(b"\n") == 6


def test_a_table_has_at_least_one_row(tmp_path: Path) -> None:
    done = run("make-table", "--rows", "0", "--table", tmp_path / "t")
    assert done.returncode == 2
    assert "a table has at least 1 row, not 0" in done.stderr


def test_scaling_changes_one_column_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("id,value,other\n1,2.0,x\n2,-4.0,y\n", encoding="utf-8")
    done = run("scale-table", "--table", tmp_path / "t", "--factor", "-1.5", "--scaled", tmp_path / "new/s")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "new/s").read_text(encoding="utf-8") == "id,value,other\n1,-3.0,x\n2,6.0,y\n"


@pytest.mark.parametrize("factor", ["inf", "-Infinity", "nan", "1e400"])
def test_scaling_by_what_is_no_finite_number_is_refused(tmp_path: Path, factor: str) -> None:
    make_table(tmp_path / "t")
    done = run("scale-table", "--table", tmp_path / "t", "--factor", factor, "--scaled", tmp_path / "s")
    assert done.returncode == 2
    assert "is no finite number" in done.stderr
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(("value", "factor"), [("1e308", "10"), ("-1e308", "10"), ("inf", "1")])
def test_scaling_to_what_is_no_finite_number_is_refused(tmp_path: Path, value: str, factor: str) -> None:
    (tmp_path / "t").write_text(f'value\n1\n""\n{value}\n', encoding="utf-8")
    done = run("scale-table", "--table", tmp_path / "t", "--factor", factor, "--scaled", tmp_path / "s")
    row = f"scale-table: column 'value' of {tmp_path / 't'} has {float(value)} in row 3"
    product = "-inf" if value.startswith("-") else "inf"
    said = f"{row}, which times {float(factor)} is {product}, no finite number"
    assert (done.returncode, done.stderr.splitlines()[-1:]) == (1, [said])
    assert not (tmp_path / "s").exists()


def test_describing_gives_metrics_and_the_mean_alone(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("v\n1\n2\n6\n", encoding="utf-8")
    outputs = ("--metrics", tmp_path / "o/metrics", "--mean", tmp_path / "o/mean")
    done = run("describe-table", "--table", tmp_path / "t", "--column", "v", *outputs)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "o/mean").read_text(encoding="utf-8") == "3.0"
    expected = {"rows": 3, "mean": 3.0, "minimum": 1.0, "maximum": 6.0}
    assert json.loads((tmp_path / "o/metrics").read_text(encoding="utf-8")) == expected == json.loads(done.stdout)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read as CSV: "),
        ("", "cannot be read as CSV: No columns to parse from file"),
        ("id,other\n1,2\n", "has no column 'value'; it has 'id', 'other'"),
        ("id,value\n1,two\n", "column 'value' of "),
        ("id,value\n1,\n", "has no value in column 'value'"),
    ],
)
def test_a_file_that_is_no_such_table_is_named(tmp_path: Path, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / "t").write_text(content, encoding="utf-8")
    done = run("describe-table", "--table", tmp_path / "t", "--mean", tmp_path / "mean")
    assert done.returncode == 1
    assert message in done.stderr
    assert str(tmp_path / "t") in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "mean").exists()


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("1\ninf\n", "the mean of column 'value' of {table} is inf, which is no finite number"),
        ("-inf\ninf\n", "the mean of column 'value' of {table} is nan, which is no finite number"),
        ("1e308\n1.5e308\n", "the mean of column 'value' of {table} is inf, which is no finite number"),
    ],
)
def test_what_has_no_finite_number_is_refused_and_nothing_is_written(tmp_path: Path, column: str, message: str) -> None:
    (tmp_path / "t").write_text(f"value\n{column}", encoding="utf-8")
    outputs = ("--metrics", tmp_path / "o/metrics", "--mean", tmp_path / "o/mean")
    given = ("--executor-input", executor_input(tmp_path, "metrics"))
    done = run("describe-table", "--table", tmp_path / "t", *outputs, *given)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1] == f"describe-table: {message.format(table=tmp_path / 't')}"
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["t"]


def test_metrics_are_the_metadata_of_their_artifact(tmp_path: Path) -> None:
    make_table(tmp_path / "t", rows=3)
    run("describe-table", "--table", tmp_path / "t", "--executor-input", executor_input(tmp_path, "metrics"))
    (artifact,) = report(tmp_path)["metrics"]["artifacts"]
    assert artifact["uri"] == "s3://bucket/metrics"
    assert artifact["metadata"]["rows"] == 3


def test_every_declared_artifact_is_reported_with_or_without_metadata(tmp_path: Path) -> None:
    given = ExecutorInput.parse(executor_input(tmp_path, "one", "two"))
    given.write_output(two={"rows": 1})
    artifacts = report(tmp_path)
    assert artifacts.keys() == {"one", "two"}
    assert artifacts["one"]["artifacts"][0] == {
        "name": "one",
        "uri": "s3://bucket/one",
        "type": {},
        "metadata": {},
    }
    assert artifacts["two"]["artifacts"][0]["metadata"] == {"rows": 1}


def test_metadata_of_an_artifact_that_is_not_declared_is_refused(tmp_path: Path) -> None:
    given = ExecutorInput.parse(executor_input(tmp_path, "table"))
    with pytest.raises(ValueError, match=r"no output artifact 'tabel'; it has \['table'\]"):
        given.write_output(tabel={})


def test_metadata_that_json_has_no_form_for_leaves_no_half_written_report(tmp_path: Path) -> None:
    given = ExecutorInput.parse(executor_input(tmp_path, "table"))
    with pytest.raises(ValueError, match="not JSON compliant"):
        given.write_output(table={"mean": float("nan")})
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", ["{{$}}", "", "null", "[]", "{}", '{"outputs": {"artifacts": {"t": {}}}}'])
def test_what_is_no_executor_input_is_refused(tmp_path: Path, text: str) -> None:
    done = run("make-table", "--rows", "1", "--table", tmp_path / "t", f"--executor-input={text}")
    assert done.returncode == 2
    assert "is not kfp's executor input; the component passes it as the literal '{{$}}'" in done.stderr


def test_a_damaged_executor_input_is_not_repeated_for_it_may_hold_a_signature(tmp_path: Path) -> None:
    given = '{"inputs": {"parameterValues": {"source": "https://a.example/t.csv?signature=secret"}}}'
    done = run("make-table", "--rows", "1", "--table", tmp_path / "t", "--executor-input", given)
    assert "a text of 87 letters is not kfp's executor input" in done.stderr
    assert "secret" not in done.stderr


def drop(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "t").write_text("id,value\n1,\n2,x\n", encoding="utf-8")
    return run(
        "drop-missing", "--table", folder / "t", "--complete", folder / "c", "--dropped", folder / "d", *arguments
    )


def test_dropping_leaves_complete_rows_as_they_are(tmp_path: Path) -> None:
    done = drop(tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "1 of 2 rows dropped\n"
    assert (tmp_path / "c").read_text(encoding="utf-8") == "id,value\n2,x\n"
    assert (tmp_path / "d").read_text(encoding="utf-8") == "1"


def test_a_column_that_is_not_there_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    done = drop(tmp_path, "--columns", "id, price")
    assert done.returncode == 1
    assert done.stderr == f"{tmp_path / 't'} has no column 'price'; it has 'id', 'value'\n"
    assert not (tmp_path / "c").exists()
