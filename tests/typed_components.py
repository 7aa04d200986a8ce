"""Component files of every kind, beside this project's own: all types, compiled ones, words that are hard to quote."""

# No `from __future__ import annotations`: kfp reads the annotations as they are.

from pathlib import Path
from typing import List, NamedTuple  # noqa: UP035 - kfp knows lists of artifacts by this name alone

from installation import REPOSITORY
from kfp import compiler, dsl

EVERYTHING = f"""\
name: Everything
description: 'Has "quotes", \\ backslashes, \"\"\"more quotes\"\"\", and ÄÖ€.'
inputs:
- {{name: data, type: Dataset, description: "It ends in a quote: \\""}}
- {{name: Some Text, type: String, default: 'it''s "yes"\\no'}}
- {{name: count, type: Integer, default: '3'}}
- {{name: factor, type: Double, optional: true}}
- {{name: switch, type: Boolean, default: 'False'}}
- {{name: many, type: JsonArray, default: '[1, 2]'}}
- {{name: more, type: JsonObject, default: '{{"a": 1}}'}}
- {{name: list, type: String, default: '{"long " * 30}'}}
- {{name: required, type: Integer}}
outputs:
- {{name: class, type: Model}}
- {{name: text, type: String}}
- {{name: whole, type: Integer}}
- {{name: flag, type: Boolean}}
- {{name: items, type: List}}
- {{name: table of, type: Dict}}
implementation:
  container:
    image: {REPOSITORY}
    command: [run, {{inputValue: Some Text}}, {{inputPath: data}}, {{inputValue: count}}, {{inputValue: required}}]
"""
MUTE = f"""\
name: Mute
implementation:
  container:
    image: {REPOSITORY}
    command: [run]
"""
OWN_LINES = f"""\
name: Notify
description: |
  Two lines,
  and nothing to quote.
inputs:
- {{name: status, type: PipelineTaskFinalStatus}}
- {{name: message, type: String, default: done}}
implementation:
  container:
    image: {REPOSITORY}
    command: [run, {{inputValue: message}}]
"""


@dsl.container_component  # type: ignore[untyped-decorator]  # kfp ships no types
def subtract(minuend: float, difference: dsl.OutputPath(float), subtrahend: float = 1.5) -> dsl.ContainerSpec:  # type: ignore[valid-type]
    """The difference of two numbers.

    Its second paragraph.
    """
    return dsl.ContainerSpec(image=REPOSITORY, command=["subtract"], args=[minuend, subtrahend, difference])


@dsl.container_component  # type: ignore[untyped-decorator]  # kfp ships no types
def gather(tables: dsl.Input[List[dsl.Dataset]], best: dsl.Output[dsl.Dataset]) -> dsl.ContainerSpec:  # noqa: UP006 - see above
    return dsl.ContainerSpec(image=REPOSITORY, command=["gather"], args=[tables, best.uri])


@dsl.container_component  # type: ignore[untyped-decorator]  # kfp ships no types
def make(table: dsl.Output[dsl.Dataset], rows: int = 1) -> dsl.ContainerSpec:
    return dsl.ContainerSpec(image=REPOSITORY, command=["make"], args=[rows, table.uri])


class Parts(NamedTuple):
    tables: List[dsl.Dataset]  # noqa: UP006 - see above
    best: dsl.Dataset
    difference: float


@dsl.pipeline(name="Split", description="A pipeline as a component.")  # type: ignore[untyped-decorator]  # kfp ships no types
def split(whole: float, rows: int = 2) -> Parts:
    with dsl.ParallelFor([1, 2]) as number:
        made = make(rows=number).after(make(rows=rows))
    best = gather(tables=dsl.Collected(made.output)).output
    return Parts(tables=dsl.Collected(made.output), best=best, difference=subtract(minuend=whole).output)


def write_components(folder: Path) -> None:
    """All of them."""
    for name, text in {"everything": EVERYTHING, "mute": MUTE, "notify": OWN_LINES}.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    for name, component in {"subtract": subtract, "gather": gather, "split": split}.items():
        compiler.Compiler().compile(component, str(folder / f"{name}.yaml"))
