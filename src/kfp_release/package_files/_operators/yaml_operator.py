"""A kfp component with a signature. Importing this module imports kfp."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from kfp import dsl
from kfp.dsl import structures, v1_structures, yaml_component
from kfp.dsl.types import type_utils

from .definition import BadDefinition, Definition, Port, documents, whole

_LARGEST = sys.float_info.max
_PYTHON_TYPES = {"String": str, "Integer": int, "Float": float, "Boolean": bool, "List": list, "Dict": dict}


class YamlOperator(yaml_component.YamlComponent):  # type: ignore[misc]  # kfp ships no types
    """A component loaded from YAML, which pipelines compile to the same IR as kfp's own.

    Called with keywords, or, for v1 component YAML, with positions too: in the order of the file, required inputs
    first. IR does not keep the order of inputs, so its components take keywords alone.
    """

    def __init__(self, definition: Definition, component_spec: structures.ComponentSpec, component_yaml: str) -> None:
        super().__init__(component_spec=component_spec, component_yaml=component_yaml)
        self.operator = definition.operator
        self.__signature__ = _signature(self.operator, component_spec, is_ordered=definition.is_v1)
        self.__doc__ = _docstring(self, definition)

    @classmethod
    def from_text(cls, operator: str, text: str) -> YamlOperator:
        """The component that the YAML `text` defines. `operator` is what pipelines call it, as in ``multiply_op``."""
        loaded = documents(operator, text)
        definition = Definition.of(operator, loaded)
        _refuse_shared(operator, definition.inputs, "inputs")
        _refuse_shared(operator, definition.outputs, "outputs")
        return cls(definition, _component_spec(definition, loaded, text), text)

    def __call__(self, *args: Any, **kwargs: Any) -> dsl.PipelineTask:
        """The task that runs the component on these arguments.

        Raise `TypeError` for names that are no inputs and for inputs that are missing, and `BadArgument`, which is
        one, too, and kfp's InconsistentTypeException, for arguments of other types.
        """
        from .operator_task import OperatorTask  # noqa: PLC0415 - help() does without

        given = {name: self._converted(name, value) for name, value in self._bind(args, kwargs).items()}
        try:
            task = super().__call__(**given)
        except (type_utils.InconsistentTypeException, ValueError) as error:
            self._refuse(given, error)
            raise
        return OperatorTask.of(task)

    def __reduce__(self) -> tuple[Any, ...]:
        # From the text: the copy keeps the images of this release, wherever it is unpickled.
        return YamlOperator.from_text, (self.operator, self.component_yaml)

    def __repr__(self) -> str:
        return f"<{_usage(self.operator, self.__signature__)}>"

    def _bind(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments by input, without None for those that may be left out."""
        parameters = self.__signature__.parameters
        ordered = [name for name, item in parameters.items() if item.kind is item.POSITIONAL_OR_KEYWORD]
        if len(args) > len(ordered):
            takes = f"at most {len(ordered)} arguments by position" if ordered else "its inputs by name only"
            raise TypeError(f"{self.operator}() takes {takes}, and got {len(args)}: {self._usage()}")
        arguments = dict(zip(ordered, args, strict=False))
        for name, value in kwargs.items():
            if name not in parameters:
                import difflib  # noqa: PLC0415 - for an error alone

                near = difflib.get_close_matches(name, parameters, n=1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise TypeError(f"{self.operator}() has no input {name!r}{hint}: {self._usage()}")
            if name in arguments:
                raise TypeError(f"{self.operator}() got input {name!r} twice: {self._usage()}")
            arguments[name] = value
        required = [name for name, item in parameters.items() if item.default is item.empty]
        missing = [name for name in required if arguments.get(name) is None]
        if missing:
            none = " (None is no argument)" if any(name in arguments for name in missing) else ""
            raise TypeError(f"{self.operator}() lacks {', '.join(map(repr, missing))}{none}: {self._usage()}")
        return {name: value for name, value in arguments.items() if value is not None}

    def _converted(self, name: str, value: Any) -> Any:
        """A whole number serves a Float input, where it is a constant; of a channel kfp knows the type alone."""
        if type(value) not in {int, float}:  # bool, which is an int too, is neither
            return value
        if not -_LARGEST <= value <= _LARGEST:  # nor is what is no number; kfp would fail as it compiles the pipeline
            self._refuse({name: value}, None)
        return float(value) if self.component_spec.inputs[name].type == "Float" else value

    def _refuse(self, arguments: Mapping[str, Any], cause: Exception | None) -> None:
        """Raise `BadArgument` where one of them is the reason why kfp raised `cause`."""
        from .arguments import BadArgument, refused  # noqa: PLC0415 - for an error alone

        for name, value in arguments.items():
            if told := refused(name, value, self.component_spec.inputs[name]):
                raise BadArgument(f"{self.operator}(): {told}") from cause

    def _usage(self) -> str:
        return f"it is {_usage(self.operator, self.__signature__)}"


def _refuse_shared(operator: str, ports: Sequence[Port], what: str) -> None:
    """Kfp writes names small and with underscores, and of two that are the same then it keeps one."""
    names = [port.name for port in ports]
    if shared := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise BadDefinition(
            f"{operator} has two {what} that are both {shared[0]!r} in kfp: one of them needs a new name"
        )


def _component_spec(definition: Definition, loaded: Sequence[Any], text: str) -> structures.ComponentSpec:
    """As kfp.components.load_component_from_text has it, which loads v1 YAML twice, and by PyYAML's slow loader.

    Raise `BadDefinition` where kfp does not load it.
    """
    try:
        if definition.is_v1 and len(loaded) == 1:
            v1_spec = v1_structures.ComponentSpec.from_dict(loaded[0])
            return structures.ComponentSpec.from_v1_component_spec(v1_spec)
        return structures.ComponentSpec.from_yaml_documents(text)
    except Exception as error:  # whatever kfp raises
        said = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        raise BadDefinition(
            f"the definition of {definition.operator} is no component that kfp loads: {said}"
        ) from error


def _usage(operator: str, signature: inspect.Signature) -> str:
    """How it is called, types by their short names."""
    texts = [
        f"{item.name}: {_type_name(item.annotation)}" + ("" if item.default is item.empty else f" = {item.default!r}")
        for item in signature.parameters.values()
    ]
    by_name = any(item.kind is item.KEYWORD_ONLY for item in signature.parameters.values())
    return f"{operator}({', '.join(['*', *texts] if by_name else texts)})"


def _type_name(annotation: Any) -> str:
    inner = ", ".join(item.__name__ for item in get_args(annotation))
    return f"{annotation.__name__}[{inner}]" if inner else str(annotation.__name__)


def _signature(operator: str, spec: structures.ComponentSpec, *, is_ordered: bool) -> inspect.Signature:
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD if is_ordered else inspect.Parameter.KEYWORD_ONLY
    inputs = {  # but for those that kfp itself gives
        name: item
        for name, item in (spec.inputs or {}).items()
        if not (type_utils.is_task_final_status_type(item.type) or type_utils.is_task_config_type(item.type))
    }
    try:
        parameters = [
            inspect.Parameter(
                name,
                kind,
                default=whole(item.type, item.default) if item.optional else inspect.Parameter.empty,
                annotation=_python_type(item),
            )
            for name, item in sorted(inputs.items(), key=lambda pair: pair[1].optional)
        ]
        if "self" in inputs:
            raise ValueError("'self' is kfp's own")  # noqa: TRY301 - as inspect says it of others
    except ValueError as error:
        raise BadDefinition(f"{operator} has an input whose name no Python call can use: {error}") from error
    return inspect.Signature(parameters, return_annotation=dsl.PipelineTask)


def _python_type(item: structures.InputSpec) -> Any:
    if item.type in _PYTHON_TYPES:
        return _PYTHON_TYPES[item.type]
    name = str(item.type).partition("@")[0].removeprefix("system.")
    artifact: Any = getattr(dsl, name, dsl.Artifact)
    return list[artifact] if item.is_artifact_list else artifact


def _docstring(operator: YamlOperator, definition: Definition) -> str:
    """Signature, inputs and outputs too, for ``help()`` of an object shows this alone."""
    lines = [_usage(operator.operator, operator.__signature__), ""]
    if operator.description:
        lines += [operator.description.strip(), ""]
    by_name = {port.name: port for port in definition.inputs}
    inputs = [
        by_name[name]._replace(default=None if item.default is item.empty else item.default)
        for name, item in operator.__signature__.parameters.items()
    ]
    for title, ports in (("Inputs", inputs), ("Outputs", definition.outputs)):
        if ports:
            lines += [f"{title}:", *(f"    {port}  {port.description}".rstrip() for port in ports), ""]
    return "\n".join([*lines, "Images:", *(f"    {image}" for image in definition.images)])
