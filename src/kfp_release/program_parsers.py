"""Asks programs for their argparse parsers. Run by `kfp_release.programs`, in a process of its own.

Reads ``{program: "module:function"}`` as JSON from stdin; writes ``{program: {"options": […], "required": [[…]]}}``, or
``{program: {"error": "…"}}``, to stdout.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import sys
from typing import Any


def describe(target: str) -> dict[str, Any]:
    """The options of the program whose entry point is `target`, ``module:function``."""
    module = importlib.import_module(target.partition(":")[0].strip())
    build_parser = getattr(module, "build_parser", None)
    if build_parser is None:
        return {"error": f"module {module.__name__} has no build_parser()"}
    parser = build_parser()
    if not isinstance(parser, argparse.ArgumentParser):
        return {"error": f"build_parser() of module {module.__name__} gave {type(parser).__name__}, no ArgumentParser"}
    actions = _actions(parser)
    return {
        "options": sorted({option for action in actions for option in action.option_strings}),
        "required": [list(action.option_strings) for action in parser._actions if action.required],  # noqa: SLF001
    }


def _actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Its actions and those of its subcommands. argparse has no public way to list them."""
    actions = list(parser._actions)  # noqa: SLF001 - see above
    for action in parser._actions:  # noqa: SLF001 - see above
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - see above
            actions += [inner for choice in action.choices.values() for inner in _actions(choice)]
    return actions


def main() -> None:
    """Answer on stdout; what the programs print at import goes to stderr."""
    targets: dict[str, str] = json.load(sys.stdin)
    answers: dict[str, dict[str, Any]] = {}
    with contextlib.redirect_stdout(sys.stderr):
        for name, target in targets.items():
            try:
                answers[name] = describe(target)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - any code of the project runs here
                answers[name] = {"error": f"{type(error).__name__}: {error}"[:300]}
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
