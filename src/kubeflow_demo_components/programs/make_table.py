"""make-table: a table to try things with."""

from __future__ import annotations

import argparse
import csv
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from kubeflow_demo_components.command_line import parse_options
from kubeflow_demo_components.executor import ExecutorInput, output_file


def build_parser() -> argparse.ArgumentParser:
    """The options of the program."""
    parser = argparse.ArgumentParser(
        prog="make-table", description="Make a table with the columns id and value, the same for the same seed."
    )
    parser.add_argument("--rows", type=_row_count, required=True, help="how many rows, at least 1")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other values (default: 0)")
    parser.add_argument("--table", type=Path, required=True, metavar="FILE", help="where to write the table, as CSV")
    parser.add_argument("--executor-input", type=ExecutorInput.parse, metavar="JSON", help="given by kfp")
    return parser


def make_rows(count: int, *, seed: int) -> Iterator[tuple[int, float]]:
    """Rows of id, from 1, and value, from 0 to 100 with 3 decimals."""
    generator = random.Random(seed)  # noqa: S311 - the table is to be repeatable, not secret
    return ((number, round(generator.uniform(0, 100), 3)) for number in range(1, count + 1))


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program."""
    options = parse_options(build_parser(), argv)
    with output_file(options.table).open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("id", "value"))
        table.writerows(make_rows(options.rows, seed=options.seed))
    if options.executor_input:
        options.executor_input.write_output(table={"rows": options.rows, "seed": options.seed})
    print(f"{options.rows} rows in {options.table}")  # noqa: T201 - a program prints its result


def _row_count(text: str) -> int:
    rows = int(text)
    if rows < 1:
        raise argparse.ArgumentTypeError(f"a table has at least 1 row, not {rows}")
    return rows
