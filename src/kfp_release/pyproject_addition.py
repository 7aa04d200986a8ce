"""What a project that is there already lacks in its pyproject.toml: tables that can be added, or text to paste."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from packaging.utils import canonicalize_name

from kfp_release.config import PYPROJECT, Config
from kfp_release.errors import Problem, Problems, ReleaseError
from kfp_release.toml_table import TomlFile

_HEADER = re.compile(r"^(?=\[)", re.MULTILINE)
_NAME = re.compile(r"\[([^\]\n]+)\]")
_TOOL = "tool.kfp-release"
_LEFT_OUT = "tool.setuptools."
"""Where packages are is what the project knows already."""


def has_settings(pyproject: bytes) -> bool:
    """Whether it has a table of this tool. Raise `Problems` where it is no TOML."""
    return TomlFile.parse(PYPROJECT, pyproject).table("tool", "kfp-release") is not None


def completed_pyproject(there: bytes, new: str) -> bytes:
    """`there` with the tables of `new` that it lacks, at its end: nothing that stands in it changes.

    Raise `Problems` where it has one of them that says otherwise, each with the text to write in its place.
    """
    file = TomlFile.parse(PYPROJECT, there)
    wanted = TomlFile.parse(PYPROJECT, new.encode()).value
    added: list[str] = []
    for section in _HEADER.split(new)[1:]:
        name = _name(section)
        table = file.table(*name.split("."))
        if table is None:
            added += [section.strip()] * (not name.startswith(_LEFT_OUT))
        elif name in _RULES and (wrong := _RULES[name](table.value, wanted)):
            file.report(tuple(name.split(".")), wrong, f"write into [{name}]:\n{_indented(section)}")
    if file.problems:
        raise Problems(file.problems)
    return _proven(there.decode().rstrip("\n") + "\n\n" + "\n\n".join(added) + "\n", added)


def _proven(text: str, added: list[str]) -> bytes:
    """`text` as bytes, if it is a configuration: a table that is written inline, say, takes no other one."""
    try:
        Config.parse(text.encode(), {})
    except ReleaseError as error:
        pasted = "\n\n".join(map(_indented, added))
        message = f"cannot be completed: {str(error).splitlines()[0]}"
        raise Problems([Problem(PYPROJECT, 0, message, f"write this into it:\n{pasted}")]) from error
    return text.encode()


def _backend(there: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    if there.get("build-backend") == wanted["build-system"]["build-backend"]:
        return ""
    return "has another build backend, and kfp-release's pins every wheel"


def _project(there: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    name = wanted["project"]["name"]
    if canonicalize_name(str(there.get("name", ""))) != canonicalize_name(name):
        return f"is of another name than {name}"
    dynamic = there.get("dynamic")
    if "version" in there or not isinstance(dynamic, list) or "version" not in dynamic:
        return 'has a version of its own, or none: a release takes it from the tag, dynamic = ["version"]'
    return ""


def _scripts(there: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    missing = [name for name, entry in wanted["project"]["scripts"].items() if there.get(name) != entry]
    return f"lacks the program {', '.join(missing)}" if missing else ""


_RULES: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], str]] = {
    "build-system": _backend,
    "project": _project,
    "project.scripts": _scripts,
}
"""By table: what is wrong in one that is there."""


def _name(section: str) -> str:
    found = _NAME.match(section)
    return found[1] if found else ""


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.strip().splitlines())
