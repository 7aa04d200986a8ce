"""Files in a package that this tool writes, told from those that a person wrote by how they begin."""

from __future__ import annotations

from typing import Final

WRITTEN: Final = b"# Written by kfp-release"
"""How such a file begins."""


def is_replaceable(found: bytes | None) -> bool:
    """Whether a new file may take the place of `found`: there is none, it is empty, or no person wrote it."""
    return not found or found.startswith(WRITTEN)


def package_path(package: str, name: str) -> str:
    """The path of the file `name` of `package`, as a wheel has it."""
    return f"{package.replace('.', '/')}/{name}"
