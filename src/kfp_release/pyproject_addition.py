"""What a project that is there already lacks in its pyproject.toml: tables that can be added, or text to paste."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from packaging.utils import canonicalize_name

from kfp_release.config import PYPROJECT, Config
from kfp_release.errors import Problem, Problems, ReleaseError
from kfp_release.requirement import BadRequirement, parse_requirement
from kfp_release.toml_table import TomlFile

_HEADER = re.compile(r"^(?=\[)", re.MULTILINE)
_NAME = re.compile(r"\[([^\]\n]+)\]")
_TOOL = "tool.kfp-release"
_FIND = """move the packages to src, and write in the place of this:
    [tool.setuptools.packages.find]
    where = ["src"]"""
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
    _refuse_other_folders(file, wanted["tool"]["kfp-release"]["package"])
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
    wrong = []
    name = wanted["project"]["name"]
    if canonicalize_name(str(there.get("name", ""))) != canonicalize_name(name):
        wrong.append(f"is of another name than {name}")
    dynamic = _listed(there.get("dynamic"))
    if "version" in there or "version" not in dynamic:
        wrong.append('has a version of its own, or none: a release takes it from the tag, dynamic = ["version"]')
    if "dependencies" not in dynamic and "kfp" not in map(_required, _listed(there.get("dependencies"))):
        wrong.append("has no kfp in dependencies, which the operators import")
    return "; ".join(wrong)


def _listed(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _required(text: str) -> str:
    """The name of what a requirement asks for; empty where it is none."""
    try:
        return canonicalize_name(parse_requirement(text).name)
    except BadRequirement:
        return ""


def _extras(there: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    missing = wanted["project"]["optional-dependencies"].keys() - {canonicalize_name(name) for name in there}
    return f"lacks the extra {', '.join(missing)}, which says what is installed in the image" if missing else ""


def _refuse_other_folders(file: TomlFile, package: str) -> None:
    """Report where setuptools is told to look for packages elsewhere than in src, where the new one is written."""
    settings = file.table("tool", "setuptools")
    if settings is None:
        return
    place = ("tool", "setuptools")
    folders, packages = settings.value.get("package-dir"), settings.value.get("packages")
    if isinstance(folders, dict) and folders and not _is_src(folders.get(""), folders.get(package), package):
        file.report((*place, "package-dir"), "[tool.setuptools] has packages elsewhere than in src", _FIND)
    if isinstance(packages, list) and (package not in packages or not isinstance(folders, dict)):
        file.report((*place, "packages"), f"[tool.setuptools] names packages, and not src/{package}", _FIND)
    for kind in ("find", "find-namespace"):
        found = file.table(*place, "packages", kind)
        if found is not None and "src" not in map(_folder, _listed(found.value.get("where"))):
            file.report(found.place, f"[{found.name()}] finds packages elsewhere than in src", _FIND)


def _is_src(root: object, own: object, package: str) -> bool:
    return _folder(own) == f"src/{package}" or (own is None and _folder(root) == "src")


def _folder(text: object) -> str:
    return str(text).removeprefix("./").rstrip("/")


def _scripts(there: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    missing = [name for name, entry in wanted["project"]["scripts"].items() if there.get(name) != entry]
    return f"lacks the program {', '.join(missing)}" if missing else ""


_RULES: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], str]] = {
    "build-system": _backend,
    "project": _project,
    "project.optional-dependencies": _extras,
    "project.scripts": _scripts,
}
"""By table: what is wrong in one that is there."""


def _name(section: str) -> str:
    found = _NAME.match(section)
    return found[1] if found else ""


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.strip().splitlines())
