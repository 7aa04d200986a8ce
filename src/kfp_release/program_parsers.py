"""Asks programs for their argparse parsers. Run by `kfp_release.programs`, in a process of its own.

Reads ``{program: ["module", "function"]}`` as JSON from stdin; writes an answer for each program to stdout: ``{program:
{"options": […], "flags": […], "required": [[…]]}}``, ``{"missing": "…"}`` where its function is none, or ``{"error":
"…"}``.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import sys
from types import ModuleType
from typing import Any


def describe(module_name: str, function: str) -> dict[str, Any]:
    """The options of the program that starts at `function` of a module; dots reach into objects."""
    module = importlib.import_module(module_name)
    if missing := _missing(module, function):
        return {"missing": missing}
    build_parser = getattr(module, "build_parser", None)
    if build_parser is None:
        return {"error": f"module {module.__name__} has no build_parser()"}
    parser = build_parser()
    if not isinstance(parser, argparse.ArgumentParser):
        return {"error": f"build_parser() of module {module.__name__} gave {type(parser).__name__}, no ArgumentParser"}
    actions = _actions(parser)
    return {
        "options": sorted({option for action in actions for option in action.option_strings}),
        "flags": sorted({option for action in actions if action.nargs == 0 for option in action.option_strings}),
        "required": [list(action.option_strings) for action in parser._actions if action.required],  # noqa: SLF001
    }


def _missing(module: ModuleType, function: str) -> str:
    """Why the module cannot be started there; empty where it can."""
    found: Any = module
    for name in function.split("."):
        if not hasattr(found, name):
            return f"{getattr(found, '__name__', type(found).__name__)} has no {name}"
        found = getattr(found, name)
    return "" if callable(found) else f"{function} of {module.__name__} is {type(found).__name__}, nothing to call"


def _actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Its actions and those of its subcommands. argparse has no public way to list them."""
    actions = list(parser._actions)  # noqa: SLF001 - see above
    for action in parser._actions:  # noqa: SLF001 - see above
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - see above
            actions += [inner for choice in action.choices.values() for inner in _actions(choice)]
    return actions


def main() -> None:
    """Answer on stdout; what the programs print at import goes to stderr."""
    targets: dict[str, tuple[str, str]] = json.load(sys.stdin)
    answers: dict[str, dict[str, Any]] = {}
    with contextlib.redirect_stdout(sys.stderr):
        for name, target in targets.items():
            try:
                answers[name] = describe(*target)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - any code of the project runs here
                answers[name] = {"error": f"{type(error).__name__}: {error}"[:300]}
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
