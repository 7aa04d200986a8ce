"""How code of the project is run in a process of its own: where its packages are, and in what environment."""

from __future__ import annotations

import os
from pathlib import Path

from kfp_release.toml_table import TomlFile

_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")


def source_folder(pyproject: TomlFile, project: Path) -> Path:
    """Where the packages of `project` are: setuptools' package-dir, or src where it is there."""
    table = pyproject.table("tool", "setuptools", "package-dir")
    declared = table.value.get("") if table else None
    if isinstance(declared, str):
        return project / declared
    return project / "src" if (project / "src").is_dir() else project


def child_environment(source: Path) -> dict[str, str]:
    """For a child that imports from the folder `source`, and from where this package is: no credentials, no bytecode.

    What it makes of sets does not change from run to run.
    """
    path = os.pathsep.join([str(source.resolve()), str(Path(__file__).resolve().parents[1])])
    return {
        **{name: os.environ[name] for name in _KEPT if name in os.environ},
        "PYTHONPATH": path,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
        "PYTHONHASHSEED": "0",
    }
