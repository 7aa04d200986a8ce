"""Where a repository that is there names this tool's version, and the same text with another one."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Final

from packaging.utils import canonicalize_name

from kfp_release.commit import is_commit
from kfp_release.config import PYPROJECT
from kfp_release.errors import Problem, Problems, ReleaseError
from kfp_release.requirement import parse_requirement
from kfp_release.toml_table import TomlFile
from kfp_release.tool_pin import SOURCE, TOOL, TOOL_LOCK, WORKFLOWS, ToolPin
from kfp_release.version import ReleaseVersion

_BUILD_SYSTEM = re.compile(r"^\[build-system\][^\n]*\n(?:(?!\[)[^\n]*\n?)*", re.MULTILINE)
_COMMENT = r"(?:[ \t]+#[^\r\n]*)?"
_CALLED = re.compile(rf"({re.escape(WORKFLOWS)}/[a-z]+\.yml@)([^\s\"']+)([\"']?){_COMMENT}")
_HOOK = re.compile(
    rf"(repo:[ \t]+[\"']?{re.escape(SOURCE)}[\"']?{_COMMENT}[ \t]*\r?\n\s+rev:[ \t]+[\"']?)"
    rf"([^\s\"']+)([\"']?){_COMMENT}"
)
_IN_YAML: Final = {
    ".github/workflows/release.yml": _CALLED,
    ".github/workflows/reconcile.yml": _CALLED,
    ".github/workflows/catalog.yml": _CALLED,
    ".pre-commit-config.yaml": _HOOK,
}
"""By path: what stands before the tag or commit, that itself, and the quote behind it."""
TOOL_USES: Final = (PYPROJECT, TOOL_LOCK, *_IN_YAML)
"""The files that name the version."""


def updated_texts(there: Mapping[str, str], new: Mapping[str, str], tool: ToolPin) -> dict[str, str]:
    """Those of the texts `there`, by path, that name a version of the tool, with that of `tool`.

    `new` is what a new repository has of them: build requirements, and the lock, where it is written. Raise `Problems`
    where the build requires no exact version of the tool, or a newer one, and where a commit would become a tag.
    """
    problems = [*_newer(there.get(PYPROJECT, ""), tool), *_weaker(there, tool)]
    if problems:
        raise Problems(problems)
    texts = {}
    if PYPROJECT in there:
        requires = tomllib.loads(new[PYPROJECT])["build-system"]["requires"]
        texts[PYPROJECT] = _BUILD_SYSTEM.sub(lambda found: _required(found[0], requires), there[PYPROJECT], count=1)
    if TOOL_LOCK in there and TOOL_LOCK in new:
        texts[TOOL_LOCK] = new[TOOL_LOCK]
    for path, names in _IN_YAML.items():
        if path in there:
            texts[path] = _pinned(there[path], names, tool.revision if names is _HOOK else tool.called_at)
    if f"{TOOL}=={tool.version}" not in _requirements(texts.get(PYPROJECT, "")):
        message = f"[build-system] requires no exact version of {TOOL}"
        raise Problems([Problem(PYPROJECT, 0, message, f'add "{TOOL}=={tool.version}" to requires')])
    return texts


def _pinned(text: str, names: re.Pattern[str], pinned: str) -> str:
    at, _, comment = pinned.partition(" ")
    return names.sub(lambda found: f"{found[1]}{at}{found[3]} {comment}".rstrip(" "), text)


def _required(section: str, requires: Iterable[str]) -> str:
    """The section with the versions of `requires`; what else it asks for stays, and so do comments."""
    for requirement in requires:
        name = re.sub(r"[-_.]+", "[-_.]+", requirement.partition("==")[0])
        asked = re.compile(rf"^([^#\n]*)([\"']){name}[ \t]*==[ \t]*[^\"'\n]*\2", re.IGNORECASE | re.MULTILINE)
        section = asked.sub(rf"\g<1>\g<2>{requirement}\g<2>", section)
    return section


def _requirements(pyproject: str) -> list[str]:
    """Of the build. Raise `Problems` where it is no TOML."""
    table = TomlFile.parse(PYPROJECT, pyproject.encode(errors="surrogateescape")).table("build-system")
    requires = table.value.get("requires") if table else None
    return [each for each in requires if isinstance(each, str)] if isinstance(requires, list) else []


def _newer(pyproject: str, tool: ToolPin) -> list[Problem]:
    """What is wrong where the build requires a newer version than this one."""
    for text in _requirements(pyproject):
        version = _exact(text)
        if version is not None and tool.version < version:
            message = f"[build-system] requires {TOOL} {version}, and this is the older {tool.version}"
            return [Problem(PYPROJECT, 0, message, f"pip install --upgrade '{TOOL}[cli]' from your index first")]
    return []


def _exact(text: str) -> ReleaseVersion | None:
    """The version of the tool that a requirement asks for; None for any other requirement."""
    try:
        requirement = parse_requirement(text)
        specifiers = [*requirement.specifier]
        if canonicalize_name(requirement.name) == TOOL and [each.operator for each in specifiers] == ["=="]:
            return ReleaseVersion.parse(specifiers[0].version)
    except ReleaseError:
        return None
    return None


def _weaker(there: Mapping[str, str], tool: ToolPin) -> list[Problem]:
    """What is wrong where a workflow or hook is bound to a commit, and no commit is told to take its place."""
    problems = []
    for path, names in _IN_YAML.items():
        for found in names.finditer(there.get(path, "")):
            if tool.commit or not is_commit(found[2]):
                continue
            line = found.string.count("\n", 0, found.start(2)) + 1
            message = f"is bound to the commit {found[2][:12]}, and a tag would take its place"
            remedy = f"name the commit of {tool.version.tag} with --workflow-commit, or write the tag here yourself"
            problems.append(Problem(path, line, message, remedy))
    return problems
