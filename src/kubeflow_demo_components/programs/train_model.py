"""train-model: a scikit-learn model that predicts one column of a table from the others."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kubeflow_demo_components.command_line import parse_options
from kubeflow_demo_components.executor import ExecutorInput
from kubeflow_demo_components.table import column_names, read_table, require_column, require_numbers
from kubeflow_demo_components.training.model_file import write_model

_ALGORITHMS = ("logistic_regression", "random_forest", "ridge")
_OF_NUMBERS = "ridge"
"""What predicts numbers; the others predict classes."""


def build_parser() -> argparse.ArgumentParser:
    """The options of the program."""
    parser = argparse.ArgumentParser(
        prog="train-model", description="Train a model that predicts one column of a table from the others."
    )
    parser.add_argument("--table", type=Path, required=True, metavar="FILE", help="the table to learn from")
    parser.add_argument("--target", default="target", metavar="COLUMN", help="what to predict (default: target)")
    parser.add_argument(
        "--algorithm",
        choices=_ALGORITHMS,
        default=_ALGORITHMS[0],
        help="logistic_regression (the default) and random_forest predict classes, ridge predicts numbers",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the algorithm's chance (default: 0)")
    parser.add_argument("--model", type=Path, required=True, metavar="FILE", help="where to write it, as skops does")
    parser.add_argument("--executor-input", type=ExecutorInput.parse, metavar="JSON", help="given by kfp")
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program."""
    options = parse_options(build_parser(), argv)
    frame = read_table(options.table)
    require_column(frame, options.target, options.table)
    if options.algorithm == _OF_NUMBERS:
        require_numbers(frame, options.target, options.table)
    features, target = frame.drop(columns=options.target), frame[options.target]
    if missing := int(target.isna().sum()):
        sys.exit(f"train-model: column {options.target!r} of {options.table} is empty in {missing} rows")
    if features.columns.empty:
        sys.exit(f"train-model: {options.table} has no column beside {options.target!r} to predict it from")
    model = build_model(options.algorithm, features, seed=options.seed)
    try:
        model.fit(features, target)
    except (ValueError, TypeError) as error:
        sys.exit(f"train-model: {options.algorithm} cannot learn from {options.table}: {' '.join(str(error).split())}")
    write_model(model, options.model)
    import sklearn  # noqa: PLC0415 - the parser is read where it is not installed

    if options.executor_input:
        about = {
            "algorithm": options.algorithm,
            "features": column_names(features),
            "format": "skops",
            "rows": len(frame),
            "scikit_learn": sklearn.__version__,
            "seed": options.seed,
            "target": options.target,
        }
        options.executor_input.write_output(model=about)
    print(f"{options.algorithm} of {len(frame)} rows and {len(features.columns)} columns in {options.model}")  # noqa: T201 - a program prints its result


def build_model(algorithm: str, features: Any, *, seed: int) -> Any:
    """The pipeline before it has learned: numbers are scaled, texts become a column for each value."""
    from pandas.api.types import is_numeric_dtype  # noqa: PLC0415 - the parser is read where it is not installed
    from sklearn.compose import make_column_transformer  # noqa: PLC0415 - likewise
    from sklearn.ensemble import RandomForestClassifier  # noqa: PLC0415 - likewise
    from sklearn.impute import SimpleImputer  # noqa: PLC0415 - likewise
    from sklearn.linear_model import LogisticRegression, Ridge  # noqa: PLC0415 - likewise
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415 - likewise
    from sklearn.preprocessing import OneHotEncoder, StandardScaler  # noqa: PLC0415 - likewise

    numbers = [name for name in features.columns if is_numeric_dtype(features[name])]
    texts = [name for name in features.columns if name not in numbers]
    prepared = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore"), texts),
    )
    estimators = {
        "logistic_regression": LogisticRegression(max_iter=1000, random_state=seed),
        "random_forest": RandomForestClassifier(random_state=seed),
        "ridge": Ridge(random_state=seed),
    }
    return make_pipeline(prepared, estimators[algorithm])
