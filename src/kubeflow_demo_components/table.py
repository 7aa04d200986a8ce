"""Tables as the programs hand them on: CSV with a header."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any


def read_table(path: Path, *, number: str) -> Any:
    """The table at `path` as a pandas frame, its column `number` numeric.

    Ends the program with a message where the file is no such table.
    """
    import pandas as pd  # noqa: PLC0415 - the programs' parsers are read where pandas is not installed

    frame = read_csv(path)
    if number not in frame.columns:
        sys.exit(f"{path} has no column {number!r}; it has {', '.join(map(repr, frame.columns))}")
    if not pd.api.types.is_numeric_dtype(frame[number]):
        sys.exit(f"column {number!r} of {path} holds {frame[number].dtype}, not numbers")
    return frame


def read_csv(path: Path) -> Any:
    """The table at `path` as a pandas frame. Ends the program with a message where it cannot be read."""
    import pandas as pd  # noqa: PLC0415 - see above

    try:
        return pd.read_csv(path)
    except (OSError, ValueError) as error:
        sys.exit(f"{path} cannot be read as CSV: {error}")
