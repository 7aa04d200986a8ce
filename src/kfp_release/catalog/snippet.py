"""A pipeline that calls a component, small and whole: it compiles as it stands once the package is installed."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from kfp_release.catalog.fit import fits
from kfp_release.component import ComponentFile
from kfp_release.interface import FINAL_STATUS, Port
from kfp_release.stub import Operator
from kfp_release.stub_types import quoted, schema_title, schema_version

_CONSTANTS = {
    "String": '"text"',
    "Integer": "1",
    "Float": "1.0",
    "Boolean": "True",
    "List": '["text"]',
    "Dict": '{"key": "value"}',
}
_OF_KFP = {
    *("Artifact", "Model", "Dataset", "Metrics", "ClassificationMetrics", "SlicedClassificationMetrics"),
    *("HTML", "Markdown"),
}
_ANY = "system.Artifact"
_MOST = 4
"""Calls that one input may take before an importer says more."""
_WIDE = 88
_INDENT = "    "


class _Source(NamedTuple):
    """Where an artifact comes from: the output of an operator, after so many calls."""

    calls: int
    operator: str
    output: Port


@dataclass(frozen=True, slots=True)
class _Callable:
    """A component that a pipeline can call."""

    told: Operator
    is_exit_handler: bool
    """Whether kfp takes it as the exit task of a dsl.ExitHandler alone."""

    @property
    def required(self) -> Sequence[Port]:
        return [port for port in self.told.inputs if not port.is_optional]

    @property
    def artifacts(self) -> Sequence[Port]:
        return [port for port in self.required if port.is_artifact]


class Snippets:
    """The snippets of one version, whose components may give each other what they need."""

    def __init__(self, package: str, files: Iterable[ComponentFile]) -> None:
        """`package` is what a pipeline imports; `files` are the component files of the version."""
        self._package = package
        told = [_Callable(Operator.of(file), any(map(_is_status, file.inputs))) for file in files]
        self._callable = {one.told.name: one for one in told if one.told.is_callable}
        self._sources = self._found_sources()

    def of(self, operator: str) -> str:
        """That of one component; empty where no Python program can call it."""
        called = self._callable.get(operator)
        if called is None:
            return ""
        pipeline = _Pipeline(self._callable, self._sources)
        body = pipeline.body(called)
        name = f"{operator.removesuffix('_op')}_pipeline"
        classes = "".join(f"\n\n{text}" for text in pipeline.classes.values())
        lines = "".join(f"{_INDENT}{line}\n" for line in body)
        head = f"from kfp import dsl\n\nfrom {self._package} import operators\n"
        return f"{head}{classes}\n\n@dsl.pipeline\ndef {name}():\n{lines}"

    def _found_sources(self) -> dict[str, _Source]:
        """For each kind of artifact the way to it that takes the fewest calls, by the components alone."""
        best: dict[str, _Source] = {}
        givers = [one for _, one in sorted(self._callable.items()) if not one.is_exit_handler]
        for _ in range(_MOST):
            for one in givers:
                needed = [_source(best, port) for port in one.artifacts]
                calls = 1 + sum(each.calls for each in needed if each)
                if None in needed or calls > _MOST:
                    continue
                for output in one.told.outputs:
                    kind = schema_title(output)
                    if output.is_artifact and not output.is_list and (kind not in best or calls < best[kind].calls):
                        best[kind] = _Source(calls, one.told.name, output)
        return best


@dataclass(slots=True)
class _Pipeline:
    """One pipeline, while it is written."""

    callable: Mapping[str, _Callable]
    sources: Mapping[str, _Source]
    lines: list[str] = field(default_factory=list)
    classes: dict[str, str] = field(default_factory=dict)
    """Of artifacts that kfp itself has no class of, by kind."""
    tasks: dict[str, str] = field(default_factory=dict)
    """The variable of each call, by the operator."""
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def body(self, called: _Callable) -> list[str]:
        """The lines of the pipeline, not indented."""
        if called.is_exit_handler:
            call = self._call(called)
            others = [one for _, one in sorted(self.callable.items()) if not one.is_exit_handler and not one.artifacts]
            inner = self._call(others[0]) if others else [f"{self._importer(_ANY, '0.0.1')}"]
            handler = [f"exit_task = {call[0]}", *call[1:]]
            return [*self.lines, *handler, "with dsl.ExitHandler(exit_task):", *(f"{_INDENT}{one}" for one in inner)]
        call = self._call(called)
        return [*self.lines, *call]

    def _call(self, called: _Callable) -> list[str]:
        """The call, after the lines that make what it needs."""
        given = [f"{port.kfp_name}={self._argument(called, port)}" for port in called.required]
        name = f"operators.{called.told.name}"
        line = f"{name}({', '.join(given)})"
        if len(line) + len(_INDENT) <= _WIDE:
            return [line]
        return [f"{name}(", *(f"{_INDENT}{one}," for one in given), ")"]

    def _argument(self, called: _Callable, port: Port) -> str:
        if not port.is_artifact:
            return _CONSTANTS.get(port.plain_type, _CONSTANTS["String"])
        source = _source(self.sources, port)
        if source is not None and source.operator != called.told.name and not called.is_exit_handler:
            return f"{self._task(source.operator)}.outputs[{quoted(source.output.kfp_name)}]"
        return self._imported(port)

    def _task(self, operator: str) -> str:
        """The variable of the call of another component."""
        if operator not in self.tasks:
            name = self.tasks[operator] = f"{operator.removesuffix('_op')}_task"
            first, *more = self._call(self.callable[operator])
            self.lines += [f"{name} = {first}", *more]
        return self.tasks[operator]

    def _imported(self, port: Port) -> str:
        """An artifact that lies somewhere already; of a list, two."""
        kind, version = schema_title(port), schema_version(port)
        name = f"imported_{next(self.numbers)}"
        if not port.is_list:
            self.lines.append(f"{name} = {self._importer(kind, version)}")
            return f"{name}.output"
        self.lines += [
            'with dsl.ParallelFor(["s3://bucket/one", "s3://bucket/two"]) as uri:',
            f"{_INDENT}{name} = dsl.importer(artifact_uri=uri, artifact_class={self._class(kind, version)})",
        ]
        return f"dsl.Collected({name}.output)"

    def _importer(self, kind: str, version: str) -> str:
        return f'dsl.importer(artifact_uri="s3://bucket/path", artifact_class={self._class(kind, version)})'

    def _class(self, kind: str, version: str) -> str:
        """What Python calls this kind of artifact."""
        plain = kind.removeprefix("system.")
        if plain in _OF_KFP:
            return f"dsl.{plain}"
        name = "".join(letter for letter in kind.rpartition(".")[2] if letter.isalnum() and letter.isascii())
        name = name if name.isidentifier() and name not in {"dsl", "operators"} else "Imported"
        self.classes[kind] = (
            f"class {name}(dsl.Artifact):\n{_INDENT}schema_title = {quoted(kind)}\n"
            f"{_INDENT}schema_version = {quoted(version)}\n"
        )
        return name


def _source(sources: Mapping[str, _Source], port: Port) -> _Source | None:
    """Where what `port` takes comes from; None where an importer says it as well."""
    source = None if port.is_list or schema_title(port) == _ANY else sources.get(schema_title(port))
    return source if source and fits(source.output, port) else None


def _is_status(port: Port) -> bool:
    return port.plain_type == FINAL_STATUS
