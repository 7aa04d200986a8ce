"""Console scripts that a distribution declares. Source: PyPA's entry points specification."""

from __future__ import annotations

import configparser
import re
from dataclasses import dataclass

from kfp_release.errors import ReleaseError

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", re.ASCII)
_REFERENCE = re.compile(
    r"(?P<module>[^\W\d]\w*(?:\.[^\W\d]\w*)*)\s*:\s*(?P<name>[^\W\d]\w*(?:\.[^\W\d]\w*)*)(?:\s*\[.*\])?"
)


class BadEntryPoint(ReleaseError):
    """A console script that cannot be made."""


@dataclass(frozen=True, slots=True, order=True)
class ConsoleScript:
    """A program: ``multiply = "kubeflow_demo_components.programs.multiply:main"``."""

    name: str
    module: str
    function: str
    """An attribute of `module`; dots reach into objects."""

    @classmethod
    def parse(cls, name: str, reference: str) -> ConsoleScript:
        """Raise `BadEntryPoint` unless `reference` is ``module:function``, and `name` a file's plain name."""
        found = _REFERENCE.fullmatch(reference.strip())
        if not _NAME.fullmatch(name) or found is None:
            raise BadEntryPoint(
                f"the script {name[:80]!r} = {reference[:160]!r} of [project.scripts] cannot be made",
                remedy='write name = "package.module:function"',
            )
        return cls(name, found["module"], found["name"])


def console_scripts(text: str) -> tuple[ConsoleScript, ...]:
    """The scripts that an ``entry_points.txt`` declares, sorted. Raise `BadEntryPoint`."""
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign] # names keep their case, says the specification
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise BadEntryPoint(f"entry_points.txt is malformed: {str(error)[:160]}") from error
    if not parser.has_section("console_scripts"):
        return ()
    return tuple(sorted(ConsoleScript.parse(*item) for item in parser.items("console_scripts")))
