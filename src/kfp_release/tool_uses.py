"""Where a repository that is there names this tool's version, and the same text with another one."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping

from kfp_release.config import PYPROJECT
from kfp_release.errors import Problem, Problems
from kfp_release.tool_pin import SOURCE, TOOL, TOOL_LOCK, WORKFLOWS, ToolPin

_BUILD_SYSTEM = re.compile(r"^\[build-system\][^\n]*\n(?:(?!\[)[^\n]*\n?)*", re.MULTILINE)
_CALLED = re.compile(rf"({re.escape(WORKFLOWS)}/[a-z]+\.yml)@[^\n]*")
_HOOK = re.compile(rf"(repo: {re.escape(SOURCE)}\n\s+rev: )[^\n]*")


def updated_texts(there: Mapping[str, str], new: Mapping[str, str], tool: ToolPin) -> dict[str, str]:
    """Those of the texts `there`, by path, that name a version of the tool, with that of `tool`.

    `new` is what a new repository has of them: build requirements, and the lock. Raise `Problems` where the build
    requires no exact version of the tool.
    """
    requires = tomllib.loads(new[PYPROJECT])["build-system"]["requires"]
    called = rf"\g<1>@{tool.called_at}"
    change: Mapping[str, Callable[[str], str]] = {
        PYPROJECT: lambda text: _BUILD_SYSTEM.sub(lambda found: _required(found[0], requires), text, count=1),
        TOOL_LOCK: lambda _: new[TOOL_LOCK],
        ".github/workflows/release.yml": lambda text: _CALLED.sub(called, text),
        ".github/workflows/reconcile.yml": lambda text: _CALLED.sub(called, text),
        ".pre-commit-config.yaml": lambda text: _HOOK.sub(rf"\g<1>{tool.revision}", text),
    }
    texts = {path: changed(there[path]) for path, changed in change.items() if path in there and path in new}
    if f'"{TOOL}=={tool.version}"' not in texts.get(PYPROJECT, ""):
        message = f"[build-system] requires no exact version of {TOOL}"
        raise Problems([Problem(PYPROJECT, 0, message, f'add "{TOOL}=={tool.version}" to requires')])
    return texts


def _required(section: str, requires: list[str]) -> str:
    """The section with the versions of `requires`; what else it asks for stays."""
    for requirement in requires:
        name = re.escape(requirement.partition("==")[0])
        section = re.sub(rf'"{name}==[^"\n]*"', f'"{requirement}"', section, flags=re.IGNORECASE)
    return section
