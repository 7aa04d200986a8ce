"""Many component files: each a program of one package, in one image."""

from __future__ import annotations

from pathlib import Path

_TEXT = """\
name: Multiply {number}
description: The product of two numbers, of kind {number}.
inputs:
- {{name: a, type: Float, description: The first factor.}}
- {{name: b, type: Float, description: The second factor.}}
outputs:
- {{name: product, type: Float, description: a times b.}}
implementation:
  container:
    image: {repository}
    command: [multiply]
    args: [--a, {{inputValue: a}}, --b, {{inputValue: b}}, --product, {{outputPath: product}}]
"""


def component_name(number: int) -> str:
    """Its file's, without the suffix."""
    return f"multiply_{number:05}"


def write_components(folder: Path, repositories: list[str], count: int) -> None:
    """`count` of them in `folder`, which is made; the repositories take turns."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        repository = repositories[number % len(repositories)]
        text = _TEXT.format(number=number, repository=repository)
        (folder / f"{component_name(number)}.yaml").write_text(text, encoding="utf-8")
