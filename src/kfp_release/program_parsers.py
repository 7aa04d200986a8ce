"""Asks programs for their argparse parsers. Run by `kfp_release.programs`, in a process of its own.

Reads ``{program: ["module", "function"]}`` as JSON from stdin; writes an answer for each program to stdout: ``{program:
{"options": […], "flags": […], "required": [[…]], "values": {option: [least, most]}, "positionals": most}}``,
``{"missing": "…"}`` where its function is none, or ``{"error": "…"}``.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import importlib
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

_UNBOUNDED = sys.maxsize
_UNTOLD: dict[str, Any] = {"values": {}, "positionals": None}
_NEGATIVE = tuple(f"-{digit}" for digit in range(10))


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
        **(_arguments(actions) if _is_plain(parser, actions) and _takes_all(module, function) else _UNTOLD),
    }


def _is_plain(parser: argparse.ArgumentParser, actions: list[argparse.Action]) -> bool:
    """Whether argparse decides as it usually does which words are values."""
    numbers = any(option.startswith(_NEGATIVE) for action in actions for option in action.option_strings)
    remainder = any(action.nargs == argparse.REMAINDER for action in actions)
    is_usual = type(parser) is argparse.ArgumentParser and parser.prefix_chars == "-"
    return is_usual and not parser.fromfile_prefix_chars and not numbers and not remainder


def _takes_all(module: ModuleType, function: str) -> bool:
    """Whether the program refuses words that its parser does not take, as far as its module tells."""
    called = functools.reduce(getattr, function.split("."), module)
    files = {
        each.__file__
        for each in (module, sys.modules.get(str(getattr(called, "__module__", ""))))
        if each and each.__file__
    }
    try:
        return not any(b"parse_known_" in Path(file).read_bytes() for file in files)
    except OSError:  # it is inside of an archive
        return False


def _arguments(actions: list[argparse.Action]) -> dict[str, Any]:
    """How many words options take, and how many others there may be; a subcommand's are its own."""
    values: dict[str, tuple[int, int] | None] = {}
    positionals = 0
    for action in actions:
        bounds = _bounds(action.nargs)
        if not action.option_strings:
            positionals += _UNBOUNDED if bounds is None else bounds[1]
        for option in action.option_strings:
            values[option] = bounds if values.get(option, bounds) == bounds else None
    return {
        "values": {option: bounds for option, bounds in values.items() if bounds},
        "positionals": positionals if positionals < _UNBOUNDED else None,
    }


def _bounds(nargs: int | str | None) -> tuple[int, int] | None:
    """The fewest and the most words that an action takes; None where options may be among them."""
    if isinstance(nargs, int):
        return nargs, nargs
    known = {
        None: (1, 1),
        argparse.OPTIONAL: (0, 1),
        argparse.ZERO_OR_MORE: (0, _UNBOUNDED),
        argparse.ONE_OR_MORE: (1, _UNBOUNDED),
        argparse.SUPPRESS: (0, 0),
    }
    return known.get(nargs)


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
