"""Where things are kept that cost time to make again, and that nobody misses when they are gone."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """The tool's folder in the user's cache. Source: XDG base directory specification."""
    home = environ.get("XDG_CACHE_HOME", "")
    return (Path(home) if home.startswith("/") else Path.home() / ".cache") / "kfp-release"
