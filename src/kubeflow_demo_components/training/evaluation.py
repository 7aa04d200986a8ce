"""What a model is worth: what it says of a table's rows, held against what they are."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any, NamedTuple

from kubeflow_demo_components.table import read_table, require_column, require_numbers
from kubeflow_demo_components.training.model_file import read_model

_MOST_NAMES = 10
"""Of classes in a message."""


class Evaluation(NamedTuple):
    """A model, the rows that it was held against, and what came of it."""

    model: Any
    features: Any
    """The columns that the model predicts from, as a pandas frame."""
    actual: Any
    predicted: Any
    classes: tuple[Any, ...]
    """What the model tells apart; empty where it predicts numbers."""
    likelihoods: Any
    """Of each class by row; None where the model predicts numbers."""
    metrics: dict[str, float]

    @property
    def score(self) -> float:
        """The first of the metrics."""
        return next(iter(self.metrics.values()))


def evaluate(model_path: Path, table_path: Path, target: str) -> Evaluation:
    """Hold the model against the table's column `target`. Ends the program with a message where they do not fit."""
    model = read_model(model_path)
    names, texts, classes = _learned(model, model_path)
    is_text = any(isinstance(name, str) for name in classes)
    frame = read_table(table_path, texts=[*texts, *([target] if is_text else [])])
    require_column(frame, target, table_path)
    if frame.empty or frame[target].isna().any():
        sys.exit(f"column {target!r} of {table_path} is empty, or has empty rows")
    for name in names:
        require_column(frame, name, table_path)
    features, actual = frame[names], frame[target]
    if not classes:
        require_numbers(frame, target, table_path)
    elif unknown := [value for value in actual.unique().tolist() if value not in classes]:
        known = ", ".join(map(repr, classes[:_MOST_NAMES])) + (", …" if len(classes) > _MOST_NAMES else "")
        sys.exit(f"column {target!r} of {table_path} holds {unknown[0]!r}, and the model knows {known}")
    try:
        predicted = model.predict(features)
        likelihoods = model.predict_proba(features) if classes else None
        measured = _of_classes(actual, predicted, classes, likelihoods) if classes else _of_numbers(actual, predicted)
    except Exception as error:  # noqa: BLE001 - of a model that is damaged in part, whatever its steps raise
        sys.exit(f"the model cannot be asked about {table_path}: {_one_line(error)}")
    for name, value in measured.items():
        if not math.isfinite(value):
            sys.exit(f"the {name} of column {target!r} of {table_path} is {value}, which is no finite number")
    return Evaluation(model, features, actual, predicted, classes, likelihoods, measured)


def _learned(model: Any, path: Path) -> tuple[list[str], list[str], tuple[Any, ...]]:
    """The columns that the model predicts from, those of them that it knows as texts, and its classes, if any.

    Of a text that is rare, a part of a table may have none: what is left can look like numbers.
    """
    try:
        texts = [
            name
            for _, step, names in getattr(model[0], "transformers_", ())
            for name, known in zip(names, getattr(step, "categories_", ()), strict=False)
            if any(isinstance(value, str) for value in known)
        ]
        classes = tuple(model.classes_.tolist()) if hasattr(model, "classes_") else ()
        return list(model.feature_names_in_), texts, classes
    except Exception as error:  # noqa: BLE001 - as above
        sys.exit(f"{path} is no model that train-model wrote: {_one_line(error)}")


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _of_classes(actual: Any, predicted: Any, classes: tuple[Any, ...], likelihoods: Any) -> dict[str, float]:
    from sklearn.metrics import accuracy_score, f1_score, roc_auc_score  # noqa: PLC0415 - only the image has it

    metrics = {
        "accuracy": accuracy_score(actual, predicted),
        "f1": f1_score(actual, predicted, average="macro", labels=classes, zero_division=0),
    }
    if actual.nunique() == len(classes):  # without a row of each class there is no curve
        binary = 2
        scores = likelihoods[:, 1] if len(classes) == binary else likelihoods
        metrics["roc_auc"] = roc_auc_score(actual, scores, multi_class="ovr", labels=classes)
    return {name: float(value) for name, value in metrics.items()}


def _of_numbers(actual: Any, predicted: Any) -> dict[str, float]:
    from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error  # noqa: PLC0415 - see above

    if len(actual) == 1:
        sys.exit("a single row does not show how well numbers are predicted: evaluate on more")
    metrics = {
        "r2": r2_score(actual, predicted),
        "mean_absolute_error": mean_absolute_error(actual, predicted),
        "root_mean_squared_error": root_mean_squared_error(actual, predicted),
    }
    return {name: float(value) for name, value in metrics.items()}
