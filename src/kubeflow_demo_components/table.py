"""Tables as the programs hand them on: CSV with a header. What they read may be Parquet, too."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from kubeflow_demo_components.executor import output_file

_PARQUET = b"PAR1"
"""How such a file begins. An artifact's path has no suffix to tell it by."""


_CELL = 8
"""The bytes of a number, or of where a text is. In a file of a few kilobytes there can be millions of the same."""


_MOST_SHOWN, _MOST_NAMED = 10, 100
"""Columns in a message, and in metadata."""


class NoTable(ValueError):
    """A file that is none, or none of the kind that was expected."""


def parse_table(
    path: Path, *, name: str, is_parquet: bool, texts: Sequence[str] | None = (), most: int | None = None
) -> Any:
    """The table at `path`, which messages call `name`, as a pandas frame. Raise `NoTable` where the file is none.

    CSV has no types, so they are guessed: but for the columns `texts`, which stay what they are. With None each
    cell stays what it is, those that say that they are empty, too. Parquet may take `most` bytes where it is unpacked.
    """
    try:
        return _read_parquet(path, most) if is_parquet else _read_csv(path, texts)
    except ImportError as error:
        raise NoTable(f"{name} is Parquet, and there is no pyarrow in this image to read it with") from error
    except (OSError, ValueError) as error:
        kind = "Parquet" if is_parquet else "CSV"
        raise NoTable(f"{name} cannot be read as {kind}: {error}") from error


def _read_parquet(path: Path, most: int | None) -> Any:
    """The table, with each index that has a name as a column: that is what pandas made an index of."""
    import pandas as pd  # noqa: PLC0415 - the programs' parsers are read where pandas is not installed

    parquet = import_module("pyarrow.parquet")  # by its name, since not every image has it
    with parquet.ParquetFile(path) as file:
        _require_distinct(file.schema_arrow.names)
        rows, columns = file.metadata.num_rows, file.metadata.num_columns
        if most is not None and rows * columns * _CELL > most:
            raise ValueError(
                f"its {rows:,} rows of {columns:,} columns take more than {most:,} bytes: see max_megabytes"
            )
    frame = pd.read_parquet(path)
    named = [name for name in frame.index.names if name is not None]
    return frame.reset_index(level=named).reset_index(drop=True)


def _read_csv(path: Path, texts: Sequence[str] | None) -> Any:
    import pandas as pd  # noqa: PLC0415 - see above

    _require_text(path)
    header = pd.read_csv(path, header=None, nrows=1, dtype=str, keep_default_na=False).iloc[0].tolist()
    _require_distinct([name for name in header if name])
    kinds: Any = str if texts is None else dict.fromkeys(texts, str)
    with warnings.catch_warnings():
        # Of fields without a column, but for one at each row's end that is always empty: a comma too many.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            return pd.read_csv(path, index_col=False, low_memory=False, dtype=kinds, keep_default_na=texts is not None)
        except pd.errors.ParserWarning as error:
            raise ValueError(f"a row has more fields than the header, which has {len(header)}") from error


def _require_distinct(names: Sequence[str]) -> None:
    """Raise `ValueError` for a name that is there twice: pandas would give the second column another name."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"it has more than one column {name!r}")
        seen.add(name)


def _require_text(path: Path) -> None:
    """Raise `ValueError` for a page of HTML, say, which pandas would take for a table of one column."""
    with path.open("rb") as file:
        start = file.read(512).lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<") or b"\0" in start:
        raise ValueError(f"it begins with {start[:20]!r}")


def read_table(path: Path, *, number: str = "", texts: Sequence[str] | None = ()) -> Any:
    """The table at `path` as a pandas frame; its column `number`, if one is named, is numeric.

    `texts` are the columns whose cells stay what they are; with None all do. See `parse_table`.

    Ends the program with a message where the file is no such table.
    """
    try:
        with path.open("rb") as file:
            is_parquet = file.read(len(_PARQUET)) == _PARQUET
        frame = parse_table(path, name=str(path), is_parquet=is_parquet, texts=texts)
    except OSError as error:
        sys.exit(f"{path} cannot be read as CSV: {error}")
    except NoTable as error:
        sys.exit(str(error))
    if number:
        require_numbers(frame, number, path)
    return frame


def require_column(frame: Any, column: str, path: Path) -> None:
    """End the program with a message where the table at `path` has no such column."""
    if column not in frame.columns:
        names = ", ".join(map(repr, frame.columns[:_MOST_SHOWN]))
        more = len(frame.columns) - _MOST_SHOWN
        sys.exit(f"{path} has no column {column!r}; it has {names}{f' and {more:,} more' if more > 0 else ''}")


def column_names(frame: Any) -> list[str]:
    """The names for an artifact's metadata; of many the first hundred, and how many more there are."""
    names = [str(name) for name in frame.columns[:_MOST_NAMED]]
    more = len(frame.columns) - len(names)
    return [*names, f"… and {more:,} more"] if more else names


def require_numbers(frame: Any, column: str, path: Path) -> None:
    """End the program with a message where the table at `path` has no such column, or one that is not numeric."""
    import pandas as pd  # noqa: PLC0415 - see above

    require_column(frame, column, path)
    if not pd.api.types.is_numeric_dtype(frame[column]):
        sys.exit(f"column {column!r} of {path} holds {frame[column].dtype}, not numbers")


def write_table(frame: Any, path: Path) -> None:
    """Write `frame` to `path`, whose folder is made. Numbers are written so that they are read as the same ones."""
    frame.to_csv(output_file(path), index=False, lineterminator="\n")
