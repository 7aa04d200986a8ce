"""drop-missing: a table without the rows that lack a value."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from kubeflow_demo_components.command_line import parse_options
from kubeflow_demo_components.executor import ExecutorInput, write_parameter
from kubeflow_demo_components.table import read_table, require_column, write_table


def build_parser() -> argparse.ArgumentParser:
    """The options of the program."""
    parser = argparse.ArgumentParser(prog="drop-missing", description="Drop the rows of a table that lack a value.")
    parser.add_argument("--table", type=Path, required=True, metavar="FILE", help="the table to read, as CSV")
    parser.add_argument("--columns", default="", metavar="A,B", help="those that need a value (default: all)")
    parser.add_argument("--complete", type=Path, required=True, metavar="FILE", help="where to write the table, as CSV")
    parser.add_argument("--dropped", type=Path, required=True, metavar="FILE", help="where to write how many rows went")
    parser.add_argument("--executor-input", type=ExecutorInput.parse, metavar="JSON", help="given by kfp")
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program."""
    options = parse_options(build_parser(), argv)
    frame = read_table(options.table)
    columns = [column.strip() for column in options.columns.split(",") if column.strip()]
    for column in columns:
        require_column(frame, column, options.table)
    complete = frame.dropna(subset=columns or None)
    dropped = len(frame) - len(complete)
    write_table(complete, options.complete)
    write_parameter(options.dropped, dropped)
    if options.executor_input:
        options.executor_input.write_output(complete={"rows": len(complete)})
    print(f"{dropped} of {len(frame)} rows dropped")  # noqa: T201 - a program prints its result
