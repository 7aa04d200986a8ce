"""The stub in a checkout, for type checkers and editors that read the package there, as they do after `pip install -e`.

It is made of the component files, and no part of the sources: git is to ignore it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kfp_release.component_folder import component_files
from kfp_release.config import Config
from kfp_release.errors import Problem, Problems, ReleaseError
from kfp_release.git_command import GitFailed, run_git
from kfp_release.plain_file import read_plain
from kfp_release.stub import Operator, is_replaceable, mark_path, module_path, needs_stub, stub_path, stub_text

_SOURCES = ("src", ".")
"""Where setuptools finds packages unless it is told otherwise."""

_NOT_IGNORED = 1
"""The exit code. git-check-ignore(1)."""


@dataclass(frozen=True, slots=True)
class CheckoutStub:
    """What is there, and what should be."""

    project: Path
    path: str
    """Of the stub, relative to the project."""
    mark: str
    """Of py.typed, likewise."""
    operators: tuple[Operator, ...]
    """What the component files give."""
    found: bytes | None
    """What is there."""

    @classmethod
    def read(cls, project: Path, config: Config) -> CheckoutStub:
        """Raise `ReleaseError` where the package has no module of operators, `Problems` for bad component files."""
        problems: list[Problem] = []
        operators = tuple(Operator.of(file) for file in component_files(project, config.components, problems))
        if problems:
            raise Problems(problems)
        return cls.of(project, config.package, operators)

    @classmethod
    def of(cls, project: Path, package: str, operators: Sequence[Operator]) -> CheckoutStub:
        """Of operators that are read already. Raise `ReleaseError` where the package has no module of operators."""
        module = module_path(package)
        source = next((source for source in _SOURCES if (project / source / module).is_file()), None)
        if source is None or not needs_stub(read_plain(project / source / module)):
            where = f"in src/ or {project.resolve()}"
            raise ReleaseError(
                f"there is no {module} {where} that makes operators when they are asked for, with `def __getattr__`",
                remedy="'package' in [tool.kfp-release] names the package; a module of another kind needs no stub",
            )
        path, mark = (os.path.normpath(f"{source}/{each}") for each in (stub_path(package), mark_path(package)))
        found = read_plain(project / path) if (project / path).is_file() else None
        return cls(project, path, mark, tuple(operators), found)

    @property
    def told(self) -> tuple[Operator, ...]:
        """Those of them that the stub tells of."""
        return tuple(operator for operator in self.operators if operator.is_callable)

    @property
    def left_out(self) -> tuple[Operator, ...]:
        """The others."""
        return tuple(operator for operator in self.operators if not operator.is_callable)

    @property
    def text(self) -> bytes:
        """What there should be."""
        return stub_text(self.operators).encode()

    @property
    def is_stale(self) -> bool:
        """Whether there is one, of other component files, that may be written anew."""
        return self.found is not None and is_replaceable(self.found) and self.found != self.text

    @property
    def is_ignored(self) -> bool:
        """Whether git would not see it: it ignores it, or there is no git here."""
        try:
            # It takes names, and no pathspecs, which are what run_git has taken literally.
            run_git(self.project, ["--no-literal-pathspecs", "check-ignore", "--quiet", "--no-index", "--", self.path])
        except GitFailed as error:
            return error.status != _NOT_IGNORED
        return True

    def write(self) -> bool:
        """Write it and py.typed; whether that changed anything. Raise `ReleaseError` where a person wrote one."""
        if not is_replaceable(self.found):
            raise ReleaseError(
                f"{self.path} was not written by kfp-release, and stays as it is",
                remedy="remove it, and run this again, to have types of the component files",
            )
        text, is_marked = self.text, (self.project / self.mark).is_file()
        if self.found != text:
            (self.project / self.path).write_bytes(text)
        if not is_marked:
            (self.project / self.mark).touch()
        return self.found != text or not is_marked
