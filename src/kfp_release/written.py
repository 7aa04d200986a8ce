"""Files in a package that this tool writes, told from those that a person wrote by how they begin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kfp_release.errors import ReleaseError

WRITTEN: Final = b"# Written by kfp-release"
"""How such a file begins."""
OPERATORS_FOLDER: Final = "_operators"
"""What is below it in a package this tool writes alone."""


class NotFree(ReleaseError):
    """A person's file, at `path`, is in the way of those that a package of components is given."""

    def __init__(self, path: str, place: str) -> None:
        self.path = path
        self.told = f"is one that a person wrote, where kfp-release writes {place}/"
        super().__init__(f"{path} {self.told}", remedy=f"give it another name than {OPERATORS_FOLDER}")


def is_replaceable(found: bytes | None) -> bool:
    """Whether a new file may take the place of `found`: there is none, it is empty, or no person wrote it."""
    return not found or found.startswith(WRITTEN)


def package_path(package: str, name: str) -> str:
    """The path of the file `name` of `package`, as a wheel has it."""
    return f"{package.replace('.', '/')}/{name}"


def require_free(folder: str, files: Mapping[str, bytes]) -> None:
    """Raise `NotFree` where a person's file, of `files` by their paths, is where the operators of a package are to go.

    `folder` is the package's. Beside theirs it would be half a package, or a module that they hide.
    """
    place = f"{folder}/{OPERATORS_FOLDER}"
    for path, data in sorted(files.items()):
        is_module = path.endswith(".py") and path.startswith((f"{place}/", f"{place}.py"))
        if path == place or (is_module and not is_replaceable(data)):
            raise NotFree(path, place)
