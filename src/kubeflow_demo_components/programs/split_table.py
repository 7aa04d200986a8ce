"""split-table: one part of a table's rows to learn from, the other to test what was learned."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from kubeflow_demo_components.command_line import parse_options
from kubeflow_demo_components.executor import ExecutorInput
from kubeflow_demo_components.table import read_table, require_column, write_table


def build_parser() -> argparse.ArgumentParser:
    """The options of the program."""
    parser = argparse.ArgumentParser(
        prog="split-table", description="Split a table's rows at random, the same for the same seed."
    )
    parser.add_argument("--table", type=Path, required=True, metavar="FILE", help="the table to split, CSV or Parquet")
    parser.add_argument(
        "--test_fraction", type=_fraction, default=0.25, metavar="X", help="of the rows, to test with (default: 0.25)"
    )
    parser.add_argument("--seed", type=_seed, default=0, help="another seed splits otherwise (default: 0)")
    parser.add_argument(
        "--stratify", default="", metavar="COLUMN", help="the column whose values both parts have in the same shares"
    )
    parser.add_argument("--train", type=Path, required=True, metavar="FILE", help="where to write the first part")
    parser.add_argument("--test", type=Path, required=True, metavar="FILE", help="where to write the second part")
    parser.add_argument("--executor-input", type=ExecutorInput.parse, metavar="JSON", help="given by kfp")
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program."""
    options = parse_options(build_parser(), argv)
    frame = read_table(options.table, texts=None)  # what a part has is what the table had
    if options.stratify:
        require_column(frame, options.stratify, options.table)
    from sklearn.model_selection import train_test_split  # noqa: PLC0415 - the parser is read where it is not installed

    by = frame[options.stratify] if options.stratify else None
    try:
        parts = train_test_split(frame, test_size=options.test_fraction, random_state=options.seed, stratify=by)
    except ValueError as error:
        sys.exit(f"split-table: {options.table} cannot be split so: {' '.join(str(error).split())}")
    # In the order that they had.
    train, test = (part.sort_index() for part in parts)
    write_table(train, options.train)
    write_table(test, options.test)
    if options.executor_input:
        options.executor_input.write_output(train={"rows": len(train)}, test={"rows": len(test)})
    print(f"{len(train)} rows in {options.train}, {len(test)} in {options.test}")  # noqa: T201 - a program prints its result


def _fraction(text: str) -> float:
    fraction = float(text)
    if not 0 < fraction < 1:
        raise argparse.ArgumentTypeError(f"{fraction} is not between 0 and 1")
    return fraction


def _seed(text: str) -> int:
    seed = int(text)
    if not 0 <= seed < 1 << 32:
        raise argparse.ArgumentTypeError(f"{seed} is not from 0 to {(1 << 32) - 1}, as numpy wants it")
    return seed
