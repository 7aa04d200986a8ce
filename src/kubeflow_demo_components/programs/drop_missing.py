"""drop-missing: a table without the rows that lack a value."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from kubeflow_demo_components.command_line import parse_options
from kubeflow_demo_components.executor import ExecutorInput, output_file, write_parameter
from kubeflow_demo_components.table import read_csv


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
    frame = read_csv(options.table)
    columns = [column.strip() for column in options.columns.split(",") if column.strip()]
    if unknown := [column for column in columns if column not in frame.columns]:
        sys.exit(f"{options.table} has no column {unknown[0]!r}; it has {', '.join(map(repr, frame.columns))}")
    complete = frame.dropna(subset=columns or None)
    dropped = len(frame) - len(complete)
    complete.to_csv(output_file(options.complete), index=False, lineterminator="\n")
    write_parameter(options.dropped, dropped)
    if options.executor_input:
        options.executor_input.write_output(complete={"rows": len(complete)})
    print(f"{dropped} of {len(frame)} rows dropped")  # noqa: T201 - a program prints its result
