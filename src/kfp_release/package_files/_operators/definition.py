"""What a component file declares: inputs, outputs and images. Read with PyYAML alone, without kfp."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import yaml

# The safe loader in C, where PyYAML was built with it.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_IR_TYPES = {
    "STRING": "String",
    "NUMBER_INTEGER": "Integer",
    "NUMBER_DOUBLE": "Float",
    "BOOLEAN": "Boolean",
    "LIST": "List",
    "STRUCT": "Dict",
}
# As kfp does it, in kfp.dsl.types.type_utils, whatever their letters' case.
_V1_TYPES = {
    **dict.fromkeys(("string", "str", "text"), "String"),
    **dict.fromkeys(("integer", "int"), "Integer"),
    **dict.fromkeys(("float", "double"), "Float"),
    **dict.fromkeys(("boolean", "bool"), "Boolean"),
    **dict.fromkeys(("list", "jsonarray"), "List"),
    **dict.fromkeys(("dict", "jsonobject"), "Dict"),
}


_OF_KFP = {"PipelineTaskFinalStatus", "TASK_FINAL_STATUS", "TASK_CONFIG"}
"""Types of inputs that kfp fills by itself."""


class BadDefinition(ValueError):
    """A file that is no component definition."""


class Port(NamedTuple):
    """One input or output, under the name by which a pipeline passes or takes it."""

    name: str
    type: str
    """By one name for all that component files write: ``Float`` for Double and NUMBER_DOUBLE, ``Dataset``."""
    description: str = ""
    optional: bool = False
    default: Any = None

    def __str__(self) -> str:
        if self.default is None:
            return f"{self.name}: {self.type}"
        return f"{self.name}: {self.type} = {self.default if self.default != '' else repr('')}"


class Definition(NamedTuple):
    """One component file. `is_v1` where it is v1 component YAML, and not compiled IR, which has no order of inputs."""

    operator: str
    is_v1: bool
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    images: tuple[str, ...]

    @classmethod
    def parse(cls, operator: str, text: str) -> Definition:
        """Raise `BadDefinition`, with the `operator`'s name, where `text` is no component."""
        return cls.of(operator, documents(operator, text))

    @classmethod
    def of(cls, operator: str, loaded: Sequence[Any]) -> Definition:
        """From what `documents` gives. Raise `BadDefinition` as `parse`."""
        try:
            value = loaded[0]
            return _from_v1(operator, value) if "implementation" in value else _from_ir(operator, value)
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            raise _bad(operator, error) from error


def documents(operator: str, text: str) -> list[Any]:
    """What the documents of a component file hold. Raise `BadDefinition` where it is no YAML."""
    try:
        return list(yaml.load_all(text, Loader=_Loader))
    # Of a date in month 13, a number without end, and brackets in brackets in brackets.
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise _bad(operator, error) from error


def _bad(operator: str, error: Exception) -> BadDefinition:
    said = " ".join(str(error).split())[:300]
    return BadDefinition(f"the definition of {operator} is no component YAML: {type(error).__name__}: {said}")


def _from_v1(operator: str, value: Mapping[str, Any]) -> Definition:
    return Definition(
        operator=operator,
        is_v1=True,
        inputs=tuple(port for port in map(_v1_port, value.get("inputs") or ()) if port.type not in _OF_KFP),
        outputs=tuple(_v1_port(port) for port in value.get("outputs") or ()),
        images=(str(value["implementation"]["container"]["image"]),),
    )


def _v1_port(port: Mapping[str, Any]) -> Port:
    return Port(
        # As kfp does it, in kfp.dsl.utils.sanitize_input_name.
        name=re.sub("[^_0-9a-z]+", "_", port["name"].lower()).strip("_"),
        type=plain_type(str(port.get("type", "Artifact"))),
        description=" ".join(str(port.get("description", "")).split()),
        optional=bool(port.get("optional")) or "default" in port,
        default=port.get("default"),
    )


def _from_ir(operator: str, value: Mapping[str, Any]) -> Definition:
    # As kfp does it, in kfp.dsl.structures.ComponentSpec.from_ir_dicts.
    name = re.sub("[^0-9a-z]+", "-", value["pipelineInfo"]["name"].lower()).strip("-")
    component = value["components"].get(f"comp-{name}", value["root"])
    executors = value["deploymentSpec"]["executors"].values()
    images = [str(executor["container"]["image"]) for executor in executors if "container" in executor]
    return Definition(
        operator=operator,
        is_v1=False,
        inputs=tuple(port for port in _ir_ports(component.get("inputDefinitions", {})) if port.type not in _OF_KFP),
        outputs=_ir_ports(component.get("outputDefinitions", {})),
        images=tuple(dict.fromkeys(images)),
    )


def _ir_ports(definitions: Mapping[str, Any]) -> tuple[Port, ...]:
    ports = {**definitions.get("parameters", {}), **definitions.get("artifacts", {})}
    return tuple(
        Port(
            name=name,
            type=_ir_type(port),
            description=" ".join(port.get("description", "").split()),
            optional=port.get("isOptional", "defaultValue" in port),
            default=whole(_ir_type(port), port.get("defaultValue")),
        )
        for name, port in ports.items()
    )


def _ir_type(port: Mapping[str, Any]) -> str:
    if "parameterType" in port:
        return plain_type(str(port["parameterType"]))
    return plain_type(str(port["artifactType"]["schemaTitle"]), is_list=bool(port.get("isArtifactList")))


def plain_type(name: str, *, is_list: bool = False) -> str:
    """A type by one name for all that write it: ``Float`` for NUMBER_DOUBLE too, ``Dataset`` for system.Dataset.

    `is_list` where it is a list of such artifacts.
    """
    plain = name.removeprefix("typing.").partition("[")[0]
    known = _IR_TYPES.get(name) or _V1_TYPES.get(plain.lower())
    plain = known or name.partition("@")[0].removeprefix("system.")
    return f"List[{plain}]" if is_list else plain


def whole(type_: str, default: Any) -> Any:
    """A default of a compiled Integer is written 2.0."""
    return int(default) if type_ == "Integer" and isinstance(default, float) and default.is_integer() else default
