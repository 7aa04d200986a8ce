"""describe-table: what is in one column of a table, as metrics."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path

from kubeflow_demo_components.command_line import parse_options
from kubeflow_demo_components.executor import ExecutorInput, output_file, write_parameter
from kubeflow_demo_components.table import read_table


def build_parser() -> argparse.ArgumentParser:
    """The options of the program."""
    parser = argparse.ArgumentParser(prog="describe-table", description="Count and measure one column of a table.")
    parser.add_argument("--table", type=Path, required=True, metavar="FILE", help="the table to read, as CSV")
    parser.add_argument("--column", default="value", help="the column to measure (default: value)")
    parser.add_argument("--metrics", type=Path, metavar="FILE", help="where to write the metrics, as JSON")
    parser.add_argument("--mean", type=Path, metavar="FILE", help="where to write the mean alone")
    parser.add_argument("--executor-input", type=ExecutorInput.parse, metavar="JSON", help="given by kfp")
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program."""
    options = parse_options(build_parser(), argv)
    values = read_table(options.table, number=options.column)[options.column].dropna()
    if values.empty:
        sys.exit(f"describe-table: {options.table} has no value in column {options.column!r}")
    metrics = {
        "rows": len(values),
        "mean": float(values.mean()),
        "minimum": float(values.min()),
        "maximum": float(values.max()),
    }
    for name, value in metrics.items():
        if not math.isfinite(value):
            where = f"column {options.column!r} of {options.table}"
            sys.exit(f"describe-table: the {name} of {where} is {value}, which is no finite number")
    text = json.dumps(metrics, allow_nan=False)
    print(text)  # noqa: T201 - a program prints its result
    if options.metrics:
        output_file(options.metrics).write_text(text, encoding="utf-8")
    if options.mean:
        write_parameter(options.mean, metrics["mean"])
    if options.executor_input:
        # Metrics are shown from the artifact's metadata, not from its file.
        options.executor_input.write_output(metrics=metrics)
