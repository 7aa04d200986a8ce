"""What a program in a container hands back to kfp.

A parameter is a file at the path that the component passes as ``{outputPath: name}``. An artifact is a file at such
a path too, and besides an entry in the executor output file, which is where its metadata stands and what kfp.local
finds it by. The component passes the literal ``'{{$}}'`` to be told where that file is. Source: kfp's
pipeline_spec.proto, ExecutorInput and ExecutorOutput.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

# As typing.TYPE_CHECKING, without a third of a small program's start: typing, and inspect for a dataclass.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Value = str | int | float | bool | list[Any] | dict[str, Any]


class ExecutorInput:
    """The artifacts that a task is to make, and where it reports them.

    `artifacts` has each output artifact by name, as kfp gave it: name, type, uri, metadata.
    """

    def __init__(self, output_file: Path, artifacts: Mapping[str, Mapping[str, Any]]) -> None:
        self.output_file = output_file
        self.artifacts = artifacts

    @classmethod
    def parse(cls, text: str) -> ExecutorInput:
        """What kfp puts in place of ``'{{$}}'``. Raise `argparse.ArgumentTypeError` where it is anything else."""
        try:
            outputs = json.loads(text)["outputs"]
            artifacts = {name: item["artifacts"][0] for name, item in outputs.get("artifacts", {}).items()}
            return cls(Path(outputs["outputFile"]), artifacts)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            # Of what length, not what: the URL in it may be signed.
            raise argparse.ArgumentTypeError(
                f"a text of {len(text)} letters is not kfp's executor input; "
                "the component passes it as the literal '{{$}}'"
            ) from error

    def write_output(self, **metadata: Mapping[str, Value]) -> None:
        """Report every output artifact, with its `metadata` by the artifact's name.

        Every one, for locally an artifact that is left out does not exist for the next task. Raise `ValueError`
        for metadata of an artifact that the component does not declare, or that is not JSON.
        """
        unknown = sorted(metadata.keys() - self.artifacts.keys())
        if unknown:
            raise ValueError(
                f"the component declares no output artifact {unknown[0]!r}; it has {sorted(self.artifacts)}"
            )
        report = {
            name: {"artifacts": [{**artifact, "metadata": {**artifact.get("metadata", {}), **metadata.get(name, {})}}]}
            for name, artifact in self.artifacts.items()
        }
        _write(self.output_file, json.dumps({"artifacts": report}, allow_nan=False))


def write_parameter(path: Path, value: Value) -> None:
    """Write an output parameter: text as it is, everything else as JSON. Its folder is made: kfp does not.

    Raise `ValueError` for a number that is not finite, which JSON has no form for.
    """
    _write(path, value if isinstance(value, str) else json.dumps(value, allow_nan=False))


def output_file(path: Path) -> Path:
    """`path`, with its folder made, for an artifact's content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _write(path: Path, text: str) -> None:
    output_file(path).write_text(text, encoding="utf-8")
