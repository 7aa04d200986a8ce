"""Tables and models of the training components, made by their own programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from kubeflow_demo_components.programs import load_table, split_table, train_model
from kubeflow_demo_components.table import write_table


def split(folder: Path, source: str) -> tuple[Path, Path]:
    """Rows to learn from and rows to test with, of a table that scikit-learn ships."""
    table, train, test = (folder / name for name in ("table", "train", "test"))
    load_table.main(["--source", source, "--table", str(table)])
    parts = ["--train", str(train), "--test", str(test)]
    split_table.main(["--table", str(table), "--seed", "7", *parts])
    return train, test


def trained(table: Path, model: Path, *options: str) -> Path:
    """The model that train-model makes of the table, with these options."""
    train_model.main(["--table", str(table), "--model", str(model), *options])
    return model


def written(path: Path, **columns: Sequence[object]) -> Path:
    """A table of these columns."""
    write_table(pd.DataFrame({name: list(values) for name, values in columns.items()}), path)
    return path
