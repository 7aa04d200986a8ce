"""``python -m`` of the package: what is installed. Needs PyYAML, not kfp."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ._operators.catalog import PACKAGE, Catalog, installed
from ._operators.half_pin import half_pin, released

if TYPE_CHECKING:
    from ._operators.definition import Definition, Port

_HEADINGS = ("component", "inputs", "outputs", "image", "digest", "commit")
_SHORT = 12


def build_parser() -> argparse.ArgumentParser:
    """The options of the listing."""
    parser = argparse.ArgumentParser(prog=f"python -m {PACKAGE}", description="List the components that are installed.")
    parser.add_argument("--json", action="store_true", help="everything in full, for another program")
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Print the listing; end with 1 where nothing is installed or it cannot be read."""
    options = build_parser().parse_args(argv)
    try:
        catalog = installed()
        definitions = _definitions(catalog)
    except (ValueError, OSError) as error:
        sys.exit(f"{PACKAGE}: {error}")
    if not definitions:
        sys.exit(f"{PACKAGE}: no component files in {catalog.folder}: install the package anew, or in a checkout -e .")
    text = json.dumps(_listing(catalog, definitions), indent=2) if options.json else _table(catalog, definitions)
    try:
        print(text, flush=True)  # noqa: T201 - the command's result
    except BrokenPipeError:  # who reads it has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # where Python writes what is left at its end
        sys.exit(1)


def _definitions(catalog: Catalog) -> list[Definition]:
    if not catalog.files:  # inside the image, which has no YAML either
        return []
    from ._operators.definition import Definition  # noqa: PLC0415 - imports YAML

    found, bad = [], []
    for name in catalog.files:
        try:
            found.append(Definition.parse(name, catalog.text(name)))
        except (ValueError, OSError) as error:
            bad.append(str(error))
    if bad:  # all of them, for each is to be mended or installed anew
        raise ValueError("\n".join(bad))
    return found


def _listing(catalog: Catalog, definitions: Iterable[Definition]) -> dict[str, Any]:
    return {
        "distribution": catalog.distribution,
        "version": catalog.pins.version if catalog.pins else None,
        "commit": (catalog.pins.commit if catalog.pins else "") or None,
        "exact": (message := half_pin(catalog)) is None,
        "warning": message,
        "remedy": released(catalog) if message else None,
        "components": {
            item.operator: {
                "inputs": [
                    {"name": port.name, "type": port.type, "optional": port.optional, "default": _default(port)}
                    for port in item.inputs
                ],
                "outputs": [{"name": port.name, "type": port.type} for port in item.outputs],
                "images": list(item.images),
            }
            for item in definitions
        },
    }


def _default(port: Port) -> Any:
    """What JSON has no form for, as a date that a checkout's file has without quotes, as text."""
    try:
        json.dumps(port.default, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return str(port.default)
    return port.default


def _table(catalog: Catalog, definitions: Iterable[Definition]) -> str:
    pins = catalog.pins
    commit = pins.commit[:_SHORT] if pins else ""
    rows = [_HEADINGS, *(row for item in definitions for row in _rows(item, commit or "-"))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    if pins is not None:
        lines += [
            "",
            f"{catalog.distribution} {pins.version}",
            *(f"{name}: {pin}" for name, pin in pins.images.items()),
        ]
    if message := half_pin(catalog):
        lines += ["", f"Not pinned: {message}. A released version is:", f"  {released(catalog)}"]
    return "\n".join(lines)


def _rows(definition: Definition, commit: str) -> Iterable[tuple[str, ...]]:
    """One row an image; the image by its last part, so that the table fits a terminal."""
    name, inputs, outputs = definition.operator, _ports(definition.inputs), _ports(definition.outputs)
    for image in definition.images:
        repository, _, digest = image.partition("@")
        short = digest.removeprefix("sha256:")[:_SHORT]
        yield name, inputs, outputs, repository.rpartition("/")[2], short or "-", commit
        name = inputs = outputs = ""


def _ports(ports: Iterable[Any]) -> str:
    return ", ".join(map(str, ports)) or "-"


if __name__ == "__main__":
    main()
