"""What may stand where in a component file: the keys that kfp knows, and the kind of value that each takes.

Source: kfp 2.17; for v1 kfp.dsl.v1_structures, and kfp.dsl.placeholders for what is made of it; for compiled YAML
kfp.dsl.structures, which looks at a few places of it alone.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from kfp_release.component import ComponentFile
from kfp_release.errors import Problem
from kfp_release.yaml_nodes import Items, Node, Scalar, Table, written_out


@dataclass(frozen=True, slots=True)
class _Fault:
    """What is wrong at a line."""

    line: int
    message: str
    remedy: str


_Rule: TypeAlias = Callable[[str, Node], Iterator[_Fault]]
"""What is wrong with a value, which a message calls by the name given."""

_PLACEHOLDERS = ("inputValue", "inputPath", "inputUri", "outputPath", "outputUri", "executorInput", "if")
"""Those of v1 that a cluster resolves."""


def schema_problems(file: ComponentFile) -> list[Problem]:
    """Where `file` has keys or values that kfp does not load."""
    faults = (_component if file.kind == "v1" else _compiled)("", file.root)
    return [Problem(file.name, fault.line, fault.message, fault.remedy) for fault in faults]


def _seen(node: Node) -> str:
    if not isinstance(node, Scalar):
        return "a list" if isinstance(node, Items) else "a mapping"
    value = node.value
    if value is None:
        return "null"
    kinds = {str: "a text", bool: "true or false", int: "a number", float: "a number"}
    return f"{kinds.get(type(value), 'a date or time')}: {node.text[:60]}"


def _scalar(*kinds: type, wanted: str, remedy: str) -> _Rule:
    """A single value of one of `kinds`; what is loaded decides, so true is no number."""

    def rule(name: str, node: Node) -> Iterator[_Fault]:
        if not isinstance(node, Scalar) or type(node.value) not in kinds:
            yield _Fault(node.line, f"{name} must be {wanted}, and is {_seen(node)}", remedy)

    return rule


def _anything(_name: str, _node: Node) -> Iterator[_Fault]:
    yield from ()


def _optional(rule: _Rule) -> _Rule:
    """Null, or what `rule` takes."""

    def optional(name: str, node: Node) -> Iterator[_Fault]:
        if not (isinstance(node, Scalar) and node.is_null):
            yield from rule(name, node)

    return optional


def _list_of(rule: _Rule, item: str) -> _Rule:
    def a_list(name: str, node: Node) -> Iterator[_Fault]:
        if isinstance(node, Items):
            for each in node.nodes:
                yield from rule(item.format(name=name), written_out(each))
        else:
            yield _Fault(node.line, f"{name} must be a list, and is {_seen(node)}", "write each element behind a -")

    return a_list


def _mapping_of(rule: _Rule) -> _Rule:
    """Any keys, as long as they are texts."""

    def mapping(name: str, node: Node) -> Iterator[_Fault]:
        if not isinstance(node, Table):
            yield _Fault(node.line, f"{name} must be a mapping, and is {_seen(node)}", "write key: value in each line")
            return
        for key, value in node.entries.items():
            yield from _text(f"the key {key[:60]!r} of {name}", node.keys[key])
            yield from rule(_part_name(name, key[:60]), written_out(value))

    return mapping


def _fields(known: Mapping[str, _Rule], *required: str, is_open: bool = False) -> _Rule:
    """These keys, and no other unless it `is_open`."""

    def fields(name: str, node: Node) -> Iterator[_Fault]:
        if not isinstance(node, Table):
            remedy = f"write a mapping with {', '.join(required or sorted(known)) or 'what kfp compiled'}"
            yield _Fault(node.line, f"{name} must be a mapping, and is {_seen(node)}", remedy)
            return
        unknown = [] if is_open else [key for key in node.entries if key not in known]
        for key in unknown:
            near = difflib.get_close_matches(key, sorted(known), 1)
            remedy = f"did you mean {near[0]}?" if near else f"known are: {', '.join(sorted(known))}"
            where = f"in {name}" if name else "at its top"
            yield _Fault(node.keys[key].line, f"has the key {key[:80]!r} {where}, which kfp refuses", remedy)
        for key, rule in known.items():
            if (value := node.get(key)) is not None:
                yield from rule(_part_name(name, key), value)
            elif key in required and not unknown:  # a key that is unknown may be the one that is missing
                yield _Fault(node.line, f"has no {_part_name(name, key)}", f"add {key}: …")

    return fields


def _part_name(name: str, key: str) -> str:
    """How messages call what stands at a key of `name`."""
    return f"{key} of {name}" if " " in name else f"{name}.{key}".lstrip(".")


def _named(kind: str, rule: _Rule) -> _Rule:
    """A port, which messages call by its kind and name."""

    def named(_name: str, node: Node) -> Iterator[_Fault]:
        name = node.text("name") if isinstance(node, Table) else None
        yield from rule(f"{kind} {name or '?'!r:.80}", node)

    return named


def _element(name: str, node: Node) -> Iterator[_Fault]:
    """One word of a command line: a text or a placeholder."""
    if not isinstance(node, Table):
        yield from _text(name, node)
        return
    if len(node.entries) != 1:
        message = f"{name} is a mapping with {len(node.entries)} keys, and a placeholder has one"
        yield _Fault(node.line, message, "write it as {inputValue: name}, or in quotes if it is a text")
        return
    ((key, value),) = node.entries.items()
    if key in _ELEMENTS:
        yield from _ELEMENTS[key](f"{key} in {name}", written_out(value))
    else:
        message = f"has the placeholder {key[:60]!r}, which kfp does not know"
        yield _Fault(node.line, message, f"known are: {', '.join(_PLACEHOLDERS)}")


def _name(name: str, node: Node) -> Iterator[_Fault]:
    faults = list(_text(name, node))
    yield from faults
    if not faults and isinstance(node, Scalar) and not node.text:
        yield _Fault(node.line, f"{name} is empty", "write the name of an input or output")


def _else(name: str, node: Node) -> Iterator[_Fault]:
    # kfp converts a placeholder that stands alone, and then goes on with what it converted.
    if isinstance(node, Table):
        yield _Fault(node.line, f"{name} is a placeholder outside of a list, which kfp loses", "write it in a list")
    else:
        yield from _elements(name, node)


def _elements(name: str, node: Node) -> Iterator[_Fault]:
    yield from (_words if isinstance(node, Items) else _element)(name, node)


_text = _scalar(str, wanted="a text", remedy="write it as a text, in quotes")
_truth = _scalar(bool, wanted="true or false", remedy="write true or false, without quotes")
_null = _scalar(type(None), wanted="null", remedy="write {executorInput: null}, or '{{$}}'")
_default = _scalar(
    *(str, int, float, bool),
    wanted="a text, a number, true or false",
    remedy="write it in quotes; a list or mapping as JSON: '[1, 2]'",
)
_words = _list_of(_element, "an element of {name}")
_condition = _fields({"isPresent": _name}, "isPresent")
_ELEMENTS: Mapping[str, _Rule] = {
    **dict.fromkeys(_PLACEHOLDERS[:5], _name),
    "executorInput": _null,
    "concat": _words,
    "if": _fields({"cond": _condition, "then": _elements, "else": _optional(_else)}, "cond", "then"),
}
_port = {
    "name": _text,
    "type": _anything,
    "description": _optional(_text),
    "annotations": _optional(_mapping_of(_anything)),
}
_input = _named("input", _fields({**_port, "default": _optional(_default), "optional": _optional(_truth)}, "name"))
_output = _named("output", _fields(_port, "name"))
_texts = _optional(_mapping_of(_text))
_container = _fields(
    {
        "image": _text,
        "command": _optional(_words),
        "args": _optional(_words),
        "env": _texts,
        "fileOutputs": _texts,
    },
    "image",
)
_component = _fields(
    {
        "name": _optional(_text),
        "description": _optional(_text),
        "metadata": _optional(_fields({"annotations": _texts, "labels": _texts})),
        "inputs": _optional(_list_of(_input, "input")),
        "outputs": _optional(_list_of(_output, "output")),
        "implementation": _fields({"container": _container}, "container"),
        "version": _optional(_text),
    },
    "implementation",
)


def _texts_alone(name: str, node: Node) -> Iterator[_Fault]:
    for item in node.nodes if isinstance(node, Items) else ():
        yield from _text(f"an element of {name}", written_out(item))


_executor = _fields(
    {"container": _fields({"command": _texts_alone, "args": _texts_alone}, is_open=True)},
    is_open=True,
)
_ports = _mapping_of(_fields({"description": _text, "isOptional": _truth, "isArtifactList": _truth}, is_open=True))
_definitions = _fields({"parameters": _ports, "artifacts": _ports}, is_open=True)
_task = _fields({"componentRef": _fields({"name": _text}, "name", is_open=True)}, "componentRef", is_open=True)
_dag = _fields({"tasks": _mapping_of(_task)}, is_open=True)
_both = dict.fromkeys(("inputDefinitions", "outputDefinitions"), _definitions)
_part = _fields({"executorLabel": _text, "dag": _dag, **_both}, is_open=True)
_compiled = _fields(
    {
        "pipelineInfo": _fields({"name": _text}, "name", is_open=True),
        "components": _mapping_of(_part),
        "root": _part,
        "deploymentSpec": _fields({"executors": _mapping_of(_executor)}, is_open=True),
        **dict.fromkeys(("schemaVersion", "sdkVersion", "defaultPipelineRoot"), _anything),
    },
    *("pipelineInfo", "components", "root"),
)
