"""scale-table: a table with one column multiplied."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path

from kubeflow_demo_components.command_line import parse_options
from kubeflow_demo_components.executor import ExecutorInput
from kubeflow_demo_components.table import read_table, write_table


def build_parser() -> argparse.ArgumentParser:
    """The options of the program."""
    parser = argparse.ArgumentParser(prog="scale-table", description="Multiply one column of a table by a factor.")
    parser.add_argument("--table", type=Path, required=True, metavar="FILE", help="the table to read, as CSV")
    parser.add_argument("--factor", type=_finite, required=True, help="what to multiply by")
    parser.add_argument("--column", default="value", help="the column to multiply (default: value)")
    parser.add_argument("--scaled", type=Path, required=True, metavar="FILE", help="where to write the table, as CSV")
    parser.add_argument("--executor-input", type=ExecutorInput.parse, metavar="JSON", help="given by kfp")
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program."""
    options = parse_options(build_parser(), argv)
    frame = read_table(options.table, number=options.column)
    values = frame[options.column]
    frame[options.column] = values * options.factor
    is_infinite = frame[options.column].isin([math.inf, -math.inf])
    if is_infinite.any():
        row = int(is_infinite.argmax())
        where = f"column {options.column!r} of {options.table} has {values[row]} in row {row + 1}"
        sys.exit(
            f"scale-table: {where}, which times {options.factor} is {frame[options.column][row]}, no finite number"
        )
    write_table(frame, options.scaled)
    if options.executor_input:
        options.executor_input.write_output(scaled={"rows": len(frame), "factor": options.factor})
    print(f"{len(frame)} rows in {options.scaled}")  # noqa: T201 - a program prints its result


def _finite(text: str) -> float:
    factor = float(text)
    if not math.isfinite(factor):
        raise argparse.ArgumentTypeError(f"{factor} is no finite number")
    return factor
