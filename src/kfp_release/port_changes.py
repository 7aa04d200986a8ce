"""What has changed in the inputs and outputs of one component, from one file of it to another.

Two things are the same where a pipeline cannot tell them apart: names after kfp's sanitising, types by `plain_type`,
defaults as kfp reads them. The order of outputs counts for nothing, that of inputs where they are taken by position.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from kfp_release.component import ComponentFile
from kfp_release.input_default import read_default
from kfp_release.interface import FINAL_STATUS, Port
from kfp_release.interface_change import ChangeKind, InterfaceChange
from kfp_release.terminal_text import one_line
from kfp_release.yaml_nodes import UNLOADABLE, Scalar

_SHOWN = 120
"""Letters of a name, a type or a default that are shown."""
_UNREADABLE = (*UNLOADABLE, TypeError, RecursionError)


def port_changes(old: ComponentFile, new: ComponentFile, *, descriptions: bool) -> Iterator[InterfaceChange]:
    """Each change from `old` to `new`; those of descriptions too, if they are asked for."""
    yield from _call(old, new)
    yield from _inputs(old, new)
    yield from _order(old, new)
    yield from _outputs(old, new)
    if descriptions:
        yield from _descriptions(old, new)


def signature(file: ComponentFile) -> str:
    """The interface in a line: ``(rate: Float = 0.1, data: Dataset) → model: Model``."""
    inputs = ", ".join(f"{_shown(name)}: {declared(port)}" for name, port in inputs_of(file).items())
    outputs = ", ".join(f"{_shown(name)}: {_shown(port.plain_type)}" for name, port in _by_name(file.outputs).items())
    return f"({inputs})" + (f" → {outputs}" if outputs else "")


def inputs_of(file: ComponentFile) -> dict[str, Port]:
    """What a pipeline's author gives, by name and by position: required inputs first."""
    given = _by_name([port for port in file.inputs if port.type not in _OF_STATUS])
    return dict(sorted(given.items(), key=lambda item: item[1].is_optional))


def declared(port: Port) -> str:
    """Its type, and its default if it has one: ``Float = 0.1``."""
    if not port.is_optional:
        return _shown(port.plain_type)
    return _shown(port.plain_type) + (", optional" if port.default is None else f" = {_default(port)}")


def _shown(text: str) -> str:
    """A text of a component file, in one line of bounded length."""
    return one_line(text, _SHOWN)


_OF_STATUS = {FINAL_STATUS, "TASK_FINAL_STATUS"}


def _by_name(ports: Sequence[Port]) -> dict[str, Port]:
    named: dict[str, Port] = {}
    for port in ports:
        named.setdefault(port.kfp_name, port)
    return named


def _call(old: ComponentFile, new: ComponentFile) -> Iterator[InterfaceChange]:
    """How the operator as a whole is called."""
    line = new.root.line
    if old.kind != new.kind and len(inputs_of(old)):
        kind = ChangeKind.KEYWORDS_ONLY if new.kind == "ir" else ChangeKind.POSITIONS_TOO
        how = {"v1": "v1 component YAML", "ir": "compiled YAML"}
        yield InterfaceChange(old.operator, kind, "", how[old.kind], how[new.kind], new.name, line)
    was, now = ([port for port in file.inputs if port.type in _OF_STATUS] for file in (old, new))
    if bool(was) != bool(now):
        kind = ChangeKind.EXIT_HANDLER_ONLY if now else ChangeKind.ANY_TASK_TOO
        line = now[0].line if now else line
        yield InterfaceChange(old.operator, kind, "", _names(was), _names(now), new.name, line)


def _names(ports: Sequence[Port]) -> str:
    return ", ".join(f"{_shown(port.kfp_name)}: {FINAL_STATUS}" for port in ports)


def _inputs(old: ComponentFile, new: ComponentFile) -> Iterator[InterfaceChange]:
    was, now = inputs_of(old), inputs_of(new)
    yield from _removed(was, now, ChangeKind.INPUT_REMOVED, old, new)
    for name, port in now.items():
        change = partial(InterfaceChange, old.operator, port=_shown(name), path=new.name, line=port.line)
        before = was.get(name)
        if before is None:
            yield change(ChangeKind.INPUT_ADDED, after=declared(port), is_demanded=not port.is_optional)
            continue
        if port.plain_type != before.plain_type:
            yield change(ChangeKind.INPUT_RETYPED, before=declared(before), after=declared(port))
        if port.is_optional != before.is_optional:
            kind = ChangeKind.INPUT_OPTIONAL if port.is_optional else ChangeKind.INPUT_REQUIRED
            yield change(kind, before=declared(before), after=declared(port))
        elif port.plain_type == before.plain_type and _value(port) != _value(before):
            yield change(ChangeKind.DEFAULT_CHANGED, before=_default(before), after=_default(port))


def _order(old: ComponentFile, new: ComponentFile) -> Iterator[InterfaceChange]:
    """Where a call by position would give its values to other inputs, though all of them are still there.

    An input that is removed, or new and required, breaks such a call by itself.
    """
    if old.kind != "v1" or new.kind != "v1":
        return
    was, now = inputs_of(old), inputs_of(new)
    before = [name for name in was if name in now]
    after = [name for name, port in now.items() if name in was or port.is_optional]
    if after[: len(before)] != before:
        first = next(name for name, former in zip(after, before, strict=False) if name != former)
        orders = [", ".join(map(_shown, order)) for order in (was, now)]
        yield InterfaceChange(old.operator, ChangeKind.INPUT_ORDER, "", orders[0], orders[1], new.name, now[first].line)


def _outputs(old: ComponentFile, new: ComponentFile) -> Iterator[InterfaceChange]:
    was, now = _by_name(old.outputs), _by_name(new.outputs)
    yield from _removed(was, now, ChangeKind.OUTPUT_REMOVED, old, new)
    for name, port in now.items():
        before = was.get(name)
        change = partial(InterfaceChange, old.operator, port=_shown(name), path=new.name, line=port.line)
        if before is None:
            yield change(ChangeKind.OUTPUT_ADDED, after=_shown(port.plain_type))
        elif before.plain_type != port.plain_type:
            yield change(ChangeKind.OUTPUT_RETYPED, before=_shown(before.plain_type), after=_shown(port.plain_type))


def _removed(
    was: Mapping[str, Port], now: Mapping[str, Port], kind: ChangeKind, old: ComponentFile, new: ComponentFile
) -> Iterator[InterfaceChange]:
    section = new.root.keys.get("inputs" if kind is ChangeKind.INPUT_REMOVED else "outputs")
    line = section.line if section and new.kind == "v1" else new.root.line
    for name, port in was.items():
        if name not in now:
            yield InterfaceChange(old.operator, kind, _shown(name), declared(port), "", new.name, line)


def _descriptions(old: ComponentFile, new: ComponentFile) -> Iterator[InterfaceChange]:
    change = partial(InterfaceChange, old.operator, ChangeKind.DESCRIPTION_CHANGED, path=new.name)
    was, now = (_described(file) for file in (old, new))
    if was is not None and now is not None and was != now:
        yield change(before=_shown(was), after=_shown(now), line=new.root.line)
    for ports, earlier in ((new.inputs, old.inputs), (new.outputs, old.outputs)):
        before = _by_name(earlier)
        for name, port in _by_name(ports).items():
            if name in before and port.description != before[name].description:
                words = _shown(before[name].description), _shown(port.description)
                yield change(port=_shown(name), before=words[0], after=words[1], line=port.line)


def _described(file: ComponentFile) -> str | None:
    """What is said of the component as a whole; None for compiled YAML, which says it in a comment."""
    return " ".join((file.root.text("description") or "").split()) if file.kind == "v1" else None


def _value(port: Port) -> Any:
    """The default as two of them can be compared: truths are no numbers, and what kfp cannot read is its text."""
    try:
        return json.dumps(_numbers(read_default(port)), sort_keys=True)
    except _UNREADABLE:
        return port.default.text if isinstance(port.default, Scalar) else None


def _numbers(value: Any) -> Any:
    """`value` with 3 for 3.0: compiled YAML has no whole numbers."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_numbers(item) for item in value]
    return {key: _numbers(item) for key, item in value.items()} if isinstance(value, dict) else value


def _default(port: Port) -> str:
    """The default for people."""
    if port.default is None:
        return "no default"
    try:
        value = read_default(port)
        plain = value if port.plain_type == "Float" else _numbers(value)
        return _shown(json.dumps(plain, ensure_ascii=False))
    except _UNREADABLE:
        return _shown(port.default.text) if isinstance(port.default, Scalar) else "a list or mapping"
