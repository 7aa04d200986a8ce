"""Defaults of inputs, as kfp 2.17 reads them and writes them into a compiled pipeline; in v1 and compiled YAML.

Sources: kfp.dsl.types.type_utils.deserialize_v1_component_yaml_default; kfp.compiler.pipeline_spec_builder, and
protobuf's JSON, which has no form for what is not finite.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from kfp_release.interface import IR_PARAMETERS, Port, canonical_type
from kfp_release.yaml_nodes import Items, Node, Scalar, Table, loaded, written_out

_TRUE, _FALSE = {"y", "yes", "t", "true", "on", "1"}, {"n", "no", "f", "false", "off", "0"}
_NUMBERS, _STRINGS = {"integer", "int", "float", "double"}, {"string", "str", "text"}
_BOOLEANS = {"boolean", "bool"}
_STRUCTURES: Mapping[str, type] = {"list": list, "dict": dict, "jsonarray": list, "jsonobject": dict}
_LONG = 1 << 63
_DEEPEST = 100
"""Levels of a list or object. How many kfp can write depends on the stack that it has left."""


def fits(type_: str, default: Any) -> bool:
    """Whether `default`, as YAML is loaded, can be one of the v1 type `type_`.

    None stands for no default. What is no default of any type, a date say, is not judged here.
    """
    if not isinstance(default, str | int | float):
        return True
    # By the type as it is written: kfp reads the default of a List[str] as the text that it is.
    read = _READERS.get(type_.lower(), _as_it_is)
    try:
        value = read(default)
        return value is None or _can_be_written(canonical_type(type_), value)
    except (ValueError, OverflowError, TypeError, RecursionError):
        return False


def read_default(port: Port) -> Any:
    """The default of an input as kfp gives it to the task: a number, text, truth, list or dict; None for none.

    Raise one of `UNLOADABLE`, or what kfp's own conversion raises (ValueError, OverflowError, TypeError), where the
    file has none that `fits`.
    """
    if port.default is None:
        return None
    value, is_v1 = loaded(port.default), port.type not in IR_PARAMETERS
    read = _READERS.get(port.type.lower(), _as_it_is) if is_v1 else _as_it_is
    return value if value is None else read(value)


def fits_compiled(type_: str, default: Node) -> bool:
    """Whether `default` can be one of the parameter type `type_` of compiled YAML. Null stands for no default."""
    if isinstance(default, Items | Table):
        return type_ == ("LIST" if isinstance(default, Items) else "STRUCT") and _is_value(default)
    if not isinstance(default, Scalar) or default.is_null:
        return True
    if type_ == "NUMBER_INTEGER":  # kfp writes 3 as 3.0
        return _is_number(default.value) and float(default.value).is_integer()
    if type_ == "NUMBER_DOUBLE":
        return _is_number(default.value)
    return isinstance(default.value, {"STRING": str, "BOOLEAN": bool}.get(type_, ()))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and _is_json(value)


def _is_value(node: Node) -> bool:
    """Whether JSON has a form for all that it holds."""
    match written_out(node):
        case Scalar() as scalar:
            return scalar.is_null or (isinstance(scalar.value, str | int | float) and _is_json(scalar.value))
        case Items() as items:
            return all(map(_is_value, items.nodes))
        case Table() as table:
            keys_are_texts = all(key.is_text for key in table.keys.values())
            return keys_are_texts and all(map(_is_value, table.entries.values()))
    return False


def _as_it_is(default: Any) -> Any:
    return default


def _truth(default: Any) -> Any:
    if isinstance(default, str) and default.lower() not in _TRUE | _FALSE:
        raise ValueError(default)
    return default.lower() in _TRUE if isinstance(default, str) else default


def _structure(default: Any) -> Any:
    try:
        return json.loads(default)
    except (ValueError, TypeError):  # kfp catches everything
        return default


_READERS: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("integer", "int"), int),
    **dict.fromkeys(("float", "double"), float),
    **dict.fromkeys(_STRINGS, str),
    **dict.fromkeys(_BOOLEANS, _truth),
    **dict.fromkeys(_STRUCTURES, _structure),
}


def _can_be_written(kind: str, value: Any) -> bool:
    if kind in _NUMBERS:
        return isinstance(value, int | float) and math.isfinite(value)
    if kind in _STRINGS:
        return isinstance(value, str)
    if kind in _BOOLEANS:
        return isinstance(value, int) and -_LONG <= value < _LONG
    # A text that is no JSON is handed on as it is; of JSON that is no list, kfp writes a LIST that is none.
    return kind not in _STRUCTURES or (isinstance(value, str | _STRUCTURES[kind]) and _is_json(value))


def _is_json(value: Any, level: int = 1) -> bool:
    if isinstance(value, dict | list):
        parts = value.values() if isinstance(value, dict) else value
        return level <= _DEEPEST and all(_is_json(part, level + 1) for part in parts)
    if isinstance(value, float | int):
        return math.isfinite(value)
    return isinstance(value, str) and value.encode() is not None
