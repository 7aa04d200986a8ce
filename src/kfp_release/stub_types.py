"""What a type checker is told of inputs and outputs: annotations, and the classes behind them.

While a pipeline is compiled an output is a channel of kfp's, and so is a pipeline's parameter, which its author
annotates with the type that its value will have: ``a: float``. An output is therefore told as both, a channel and a
value, so that it can be handed on, compared, looped over and returned.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from kfp_release.interface import IR_PARAMETERS, Port

PRELUDE = '''\
from collections.abc import Sequence
from typing import Any, Literal, Protocol, Self, TypeAlias, TypedDict

from kfp import dsl
from kfp.components import YamlComponent
from kfp.dsl.pipeline_channel import PipelineArtifactChannel, PipelineChannel, PipelineParameterChannel

class _Channel(Protocol):
    """What kfp knows the value of when the pipeline runs: an output of another component, a loop's item, dsl.OneOf."""

    channel_type: str | dict[Any, Any]
    @property
    def full_name(self) -> str: ...
    @property
    def pattern(self) -> str: ...

class _PipelineArtifact(Protocol):
    """An artifact that is an input of the pipeline: dsl.Input[dsl.Dataset], say."""

    schema_title: str
    name: Any
    uri: Any
    metadata: Any

class _ArtifactChannel(dsl.Artifact, PipelineArtifactChannel):
    """An artifact that a task gives."""

class _NotOne:
    """The task has no output, or several: take one by its name, as in ``task.outputs["name"]``."""

class UnpinnedWarning(UserWarning):
    """The components name their image without a digest, so what runs can change or be missing."""
'''
NOT_ONE = "_NotOne"

_VALUES = {
    "String": "str",
    "Integer": "int",
    "Float": "float",
    "Boolean": "bool",
    "List": "list[Any]",
    "Dict": "dict[str, Any]",
}
_IR_NAMES = {plain: name for name, plain in IR_PARAMETERS.items()}
_ARTIFACT = "system.Artifact"
_PLAIN = re.compile(r"[A-Za-z0-9_.@ -]+")
_OF_KFP = {
    *("Artifact", "Model", "Dataset", "Metrics", "ClassificationMetrics", "SlicedClassificationMetrics"),
    *("HTML", "Markdown"),
}


class Names:
    """The names of one module, each given once."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)

    def take(self, wanted: str) -> str:
        """`wanted`, with a number where something else has that name."""
        name, number = wanted, 1
        while name in self._taken:
            number += 1
            name = f"{wanted}{number}"
        self._taken.add(name)
        return name


class StubTypes:
    """The types of all `inputs` and `outputs` of a module whose classes get their names from `names`."""

    def __init__(self, inputs: Iterable[Port], outputs: Iterable[Port], names: Names) -> None:
        given = list(outputs)
        self._versions = {schema_title(port): schema_version(port) for port in given if port.is_artifact}
        one = {schema_title(port) for port in given if port.is_artifact and not port.is_list}
        many = {schema_title(port) for port in given if port.is_list}
        asked = {schema_title(port) for port in inputs if port.is_artifact and not port.is_list}
        parameters = [plain for plain in _VALUES if any(_parameter(port) == plain for port in given)]
        self._inputs = {title: names.take(f"_{_short(title)}") for title in sorted(asked)}
        self._parameters = {plain: names.take(f"_{plain}Output") for plain in parameters}
        self._outputs = {title: names.take(f"_{_short(title)}Output") for title in sorted(one)}
        self._lists = {title: names.take(f"_{_short(title)}ListOutput") for title in sorted(many)}

    def given(self, port: Port) -> str:
        """What an input takes."""
        if not port.is_artifact:
            return f"{_VALUES.get(port.plain_type, 'Any')} | _Channel"
        return "Sequence[_PipelineArtifact] | _Channel" if port.is_list else self._inputs[schema_title(port)]

    def output(self, port: Port) -> str:
        """What a task has as an output."""
        if not port.is_artifact:
            return self._parameters.get(port.plain_type, "PipelineParameterChannel")
        return (self._lists if port.is_list else self._outputs)[schema_title(port)]

    def definitions(self) -> Iterator[str]:
        """The classes behind them, each with its lines."""
        for plain, name in self._parameters.items():
            yield _class(name, _VALUES[plain], "PipelineParameterChannel", (plain, _IR_NAMES[plain]))
        for title, name in self._outputs.items():
            text = _class(name, "_ArtifactChannel", _kfp_class(title), (f"{title}@{self._versions[title]}",))
            yield f"{text}    schema_title: Literal[{quoted(title)}]\n"
        for title, name in self._lists.items():
            kind = f"{title}@{self._versions[title]}"
            yield _class(name, f"list[{_kfp_class(title)}]", "PipelineArtifactChannel", (kind,))
        for title, name in self._inputs.items():
            fitting = [self._outputs[each] for each in (title, _ARTIFACT) if each in self._outputs]
            takes = ["_ArtifactChannel"] if title == _ARTIFACT else fitting
            yield f"{name}: TypeAlias = {' | '.join([*takes, '_PipelineArtifact', '_Channel'])}\n"


def schema_title(port: Port) -> str:
    """The kind of an artifact, ``system.Dataset``; kfp takes a type that it does not know for one of any kind."""
    plain = port.plain_type.removeprefix("List[").removesuffix("]") if port.is_known else "Artifact"
    return plain if "." in plain else f"system.{plain}"


def quoted(text: str) -> str:
    """`text` as a literal of Python."""
    return f'"{text}"' if _PLAIN.fullmatch(text) else ascii(text)


def _class(name: str, base: str, other: str, kinds: Iterable[str]) -> str:
    return f"class {name}({base}, {other}):\n    channel_type: Literal[{', '.join(map(quoted, kinds))}]\n"


def _parameter(port: Port) -> str:
    return "" if port.is_artifact else port.plain_type


def schema_version(port: Port) -> str:
    """The version of that kind: ``0.0.1``."""
    return port.type.partition("@")[2] or "0.0.1"


def _short(title: str) -> str:
    """A title as part of a class's name: ``Dataset``, ``GoogleVertexModel``."""
    words = re.findall(r"[A-Za-z0-9]+", title.removeprefix("system."))
    return "".join(word[:1].upper() + word[1:] for word in words) or "Artifact"


def _kfp_class(title: str) -> str:
    name = title.removeprefix("system.")
    return f"dsl.{name if name in _OF_KFP else 'Artifact'}"
