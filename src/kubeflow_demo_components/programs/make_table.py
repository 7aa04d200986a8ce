"""make-table: a table to try things with."""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
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


def make_table(*, rows: int, seed: int) -> dict[str, list[int] | list[float]]:
    """Columns by name: ``id`` from 1 to `rows`, ``value`` from 0 to 100 with 3 decimals."""
    generator = random.Random(seed)  # noqa: S311 - the table is to be repeatable, not secret
    return {"id": list(range(1, rows + 1)), "value": [round(generator.uniform(0, 100), 3) for _ in range(rows)]}


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program."""
    options = parse_options(build_parser(), argv)

    import pandas as pd  # noqa: PLC0415 - the parser above is read where pandas is not installed

    frame = pd.DataFrame(make_table(rows=options.rows, seed=options.seed))
    frame.to_csv(output_file(options.table), index=False, lineterminator="\n")
    if options.executor_input:
        options.executor_input.write_output(table={"rows": options.rows, "seed": options.seed})
    print(f"{options.rows} rows in {options.table}")  # noqa: T201 - a program prints its result


def _row_count(text: str) -> int:
    rows = int(text)
    if rows < 1:
        raise argparse.ArgumentTypeError(f"a table has at least 1 row, not {rows}")
    return rows
