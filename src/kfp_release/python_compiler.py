"""Compiles functions to component files with kfp. Run by `kfp_release.python_components`, in a process of its own.

Reads ``{"project": "/…", "modules": ["package.definitions"]}`` as JSON from stdin; writes ``{module: {"files": […],
"functions": [{"name", "text", "path", "line"}], "problems": [{"path", "line", "message", "remedy"}]}}`` to stdout, or
``{"kfp": "why it cannot be imported"}``. Paths are relative to the project.
"""

from __future__ import annotations

import ast
import importlib
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from kfp_release.lightweight_rules import INSTEAD, LIGHTWEIGHT
from kfp_release.opened import Opened


class _Refused(Exception):
    """What is wrong: path and line where they are not known to who catches it, message, remedy."""


def compile_module(name: str, opened: Opened) -> dict[str, Any]:
    """What a module defines. It is imported anew, and nothing of the project's code stays imported."""
    before = set(sys.modules)
    opened.paths.clear()
    try:
        module = _imported(name, opened)
        functions, problems = _functions(module, opened)
    except _Refused as error:
        functions, problems = [], [_problem(*error.args)]
    for other in sorted(set(sys.modules) - before):
        file = getattr(sys.modules[other], "__file__", None)
        if isinstance(file, str) and opened.relative(file):
            opened.add(file)
            del sys.modules[other]
    return {"files": opened.sources(), "functions": functions, "problems": problems}


def _problem(path: str, line: int, message: str, remedy: str) -> dict[str, Any]:
    return {"path": path, "line": line, "message": message, "remedy": remedy}


def _imported(name: str, opened: Opened) -> ModuleType:
    try:
        module = importlib.import_module(name)
    except (Exception, SystemExit) as error:
        path, line = _place(error, opened)
        missing = isinstance(error, ModuleNotFoundError) and f"{name}.".startswith(f"{error.name}.")
        if missing:
            raise _Refused("", 0, f"module {name} is not there", "name it as it is imported") from error
        raise _Refused(
            path, line, f"module {name} cannot be imported: {_said(error)}", _remedy(error, opened, path)
        ) from error
    if not opened.relative(module.__file__ or ""):
        raise _Refused("", 0, f"module {name} is none of this project's", "name a module of the package")
    return module


def _remedy(error: BaseException, opened: Opened, path: str) -> str:
    if isinstance(error, ImportError):
        return "it is imported with kfp alone: import heavy libraries in the programs that use them"
    if path and b"from __future__ import annotations" in (opened.project / path).read_bytes():
        return "remove `from __future__ import annotations`: kfp does not read annotations that are texts"
    if isinstance(error, TypeError) and " | " in str(error):
        return "kfp does not read unions: write typing.Optional[…]"
    return "mend it there; importing a module of components must do nothing but define them"


def _place(error: BaseException, opened: Opened) -> tuple[str, int]:
    """The last line of the project that led to it."""
    if isinstance(error, SyntaxError) and (path := opened.relative(error.filename or "")):
        return path, error.lineno or 0
    frames = reversed(traceback.extract_tb(error.__traceback__))
    return next(((path, frame.lineno or 0) for frame in frames if (path := opened.relative(frame.filename))), ("", 0))


def _functions(module: ModuleType, opened: Opened) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The functions that are compiled, and what is wrong."""
    path = opened.relative(module.__file__ or "")
    compiled: dict[str, dict[str, Any]] = {}
    problems = [_problem(path, *twice) for twice in _twice(module)]
    for component, function in _own(module):
        name, line = function.__name__, function.__code__.co_firstlineno
        try:
            compiled[name] = {"name": name, "text": _compiled(component, name, compiled), "path": path, "line": line}
        except _Refused as error:
            message, remedy = error.args
            problems.append(_problem(path, line, f"{name} {message}", remedy))
    if not compiled and not problems:
        remedy = "define one there; what it imports from elsewhere counts where it is defined"
        problems.append(_problem(path, 0, f"module {module.__name__} has no @dsl.container_component function", remedy))
    return list(compiled.values()), problems


def _own(module: ModuleType) -> Iterator[tuple[Any, Any]]:
    """Its components and their functions: each once, none that is imported, and none that begins with an underscore."""
    components = {id(value): value for name, value in vars(module).items() if _is_public(name, value)}
    for value in components.values():
        function: Any = getattr(value, "python_func", None) or getattr(value, "pipeline_func", None)
        if getattr(function, "__module__", None) == module.__name__ and not function.__name__.startswith("_"):
            yield value, function


def _is_public(name: str, value: object) -> bool:
    """Whether it is a component, by a name for all."""
    from kfp.dsl import base_component  # noqa: PLC0415 - see main

    return not name.startswith("_") and isinstance(value, base_component.BaseComponent)


def _twice(module: ModuleType) -> Iterator[tuple[int, str, str]]:
    """Functions that became components, and that a later one of the same name replaces."""
    names = {name for name, value in vars(module).items() if _is_public(name, value)}
    seen: dict[str, int] = {}
    for node in ast.parse(Path(module.__file__ or "").read_bytes()).body:
        if isinstance(node, ast.FunctionDef) and node.decorator_list and node.name in names:
            first = seen.setdefault(node.name, node.lineno)
            if first != node.lineno:
                yield node.lineno, f"{node.name} is defined a second time, first in line {first}", "rename one of them"


def _compiled(component: Any, name: str, earlier: Container[str]) -> str:
    from kfp import compiler  # noqa: PLC0415 - see main
    from kfp.dsl import python_component  # noqa: PLC0415 - likewise

    if name in earlier:
        raise _Refused("is the name of two functions, and of one component file", "rename one of them")
    if not name.isidentifier():
        raise _Refused("is no Python name, and becomes none of a file", "name the function as it is defined")
    if isinstance(component, python_component.PythonComponent):
        raise _Refused(f"is a @dsl.component: {LIGHTWEIGHT}", INSTEAD)
    container = component.component_spec.implementation.container
    if container is not None and not isinstance(container.image, str):
        raise _Refused("takes its image from an input", "write the image as a text: an owned one by its repository")
    for key, port in (component.component_spec.inputs or {}).items():
        if isinstance(port.default, str) and len(f"{port.default}.".splitlines()) > 1:
            message = f"has a line break in the default of {key}, which kfp writes into a comment of the file"
            raise _Refused(message, "give it a default of one line; the program can break it")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "component.yaml")
        try:
            compiler.Compiler().compile(component, str(file))
        except Exception as error:
            raise _Refused(
                f"cannot be compiled: {_said(error)}", "mend the function; kfp says what it lacks"
            ) from error
        return file.read_text(encoding="utf-8")


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:300]


def _compile(asked: dict[str, Any]) -> dict[str, Any]:
    try:
        importlib.import_module("kfp.compiler")
    except ImportError as error:
        return {"kfp": f"{error}"[:300]}
    # From here on Python compiles the project's modules from their sources: bytecode can be that of an older one.
    sys.pycache_prefix = os.devnull
    opened = Opened(Path(asked["project"]))
    answers = {}
    for name in asked["modules"]:
        answers[name] = compile_module(name, opened)
        with _another_home():
            again = compile_module(name, opened)
        _require_same(answers[name], again)
    return answers


@contextmanager
def _another_home() -> Iterator[None]:
    """Folders of the user's own are elsewhere meanwhile, as they are for others."""
    kept, temporary = dict(os.environ), tempfile.gettempdir()
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"HOME": folder, "TMPDIR": folder}
        tempfile.tempdir = folder
        try:
            yield
        finally:
            tempfile.tempdir = temporary
            os.environ.clear()
            os.environ |= kept


def _require_same(answer: dict[str, Any], other: dict[str, Any]) -> None:
    """Report what another import of the module makes otherwise: chance, the time, HOME, a count."""
    again = {function["name"]: function["text"] for function in other["functions"]}
    for function in answer["functions"] if not other["problems"] else ():
        if again.get(function["name"]) != function["text"]:
            message = f"{function['name']} is not the same each time that it is compiled"
            remedy = "make it of constants: no time, no chance, no folder of yours, nothing counted"
            answer["problems"].append(_problem(function["path"], function["line"], message, remedy))


def main() -> None:
    """Answer on stdout; all that the modules print goes to stderr."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answer:
        os.dup2(2, 1)
        json.dump(_compile(json.load(sys.stdin)), answer)
    os._exit(0)  # whatever the modules have started


if __name__ == "__main__":
    main()
