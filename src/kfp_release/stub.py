"""operators.pyi: what type checkers and editors know of the operators of a package.

Without it they see a module whose names are made when they are asked for, and take all of them for anything.
Sources: typing.python.org, distributing type information; kfp 2.17.
"""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from textwrap import indent
from typing import Any, Self

from kfp_release.component import PYTHONS_OWN, ComponentFile
from kfp_release.input_default import read_default
from kfp_release.interface import FINAL_STATUS, Port
from kfp_release.stub_task import TASK
from kfp_release.stub_types import NOT_ONE, PRELUDE, Names, StubTypes, quoted
from kfp_release.written import WRITTEN, package_path
from kfp_release.yaml_nodes import UNLOADABLE

HEADER = f"{WRITTEN.decode()} from the component files, and written anew by `kfp-release operators`.\n"
"""The first line."""

_DIRECTIVES = """\
# In a pipeline an output is a channel and stands for a value. Here it is both, and a checker would complain of that.
# mypy: disable-error-code="assignment, import-untyped, misc, override"
# pyright: reportGeneralTypeIssues=false, reportIncompatibleMethodOverride=false
# pyright: reportIncompatibleVariableOverride=false
"""
_FILLED_IN = {FINAL_STATUS, "TaskConfig"}
"""Types of inputs that kfp itself gives."""
UNREADABLE = (ValueError, OverflowError, TypeError, RecursionError, *UNLOADABLE)
"""What a default raises that kfp cannot read either."""
_GETATTR = re.compile(rb"^def __getattr__\(", re.MULTILINE)
_CLASS = re.compile(r"^class (\w+)", re.MULTILINE)
_LONGEST_DEFAULT = 60
_LONGEST_LINE = 110
_LOADED = ("The operators with the package's images on `registry`, HOST or HOST/PREFIX, in place of their own.",)


def module_path(package: str) -> str:
    """The module with the operators of `package`, as a wheel has it."""
    return package_path(package, "operators.py")


def stub_path(package: str) -> str:
    """Its stub."""
    return f"{module_path(package)}i"


def mark_path(package: str) -> str:
    """The file that has type checkers read the types of `package`. PEP 561."""
    return package_path(package, "py.typed")


def needs_stub(module: bytes) -> bool:
    """Whether a module of operators makes its names when they are asked for (PEP 562); others tell their own types."""
    return _GETATTR.search(module) is not None


@dataclass(frozen=True, slots=True)
class Operator:
    """What a stub tells of one component."""

    name: str
    has_order: bool
    """Whether its inputs have one, and can be given by position: a v1 component's."""
    description: tuple[str, ...]
    inputs: tuple[Port, ...]
    """What a call gives, required inputs first."""
    outputs: tuple[Port, ...]

    @classmethod
    def of(cls, file: ComponentFile) -> Self:
        """That of one component file."""
        is_v1 = file.kind == "v1"
        # Of a compiled component as kfp reads it: the parameters before the artifacts.
        inputs, outputs = (
            ports if is_v1 else sorted(ports, key=lambda port: port.is_artifact)
            for ports in (file.inputs, file.outputs)
        )
        given = (port for port in inputs if port.plain_type not in _FILLED_IN)
        return cls(
            name=file.operator,
            has_order=is_v1,
            description=tuple(line.rstrip() for line in file.description.strip().splitlines()),
            inputs=tuple(sorted(given, key=lambda port: port.is_optional)),
            outputs=tuple(outputs),
        )

    @property
    def is_callable(self) -> bool:
        """Whether a Python program can name it and its inputs; `kfp-release check` refuses what is not."""
        names = ["self", *(port.kfp_name for port in self.inputs)]
        return (
            self.name.isidentifier()
            and not self.name.startswith(PYTHONS_OWN)
            and len(set(names)) == len(names)
            and all(name.isidentifier() and not keyword.iskeyword(name) for name in names)
        )


def stub_text(operators: Iterable[Operator], *, has_load: bool = True) -> str:
    """The stub of a module with these operators, the same for the same ones; what is not callable is left out.

    `has_load` where the module has the function that gives them on another registry.
    """
    listed = sorted((each for each in operators if each.is_callable), key=lambda each: each.name)
    names = Names([*_CLASS.findall(PRELUDE + TASK), *(each.name for each in listed)])
    types = StubTypes(
        [port for each in listed for port in each.inputs], [port for each in listed for port in each.outputs], names
    )
    told = [tuple(_operator(each, types, names)) for each in listed]
    all_names = "".join(f'\n    "{each.name}",' for each in listed)
    parts = [
        f"{HEADER}{_DIRECTIVES}\n{PRELUDE}",
        *types.definitions(),
        TASK,
        *(part for parts in told for part in parts),
        *([_load([parts[-1] for parts in told], names.take("_Operators"))] if has_load else []),
        f"__all__ = [{all_names}\n]\n" if listed else "__all__: list[str] = []\n",
    ]
    return "\n".join(parts)


def _operator(told: Operator, types: StubTypes, names: Names) -> Iterator[str]:
    stem = "".join(word[:1].upper() + word[1:] for word in told.name.removesuffix("_op").split("_"))
    outputs, task, operator = (names.take(f"_{stem}{what}") for what in ("Outputs", "Task", "Op"))
    keys = {port.kfp_name: types.output(port) for port in told.outputs}
    table = ", ".join(f"{quoted(name)}: {type_}" for name, type_ in keys.items())
    yield f'{outputs} = TypedDict("{outputs}", {{{table}}})\n'
    one = next(iter(keys.values())) if len(keys) == 1 else NOT_ONE
    yield (
        f"class {task}(_Task):\n    @property\n    def outputs(self) -> {outputs}: ...\n"
        f"    @property\n    def output(self) -> {one}: ...\n"
    )
    shown = _docstring(told)
    yield (
        f"class {operator}(YamlComponent):\n{_quoted(shown, '    ')}\n"
        f"    def __call__({_parameters(told, types)}) -> {task}:\n{_quoted(shown, '        ')}"
    )
    yield f"{told.name}: {operator}\n{_quoted(shown, '')}"


def _load(variables: Sequence[str], name: str) -> str:
    """The function that gives all of them on another registry, and the class of what it gives."""
    inner = indent("\n".join(variables), "    ") or "    ...\n"
    told = _quoted(_LOADED, "    ")
    return f"class {name}:\n{told}\n{inner}\ndef load(*, registry: str) -> {name}:\n{told}"


def _parameters(told: Operator, types: StubTypes) -> str:
    parameters = ["self", *(["*"] if told.inputs and not told.has_order else [])]
    parameters += [f"{port.kfp_name}: {types.given(port)}{_default(port)}" for port in told.inputs]
    line = ", ".join(parameters)
    if len(line) <= _LONGEST_LINE:
        return line
    return "".join(f"\n        {parameter}," for parameter in parameters) + "\n    "


def _default(port: Port) -> str:
    """The end of an annotation: the default as Python writes it; ``...`` where that is long, or not to be had.

    None in its place means the default.
    """
    if not port.is_optional:
        return ""
    try:
        value = default_value(port)
    except UNREADABLE:
        return " | None = ..."
    text = repr(value)
    return f" | None = {text if len(text) <= _LONGEST_DEFAULT and _is_literal(value) else '...'}"


def default_value(port: Port) -> Any:
    """The default of an input as Python has it; None for none. Raise one of `UNREADABLE` where it cannot be read."""
    value = read_default(port)
    # A compiled Integer's is written 2.0.
    is_whole = port.plain_type == "Integer" and isinstance(value, float) and value.is_integer()
    return int(value) if is_whole else value


def _is_literal(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_literal, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_literal(item) for key, item in value.items())
    return value is None or isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))


def _docstring(told: Operator) -> list[str]:
    """Description, inputs and outputs, as ``help()`` of the operator shows them."""
    lines = list(told.description)
    for title, shown in (("Inputs", told.inputs), ("Outputs", told.outputs)):
        if shown:
            lines += [*([""] if lines else []), f"{title}:", *(f"    {_shown(port)}" for port in shown)]
    return lines or [f"{told.name}()"]


def _shown(port: Port) -> str:
    """As `python -m` of the package and ``help()`` show it."""
    default = ""
    with suppress(*UNREADABLE):
        value = default_value(port)
        default = "" if value is None else f" = {value if value != '' else repr('')}"
    return f"{port.kfp_name}: {port.plain_type}{default}  {port.description}".rstrip()


def _quoted(lines: Sequence[str], indent: str) -> str:
    """`lines` as a docstring, whatever they hold."""
    first, *more = (_printable(line).replace('"""', '\\"\\"\\"') for line in lines)
    if not more and not first.endswith('"'):
        return f'{indent}"""{first}"""\n'
    return "\n".join([f'{indent}"""{first}', *(f"{indent}{line}".rstrip() for line in more), f'{indent}"""']) + "\n"


def _printable(line: str) -> str:
    return "".join(letter if letter.isprintable() and letter != "\\" else ascii(letter)[1:-1] for letter in line)
