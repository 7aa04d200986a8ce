"""What can be wrong in inputs and outputs: their names, types and defaults.

Source of what kfp does with them: kfp 2.17, kfp.dsl.structures, kfp.dsl.types.type_utils.
"""

from __future__ import annotations

import difflib
import keyword
from collections.abc import Iterator, Sequence

from kfp_release.component import ComponentFile
from kfp_release.errors import Problem
from kfp_release.input_default import fits
from kfp_release.interface import FINAL_STATUS, Interface, Port
from kfp_release.yaml_nodes import Scalar

_TYPES = (
    *("String", "Integer", "Float", "Boolean", "List", "Dict", "Dataset", "Model", "Metrics", "Artifact"),
    *("HTML", "Markdown", "ClassificationMetrics", "SlicedClassificationMetrics"),
)
_KNOWN = "known are String, Integer, Float, Boolean, List, Dict, and the artifacts Dataset, Model, Metrics, …"
_IR_TYPES = ("STRING", "NUMBER_INTEGER", "NUMBER_DOUBLE", "BOOLEAN", "LIST", "STRUCT", "TASK_FINAL_STATUS")
_IR_ARTIFACT = "write artifactType: {schemaTitle: system.Dataset, schemaVersion: 0.0.1}, or another of kfp's"


def port_problems(file: ComponentFile) -> list[Problem]:
    """What is wrong in the inputs and outputs of `file`, and of the components that it is compiled from."""
    problems = [*_names(file, file.inputs, "input"), *_names(file, file.outputs, "output")]
    for interface in file.interfaces:
        for ports, what in ((interface.inputs, "input"), (interface.outputs, "output")):
            problems += [problem for port in ports for problem in _port(file, interface, port, what)]
    return problems


def _names(file: ComponentFile, ports: Sequence[Port], what: str) -> Iterator[Problem]:
    seen: dict[str, Port] = {}
    for port in ports:
        name = port.kfp_name
        if not name.isidentifier() or keyword.iskeyword(name):
            message = f"{what} {port.name!r} becomes {name!r} in kfp, which is no Python name"
            yield Problem(file.name, port.line, message, "give it another name, as in learning_rate")
        first = seen.setdefault(name, port)
        if first is not port:
            message = f"{what}s {first.name!r} and {port.name!r} are both {name!r} in kfp"
            yield Problem(file.name, port.line, message, "rename one of them")


def _port(file: ComponentFile, interface: Interface, port: Port, what: str) -> Iterator[Problem]:
    called = f"{what} {port.name!r}" + (f" of {interface.name}" if interface.name else "")
    if not port.is_known:
        message, remedy = _v1_type(port, what) if file.kind == "v1" else _ir_type(port)
        yield Problem(file.name, port.line, f"{called} {message}", remedy)
    elif file.kind == "v1" and isinstance(port.default, Scalar) and not fits(port.type, port.default.value):
        message = f"{called} has the default {port.default.text!r:.80}, which is no {port.type}"
        yield Problem(file.name, port.line, message, "write one of its type; a number must be finite")


def _v1_type(port: Port, what: str) -> tuple[str, str]:
    """The message and the remedy."""
    if not port.type:
        return "has no type, and kfp takes it for an artifact", f"add type: …; {_KNOWN}"
    names = {name.lower(): name for name in ((*_TYPES, FINAL_STATUS) if what == "input" else _TYPES)}
    near = difflib.get_close_matches(port.type.lower(), names, 1)
    message = f"has the type {port.type[:80]!r}, which kfp takes for an artifact, or does not load"
    return message, f"did you mean {names[near[0]]}?" if near else _KNOWN


def _ir_type(port: Port) -> tuple[str, str]:
    seen = f"has the type {port.type[:80]!r}, which" if port.type else "has no type, and"
    near = difflib.get_close_matches(port.type.upper(), _IR_TYPES, 1)
    remedy = f"did you mean {near[0]}?" if near else f"write parameterType: …; known are {', '.join(_IR_TYPES)}"
    return (
        f"{seen} kfp does not load {'' if port.type else 'it'}".rstrip(),
        _IR_ARTIFACT if port.is_artifact else remedy,
    )
