"""The operators in a checkout, for programs, type checkers and editors that read the package there.

They are what a wheel has, but for the component files, which stay where they are. They are no part of the sources:
git is to ignore them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kfp_release.component_folder import component_files
from kfp_release.config import Config
from kfp_release.errors import Problem, Problems, ReleaseError
from kfp_release.git_command import GitFailed, run_git
from kfp_release.package_files import package_files
from kfp_release.package_files._operators.catalog import CHECKOUT
from kfp_release.plain_file import read_plain
from kfp_release.stub import Operator, mark_path, module_path, needs_stub, stub_path, stub_text
from kfp_release.written import OPERATORS_FOLDER, is_replaceable, package_path, require_free

_SOURCES = ("src", ".")
"""Where setuptools finds packages unless it is told otherwise."""
_NOT_IGNORED = 1
"""The exit code. git-check-ignore(1)."""


@dataclass(frozen=True, slots=True)
class CheckoutOperators:
    """What is there, and what should be."""

    project: Path
    package: str
    """The package's folder, relative to the project."""
    stub: str
    """The types' file, likewise."""
    operators: tuple[Operator, ...]
    """What the component files give."""
    files: Mapping[str, bytes]
    """What there should be, by path, likewise."""

    @classmethod
    def read(cls, project: Path, config: Config) -> CheckoutOperators:
        """Raise `ReleaseError` where there is no such package, `Problems` for bad component files."""
        problems: list[Problem] = []
        operators = tuple(Operator.of(file) for file in component_files(project, config.components, problems))
        if problems:
            raise Problems(problems)
        return cls.of(project, config, operators)

    @classmethod
    def of(cls, project: Path, config: Config, operators: Sequence[Operator]) -> CheckoutOperators:
        """Of operators that are read already.

        Raise `ReleaseError` where no package is there, or one with its own; `NotFree` where a part is a person's.
        """
        folder = package_path(config.package, "").rstrip("/")
        source = next((source for source in _SOURCES if (project / source / folder).is_dir()), None)
        if source is None:
            raise ReleaseError(
                f"there is no package {folder} in src/ or {project.resolve()}",
                remedy="'package' in [tool.kfp-release] names it, as it is imported",
            )
        own = _found(project / source / module_path(config.package))
        if not is_replaceable(own) and not needs_stub(own or b""):
            raise ReleaseError(
                f"{os.path.normpath(f'{source}/{module_path(config.package)}')} is one that a person wrote, and makes "
                "no operators when they are asked for, with `def __getattr__`",
                remedy="remove it to have operators of the component files, or leave it as it is: it needs no types",
            )
        package = os.path.normpath(f"{source}/{folder}")
        stub = stub_text(operators, has_load=is_replaceable(own)).encode()
        files = {os.path.normpath(f"{source}/{stub_path(config.package)}"): stub}
        files[os.path.normpath(f"{source}/{mark_path(config.package)}")] = b""
        if is_replaceable(own):
            require_free(package, _modules_below(project, package))
            files |= {f"{package}/{name}": data for name, data in package_files().items()}
            told = {"distribution": config.distribution, "components": os.path.relpath(config.components, package)}
            files[f"{package}/{CHECKOUT}"] = f"{json.dumps(told)}\n".encode()
        return cls(project, package, next(iter(files)), tuple(operators), files)

    @property
    def told(self) -> tuple[Operator, ...]:
        """Those of them that the types tell of."""
        return tuple(operator for operator in self.operators if operator.is_callable)

    @property
    def left_out(self) -> tuple[Operator, ...]:
        """The others."""
        return tuple(operator for operator in self.operators if not operator.is_callable)

    @property
    def is_stale(self) -> bool:
        """Whether there are types of other component files, that may be written anew."""
        found = _found(self.project / self.stub)
        return found is not None and is_replaceable(found) and found != self.files[self.stub]

    @property
    def seen_by_git(self) -> tuple[str, ...]:
        """What git does not ignore of it, each as a line of .gitignore; nothing where there is no git."""
        paths = {self._ignorable(path): path for path in self.files}
        return tuple(line for line, path in sorted(paths.items()) if not self._is_ignored(path))

    def write(self) -> bool:
        """Write what is missing or another; whether that changed anything. What a person wrote is left alone.

        Raise `ReleaseError` where a person wrote the types.
        """
        if not is_replaceable(_found(self.project / self.stub)):
            raise ReleaseError(
                f"{self.stub} was not written by kfp-release, and stays as it is",
                remedy="remove it, and run this again, to have types of the component files",
            )
        changed = [path for path, data in self.files.items() if self._is_to_be_written(path, data)]
        for path in changed:
            (self.project / path).parent.mkdir(exist_ok=True)
            (self.project / path).write_bytes(self.files[path])
        return bool(changed)

    def _is_to_be_written(self, path: str, data: bytes) -> bool:
        found = _found(self.project / path)
        if path.endswith(CHECKOUT) or found is None:
            return found != data
        return bool(data) and is_replaceable(found) and found != data

    def _ignorable(self, path: str) -> str:
        below = path.removeprefix(f"{self.package}/")
        folder, slash, _ = below.partition("/")
        return f"/{self.package}/{folder}{slash}"

    def _is_ignored(self, path: str) -> bool:
        try:
            # It takes names, and no pathspecs, which are what run_git has taken literally.
            run_git(self.project, ["--no-literal-pathspecs", "check-ignore", "--quiet", "--no-index", "--", path])
        except GitFailed as error:
            return error.status != _NOT_IGNORED
        return True


def _found(path: Path) -> bytes | None:
    return read_plain(path) if path.is_file() else None


def _modules_below(project: Path, package: str) -> dict[str, bytes]:
    """What may be a person's among the operators of `package`, its folder, by path."""
    place = project / package / OPERATORS_FOLDER
    paths = (place, place.with_suffix(".py"), *place.rglob("*.py"))
    return {path.relative_to(project).as_posix(): data for path in paths if (data := _found(path)) is not None}
