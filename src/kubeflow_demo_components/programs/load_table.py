"""load-table: a table from a web server, from S3, from a path, or one that scikit-learn ships."""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kubeflow_demo_components.command_line import parse_options
from kubeflow_demo_components.executor import ExecutorInput
from kubeflow_demo_components.table import NoTable, column_names, parse_table, write_table
from kubeflow_demo_components.training.table_source import Limits, NoSource, fetch, format_of, shown

_SHIPPED = "sklearn:"
_SHIPPED_NAMES = ("breast_cancer", "diabetes", "iris", "wine")
_MEGABYTE = 1_000_000
_MOST = 1_000_000
"""Of megabytes, and of seconds: a timer has its bounds."""


def build_parser() -> argparse.ArgumentParser:
    """The options of the program."""
    parser = argparse.ArgumentParser(prog="load-table", description="Load a table, CSV or Parquet, and check it.")
    shipped = ", ".join(f"{_SHIPPED}{name}" for name in _SHIPPED_NAMES)
    parser.add_argument(
        "--source", required=True, help=f"http://…, https://…, s3://bucket/key, a path in the container, or {shipped}"
    )
    parser.add_argument(
        "--format", choices=("", "csv", "parquet"), default="", help="csv or parquet (default: by the source's suffix)"
    )
    parser.add_argument(
        "--max_megabytes", type=_limit, default=1000, metavar="N", help="the most it may have (default: 1000)"
    )
    parser.add_argument("--timeout", type=_limit, default=600, metavar="SECONDS", help="the longest it may take")
    parser.add_argument("--table", type=Path, required=True, metavar="FILE", help="where to write the table, as CSV")
    parser.add_argument("--executor-input", type=ExecutorInput.parse, metavar="JSON", help="given by kfp")
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program."""
    options = parse_options(build_parser(), argv)
    limits = Limits(options.max_megabytes * _MEGABYTE, options.timeout)
    try:
        if options.source.startswith(_SHIPPED):
            frame, origin = _shipped(options.source.removeprefix(_SHIPPED))
        else:
            frame, origin = _loaded(options.source, options.format, limits)
    except (NoSource, NoTable) as error:
        sys.exit(f"load-table: {' '.join(str(error).split())}")
    if frame.empty:
        sys.exit(f"load-table: {shown(options.source)} has no rows")
    write_table(frame, options.table)
    if options.executor_input:
        about = {"source": shown(options.source), **origin, "rows": len(frame), "columns": column_names(frame)}
        options.executor_input.write_output(table=about)
    print(f"{len(frame)} rows and {len(frame.columns)} columns in {options.table}")  # noqa: T201 - a program prints its result


def _loaded(source: str, told: str, limits: Limits) -> tuple[Any, dict[str, Any]]:
    """The table, and which file it was."""
    kind = format_of(source, told)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "table")
        fetch(source, file, limits)
        with file.open("rb") as opened:
            sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
        # The table is handed on as CSV, which has no types: what is CSV needs none.
        is_parquet = kind == "parquet"
        frame = parse_table(file, name=shown(source), is_parquet=is_parquet, texts=None, most=limits.size)
        return frame, {"sha256": sha256}


def _shipped(name: str) -> tuple[Any, dict[str, Any]]:
    """A table that scikit-learn has with it, its column `target` by the names of the classes."""
    if name not in _SHIPPED_NAMES:
        raise NoSource(f"scikit-learn ships no table {name!r} that is known here; there is {', '.join(_SHIPPED_NAMES)}")
    import sklearn.datasets  # noqa: PLC0415 - only where such a table is asked for

    data = getattr(sklearn.datasets, f"load_{name}")(as_frame=True)
    frame = data.frame
    if "target_names" in data:
        frame["target"] = data.target_names[frame["target"]]
    return frame, {"scikit_learn": sklearn.__version__}


def _limit(text: str) -> int:
    number = int(text)
    if not 1 <= number <= _MOST:
        raise argparse.ArgumentTypeError(f"{number} is not from 1 to {_MOST}")
    return number
