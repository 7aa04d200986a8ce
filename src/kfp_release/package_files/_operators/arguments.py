"""Arguments that kfp refuses, told in the words of a pipeline's author.

kfp is asked first: what it takes is taken. Of the rest this says what it is, what the input is, and what to write.
Importing this module imports kfp.
"""

from __future__ import annotations

import math
from typing import Any

from kfp import dsl
from kfp.dsl import base_component, for_loop, pipeline_channel, structures
from kfp.dsl.types import type_utils

from .definition import plain_type

_CONSTANTS = {str: "String", int: "Integer", float: "Float", bool: "Boolean", list: "List", dict: "Dict"}
_PYTHON = {"String": "str", "Integer": "int", "Float": "float", "Boolean": "bool", "List": "list", "Dict": "dict"}
_CONVERSIONS = {
    "String": "__str__",
    "Integer": "__int__",
    "Float": "__float__",
    "Boolean": "__bool__",
    "List": "__iter__",
    "Dict": "keys",
}
"""The methods by which Python makes a value of another one."""
_BYTES = (bytes, bytearray)


class BadArgument(type_utils.InconsistentTypeException, TypeError):  # type: ignore[misc]  # kfp ships no types
    """An argument that is not of its input's type."""


def refused(name: str, value: Any, item: structures.InputSpec) -> BadArgument | None:
    """What is wrong with `value` for the input `name`, which is `item`; None where kfp takes it."""
    if type(value) in {int, float} and not _is_finite(value):
        return BadArgument(
            f"input {name!r} is {_short(value)}, and a pipeline holds finite numbers alone, up to 1.8e308"
        )
    if not _fits(value, item):
        expected = plain_type(str(item.type), is_list=bool(item.is_artifact_list))
        told = (
            _remedy_of_task(value, item, expected) if isinstance(value, dsl.PipelineTask) else _remedy(value, expected)
        )
        return BadArgument(f"input {name!r} is {_article(expected)}, and {_origin(value)}: {told}")
    return None


def _fits(value: Any, item: structures.InputSpec) -> bool:
    try:
        type_utils.verify_type_compatibility(value, item, "")
    except (type_utils.InconsistentTypeException, ValueError):
        return False
    return True


def _is_finite(value: float) -> bool:
    """Whether compiled pipelines can hold it: protobuf's Value is a double, and its JSON has no form for others."""
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def _origin(value: Any) -> str:
    if isinstance(value, pipeline_channel.PipelineChannel):
        return f"{_channel(value)} is {_article(_channel_type(value))}"
    if isinstance(value, dsl.PipelineTask):
        return f"this is the task {value.name!r}"
    if isinstance(value, base_component.BaseComponent):
        return f"this is the component {value.name!r}, which is not called"
    kind = _CONSTANTS.get(type(value))
    return f"{_short(value)} is {_article(kind)}" if kind else f"this is a {_type_name(value)}"


def _channel(value: pipeline_channel.PipelineChannel) -> str:
    if _is_loop_item(value):
        return "the loop's item"
    if isinstance(value, for_loop.Collected):
        return f"what dsl.Collected gathers of output {value.output.name!r}"
    if isinstance(value, pipeline_channel.OneOfMixin):
        return "what dsl.OneOf gives"
    if value.task_name is None:
        return f"pipeline parameter {value.name!r}"
    return f"output {value.name!r} of task {value.task_name!r}"


def _channel_type(value: pipeline_channel.PipelineChannel) -> str:
    name = str(value.channel_type)
    if type_utils.is_parameter_type(name):  # of a loop's item it may be List[int], which kfp reads as an int here
        return plain_type(type_utils.get_parameter_type_name(name))
    return plain_type(name, is_list=bool(getattr(value, "is_artifact_list", False)))


def _remedy_of_task(task: dsl.PipelineTask, item: structures.InputSpec, expected: str) -> str:
    fitting = [f".outputs[{name!r}]" for name, output in task.outputs.items() if _fits(output, item)]
    if fitting:
        return f"give it {' or '.join(fitting)}"
    return f"none of its outputs is {_article(expected)}" if task.outputs else "it has no outputs"


def _remedy(value: Any, expected: str) -> str:
    if isinstance(value, base_component.BaseComponent):
        return "call it, and give an output of the task"
    is_parameter = expected in _PYTHON
    if isinstance(value, pipeline_channel.PipelineChannel):
        return _remedy_of_channel(value, expected) if is_parameter else _artifact(expected)
    if not is_parameter:
        return _artifact(expected)
    if type(value) not in _CONSTANTS and _is_convertible(value, expected):
        made = ".decode()" if isinstance(value, _BYTES) else f"{_PYTHON[expected]}(…)"
        return f"{made} makes a constant of it, where it can be one"
    return f"write {_rewritten(value, expected)}"


def _is_convertible(value: Any, expected: str) -> bool:
    """Whether Python makes a value of the expected type of such ones; of functions, classes and plain objects none."""
    if isinstance(value, _BYTES):
        return expected == "String"
    method = getattr(type(value), _CONVERSIONS[expected], None)
    return method is not None and method is not object.__str__


def _remedy_of_channel(value: pipeline_channel.PipelineChannel, expected: str) -> str:
    if not type_utils.is_parameter_type(str(value.channel_type)):
        return f"an artifact is no value; give it an output that is {_article(expected)}"
    if isinstance(value, for_loop.Collected):
        return f"give it one {expected}, not a list of them"
    if _is_loop_item(value):
        return "loop over floats, 1.0 rather than 1" if expected == "Float" else f"loop over {_PYTHON[expected]}"
    if value.task_name is None:
        return f"annotate it as `{value.name}: {_PYTHON[expected]}` in the pipeline"
    return f"declare that output as {expected} (-> {_PYTHON[expected]}) in its component"


def _artifact(expected: str) -> str:
    takes = f"an output that is {_article(expected)}"
    name = expected.removeprefix("List[").removesuffix("]")
    if not hasattr(dsl, name):  # google.VertexModel
        return f"give it {takes}"
    annotation = f"List[dsl.{name}]" if name != expected else f"dsl.{name}"
    return f"give it {takes}, or an input of the pipeline, `dsl.Input[{annotation}]`"


def _rewritten(value: Any, expected: str) -> str:
    """A constant as one of the expected type, where there is but one way to read it; else the type."""
    if expected == "Boolean":
        return "True or False"
    if expected in {"Integer", "Float"} and isinstance(value, str | bool | float):
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if expected == "Float" and math.isfinite(number):
            return repr(number)
        if number.is_integer():
            return repr(int(number))
    if expected == "String" and isinstance(value, bool | int | float):
        return repr(str(value))
    return _article(_PYTHON[expected])


def _is_loop_item(value: pipeline_channel.PipelineChannel) -> bool:
    kinds = (for_loop.LoopParameterArgument, for_loop.LoopArtifactArgument, for_loop.LoopArgumentVariable)
    return isinstance(value, kinds)


def _article(name: str) -> str:
    return f"{'an' if name[:1] in 'AEIOaeio' else 'a'} {name}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"  # noqa: PLR2004 - it is to fit a line


def _type_name(value: Any) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
