"""What every package of components is given when it is built: its operators, and the listing of what is installed.

The other modules here are copied into the package as they are, so they import each other relatively, and besides
Python's library kfp and PyYAML alone. `operators` and `__main__` are the package's own from then on; what they need is
in its subpackage `_operators`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from kfp_release.written import WRITTEN

_HEADER = WRITTEN + b" into every package of components: no source, and written anew.\n"


@cache
def package_files() -> dict[str, bytes]:
    """The files by their paths below the package, each beginning with the line that tells them from a person's."""
    folder = Path(__file__).parent
    paths = sorted(path for path in folder.rglob("*.py") if path != Path(__file__))
    return {path.relative_to(folder).as_posix(): _HEADER + path.read_bytes() for path in paths}
