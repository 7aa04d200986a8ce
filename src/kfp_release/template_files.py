"""The files of a new repository: templates that come with this tool, filled with what the repository is called."""

from __future__ import annotations

import string
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from kfp_release.config import PYPROJECT
from kfp_release.new_project import QUESTIONS, Answers
from kfp_release.tool_pin import SOURCE, TOOL_LOCK, WORKFLOWS, ToolPin

_FOLDER: Final = Path(__file__).parent / "new-project"
_SUFFIX: Final = ".template"
_PACKAGE: Final = "PACKAGE"


class _Template(string.Template):
    """``@@name``: the dollar is taken by shells and by GitHub's expressions."""

    delimiter = "@@"


def filled_templates(answers: Answers, tool: ToolPin) -> dict[str, str]:
    """The text of each file by its path. The tool's lock has all that the tool needs, and not the tool itself yet."""
    values = {name.replace("-", "_"): text for name, text in answers.items()} | {
        "simple_url": answers["index-url"],
        "tool": str(tool.version),
        "tool_source": SOURCE,
        "tool_rev": tool.revision,
        **{name: f"{WORKFLOWS}/{name}.yml@{tool.called_at}" for name in ("release", "reconcile", "catalog")},
    }
    return {
        path.replace(_PACKAGE, answers["package"]): _Template(text).substitute(values)
        for path, text in _templates().items()
    }


def tool_templates(tool: ToolPin) -> dict[str, str]:
    """Of these, the two whose build requirements and lock an update takes: they are the same whatever the answers."""
    texts = filled_templates({question.name: "any" for question in QUESTIONS}, tool)
    return {path: texts[path] for path in (PYPROJECT, TOOL_LOCK)}


@cache
def _templates() -> Mapping[str, str]:
    paths = sorted(_FOLDER.rglob(f"*{_SUFFIX}"))
    return {
        path.relative_to(_FOLDER).as_posix().removesuffix(_SUFFIX): path.read_text(encoding="utf-8") for path in paths
    }
