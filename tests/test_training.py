"""split-table, train-model and evaluate-model, one after the other, on tables that scikit-learn ships."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_programs import executor_input, report
from training_fixtures import split, trained, written

from kubeflow_demo_components.programs import evaluate_model, split_table, train_model
from kubeflow_demo_components.table import read_table
from kubeflow_demo_components.training.model_file import read_model, write_model


def refusal(main: Callable[[list[str]], None], *options: str | Path) -> str:
    """The line that the program ends with."""
    with pytest.raises(SystemExit) as caught:
        main([str(option) for option in options])
    said = str(caught.value)
    assert "\n" not in said
    return said


def metrics_of(model: Path, table: Path, folder: Path) -> dict[str, float]:
    """What evaluate-model writes; the score alone is the first of it."""
    outputs = ["--metrics", str(folder / "new/metrics"), "--score", str(folder / "new/score")]
    evaluate_model.main(["--model", str(model), "--table", str(table), *outputs])
    metrics: dict[str, float] = json.loads((folder / "new/metrics").read_text(encoding="utf-8"))
    assert float((folder / "new/score").read_text(encoding="utf-8")) == next(iter(metrics.values()))
    return metrics


# split-table


def test_each_row_is_in_one_of_the_parts_and_the_same_one_for_the_same_seed(tmp_path: Path) -> None:
    table = written(tmp_path / "t", id=list(range(100)))
    parts = []
    for folder, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        outputs = ["--train", str(tmp_path / folder / "train"), "--test", str(tmp_path / folder / "test")]
        split_table.main(["--table", str(table), "--test_fraction", "0.2", "--seed", seed, *outputs])
        parts.append([(tmp_path / folder / name).read_bytes() for name in ("train", "test")])
    assert parts[0] == parts[1] != parts[2]
    train, test = (read_table(tmp_path / "a" / name)["id"].tolist() for name in ("train", "test"))
    assert (len(train), len(test), sorted(train + test)) == (80, 20, list(range(100)))
    assert (train, test) == (sorted(train), sorted(test))


def test_both_parts_have_a_columns_values_in_the_same_shares(tmp_path: Path) -> None:
    table = written(tmp_path / "t", id=list(range(100)), kind=["rare"] * 20 + ["common"] * 80)
    given = executor_input(tmp_path, "train", "test")
    outputs = ["--train", str(tmp_path / "train"), "--test", str(tmp_path / "test"), "--executor-input", given]
    split_table.main(["--table", str(table), "--stratify", "kind", *outputs])
    assert read_table(tmp_path / "test")["kind"].value_counts().to_dict() == {"common": 20, "rare": 5}
    assert {name: item["artifacts"][0]["metadata"] for name, item in report(tmp_path).items()} == {
        "train": {"rows": 75},
        "test": {"rows": 25},
    }


def test_a_part_has_each_cell_as_it_stands(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("zip,country,code\n" + "00123,NA,1e5\n" * 4, encoding="utf-8")
    outputs = ["--train", str(tmp_path / "train"), "--test", str(tmp_path / "test")]
    split_table.main(["--table", str(tmp_path / "t"), "--stratify", "country", *outputs])
    assert (tmp_path / "test").read_text(encoding="utf-8") == "zip,country,code\n00123,NA,1e5\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--stratify", "knd"], "{table} has no column 'knd'; it has 'id', 'kind'"),
        (["--stratify", "kind"], "split-table: {table} cannot be split so: The least populated class"),
        (["--test_fraction", "0.001"], None),
        (["--test_fraction", "0.9"], "split-table: {table} cannot be split so: "),
    ],
)
def test_a_table_that_cannot_be_split_is_told(tmp_path: Path, options: list[str], message: str | None) -> None:
    table = written(tmp_path / "t", id=[1, 2], kind=["a", "b"])
    outputs = ["--train", str(tmp_path / "train"), "--test", str(tmp_path / "test")]
    if message is None:  # a row is the least that there is to test with
        split_table.main(["--table", str(table), *options, *outputs])
        assert len(read_table(tmp_path / "test")) == 1
        return
    table = written(tmp_path / "t", id=[1], kind=["a"]) if "0.9" in options else table
    assert refusal(split_table.main, "--table", table, *options, *outputs).startswith(message.format(table=table))
    assert not (tmp_path / "train").exists()


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--test_fraction", "1", "1.0 is not between 0 and 1"),
        ("--test_fraction", "nan", "nan is not between 0 and 1"),
        ("--seed", "-1", "-1 is not from 0 to 4294967295"),
    ],
)
def test_a_fraction_and_a_seed_have_their_bounds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, value: str, message: str
) -> None:
    outputs = ["--train", str(tmp_path / "train"), "--test", str(tmp_path / "test")]
    with pytest.raises(SystemExit):
        split_table.main(["--table", str(tmp_path / "t"), option, value, *outputs])
    assert message in capsys.readouterr().err


# train-model and evaluate-model


@pytest.mark.parametrize(
    ("source", "algorithm", "name", "score"),
    [
        ("sklearn:breast_cancer", "logistic_regression", "accuracy", 140 / 143),
        ("sklearn:wine", "random_forest", "accuracy", 44 / 45),
        ("sklearn:iris", "logistic_regression", "accuracy", 34 / 38),
        ("sklearn:diabetes", "ridge", "r2", 0.505),
    ],
)
def test_a_model_has_the_score_that_is_expected_of_it(
    tmp_path: Path, source: str, algorithm: str, name: str, score: float
) -> None:
    train, test = split(tmp_path, source)
    model = trained(train, tmp_path / "model", "--algorithm", algorithm)
    metrics = metrics_of(model, test, tmp_path)
    assert next(iter(metrics)) == name
    assert metrics[name] == pytest.approx(score, abs=0.03)
    more = {"accuracy": {"f1", "roc_auc"}, "r2": {"mean_absolute_error", "root_mean_squared_error"}}
    assert metrics.keys() == {name, *more[name]}


def test_the_same_table_and_seed_give_the_same_bytes_and_another_seed_gives_others(tmp_path: Path) -> None:
    train, _ = split(tmp_path, "sklearn:wine")
    options = ("--algorithm", "random_forest", "--seed")
    first, again, other = (
        trained(train, tmp_path / name, *options, seed).read_bytes()
        for name, seed in (("a", "1"), ("b", "1"), ("c", "2"))
    )
    assert first == again != other


def test_texts_and_empty_cells_are_learned_from_too(tmp_path: Path) -> None:
    sizes: list[object] = [None if number % 10 == 3 else float(number % 7) for number in range(60)]
    kinds: list[object] = [None if number % 20 == 5 else ("red" if number % 2 else "blue") for number in range(60)]
    colours: list[object] = ["warm" if number % 2 else "cold" for number in range(60)]
    table = written(tmp_path / "t", size=sizes, kind=kinds, target=colours)
    for algorithm in ("logistic_regression", "random_forest"):
        model = trained(table, tmp_path / algorithm, "--algorithm", algorithm)
        assert metrics_of(model, table, tmp_path)["accuracy"] >= 0.95
        new = written(tmp_path / "new-kind", size=[1.0, 2.0], kind=["green", "red"], target=["cold", "warm"])
        metrics_of(model, new, tmp_path)


def test_the_metadata_of_a_model_says_how_it_was_made(tmp_path: Path) -> None:
    table = written(tmp_path / "t", a=[1.0, 2.0, 3.0, 4.0], b=["x", "y", "x", "y"], what=["n", "n", "y", "y"])
    given = executor_input(tmp_path, "model")
    trained(table, tmp_path / "model", "--target", "what", "--seed", "3", "--executor-input", given)
    metadata = report(tmp_path)["model"]["artifacts"][0]["metadata"]
    assert metadata.pop("scikit_learn").startswith("1.")
    assert metadata == {
        "algorithm": "logistic_regression",
        "features": ["a", "b"],
        "format": "skops",
        "rows": 4,
        "seed": 3,
        "target": "what",
    }


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        ({"a": [1.0, 2.0]}, [], "{table} has no column 'target'; it has 'a'"),
        ({"target": ["x", "y"]}, [], "train-model: {table} has no column beside 'target' to predict it from"),
        ({"a": [1, 2], "target": ["x", None]}, [], "train-model: column 'target' of {table} is empty in 1 rows"),
        ({"a": [1, 2], "target": ["x", "x"]}, [], "train-model: logistic_regression cannot learn from {table}: "),
        (
            {"a": [1, 2], "target": [0.5, 1.5]},
            [],
            "train-model: logistic_regression cannot learn from {table}: Unknown label",
        ),
        (
            {"a": [1, 2], "target": ["x", "y"]},
            ["--algorithm", "ridge"],
            "column 'target' of {table} holds str, not numbers",
        ),
    ],
)
def test_what_cannot_be_learned_is_told(
    tmp_path: Path, columns: dict[str, list[object]], options: list[str], message: str
) -> None:
    table = written(tmp_path / "t", **columns)
    said = refusal(train_model.main, "--table", table, "--model", tmp_path / "model", *options)
    assert said.startswith(message.format(table=table))
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"b": [1.0], "target": ["x"]}, "{table} has no column 'a'; it has 'b', 'target'"),
        ({"a": [1.0], "b": [1.0]}, "{table} has no column 'target'; it has 'a', 'b'"),
        ({"a": [1.0], "target": ["z"]}, "column 'target' of {table} holds 'z', and the model knows 'x', 'y'"),
        ({"a": [1.0, 2.0], "target": ["x", None]}, "column 'target' of {table} is empty, or has empty rows"),
        ({"a": [], "target": []}, "column 'target' of {table} is empty, or has empty rows"),
        ({"a": ["one"], "target": ["x"]}, "the model cannot be asked about {table}: "),
        ({"a": [1.0], "target": [3]}, "column 'target' of {table} holds '3', and the model knows 'x', 'y'"),
    ],
)
def test_a_table_that_does_not_fit_the_model_is_told(
    tmp_path: Path, columns: dict[str, list[object]], message: str
) -> None:
    model = trained(written(tmp_path / "learned", a=[1.0, 2.0, 3.0], target=["x", "y", "y"]), tmp_path / "model")
    table = written(tmp_path / "t", **columns)
    said = refusal(evaluate_model.main, "--model", model, "--table", table, "--score", tmp_path / "score")
    assert said.startswith(message.format(table=table))
    assert not (tmp_path / "score").exists()


def test_a_part_is_read_as_what_the_model_learned(tmp_path: Path) -> None:
    learned = written(tmp_path / "learned", size=["1", "2", "A"] * 4, weight=[1, 2, 3] * 4, target=["1", "2", "A"] * 4)
    model = trained(learned, tmp_path / "model")
    part = written(tmp_path / "t", size=[1, 2, 2], weight=[1, 2, 2], target=[1, 2, 2])
    assert metrics_of(model, part, tmp_path)["accuracy"] == 1
    model = trained(learned, tmp_path / "model", "--target", "weight", "--algorithm", "ridge")
    part = written(tmp_path / "t", size=[1, 2], weight=[1, 2], target=[1, 2])
    outputs = ["--metrics", str(tmp_path / "metrics")]
    evaluate_model.main(["--model", str(model), "--table", str(part), "--target", "weight", *outputs])
    assert json.loads((tmp_path / "metrics").read_text(encoding="utf-8"))["r2"] > 0.9


def test_a_part_of_other_types_is_told(tmp_path: Path) -> None:
    learned = written(tmp_path / "learned", size=["1", "2", "A"] * 4, target=["x", "y", "z"] * 4)
    model = trained(learned, tmp_path / "model")
    table = tmp_path / "t"
    pd.DataFrame({"size": [1, 2], "target": ["x", "y"]}).to_parquet(table)  # which says that they are numbers
    said = refusal(evaluate_model.main, "--model", model, "--table", table)
    assert said.startswith(f"the model cannot be asked about {table}: TypeError: ")


@pytest.mark.parametrize(
    ("step", "name", "value"),
    [
        (1, "classes_", ["x", "y"]),
        (1, "classes_", None),
        (1, "intercept_", None),
        (1, "coef_", np.array([[np.nan]])),
        (0, "transformers_", None),
        (0, "transformers_", [None]),
    ],
)
def test_a_model_that_is_damaged_in_part_is_told(tmp_path: Path, step: int, name: str, value: object) -> None:
    table = written(tmp_path / "t", a=[1.0, 2.0, 3.0], target=["x", "y", "y"])
    model = read_model(trained(table, tmp_path / "model"))
    setattr(model[step], name, value)
    write_model(model, tmp_path / "damaged")
    said = refusal(evaluate_model.main, "--model", tmp_path / "damaged", "--table", table)
    is_used = name in {"intercept_", "coef_"}
    expected = f"the model cannot be asked about {table}: " if is_used else f"{tmp_path / 'damaged'} is no model that "
    assert said.startswith(expected)


def test_cells_that_are_lists_are_told(tmp_path: Path) -> None:
    table = tmp_path / "t"
    pd.DataFrame({"a": [[1], [2]], "target": ["x", "y"]}).to_parquet(table)
    said = refusal(train_model.main, "--table", table, "--model", tmp_path / "model")
    assert said.startswith(f"train-model: logistic_regression cannot learn from {table}: ")


def test_rows_of_one_class_alone_have_no_curve(tmp_path: Path) -> None:
    model = trained(written(tmp_path / "learned", a=[1.0, 2.0, 3.0], target=["x", "y", "y"]), tmp_path / "model")
    table = written(tmp_path / "t", a=[3.0, 4.0], target=["y", "y"])
    assert metrics_of(model, table, tmp_path).keys() == {"accuracy", "f1"}


def test_what_has_no_finite_measure_is_told(tmp_path: Path) -> None:
    learned = written(tmp_path / "learned", a=[1.0, 2.0, 3.0], target=[2.0, 4.0, 6.0])
    model = trained(learned, tmp_path / "model", "--algorithm", "ridge")
    table = written(tmp_path / "t", a=[1.0, 2.0], target=[1e300, -1e300])
    with np.errstate(all="ignore"):
        said = refusal(evaluate_model.main, "--model", model, "--table", table)
    assert said == f"the r2 of column 'target' of {table} is nan, which is no finite number"


def test_a_single_number_is_too_few_to_evaluate_on(tmp_path: Path) -> None:
    learned = written(tmp_path / "learned", a=[1.0, 2.0, 3.0], target=[2.0, 4.0, 6.0])
    model = trained(learned, tmp_path / "model", "--algorithm", "ridge")
    said = refusal(evaluate_model.main, "--model", model, "--table", written(tmp_path / "t", a=[1.0], target=[2.0]))
    assert said == "a single row does not show how well numbers are predicted: evaluate on more"


def test_a_table_may_be_parquet(tmp_path: Path) -> None:
    train, test = split(tmp_path, "sklearn:iris")
    pd.read_csv(train).to_parquet(tmp_path / "parquet")
    assert trained(tmp_path / "parquet", tmp_path / "a").read_bytes() == trained(train, tmp_path / "b").read_bytes()
    assert metrics_of(tmp_path / "a", test, tmp_path)
