"""The task that a call of an operator gives: kfp's own, which answers a misspelt output with the near one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kfp import dsl


class Outputs(dict[str, Any]):
    """Outputs by their names."""

    def __missing__(self, name: object) -> Any:
        import difflib  # noqa: PLC0415 - for an error alone

        near = difflib.get_close_matches(str(name), self, n=1)
        raise KeyError(f"no output {name!r}" + (f"; did you mean {near[0]!r}?" if near else f"; {_there_is(self)}"))


class OperatorTask(dsl.PipelineTask):  # type: ignore[misc]  # kfp ships no types
    """A task of kfp's in every other respect."""

    @classmethod
    def of(cls, task: dsl.PipelineTask) -> dsl.PipelineTask:
        """`task` itself, which its pipeline knows already."""
        if type(task) is dsl.PipelineTask:
            task.__class__ = cls
        return task

    @property
    def outputs(self) -> Mapping[str, Any]:
        """Raises `KeyError` with the near name for one that is none."""
        return Outputs(super().outputs)

    @property
    def output(self) -> Any:
        """The output of a task that has one. Raise `AttributeError` with the names of all where there are more."""
        outputs = self.outputs
        if len(outputs) != 1:
            raise AttributeError(
                f"task {self.name!r} has {len(outputs) or 'no'} outputs, not one; {_there_is(outputs)}"
            )
        return next(iter(outputs.values()))


def _there_is(outputs: Iterable[str]) -> str:
    names = [f".outputs[{name!r}]" for name in outputs]
    return f"there is {' and '.join(names)}" if names else "it has none"
