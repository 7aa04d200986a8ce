"""multiply: the product of two numbers."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path

from kubeflow_demo_components.command_line import parse_options
from kubeflow_demo_components.executor import write_parameter


def build_parser() -> argparse.ArgumentParser:
    """The options of the program."""
    parser = argparse.ArgumentParser(prog="multiply", description="Print the product of two numbers.")
    parser.add_argument("--a", type=float, required=True, help="the first factor")
    parser.add_argument("--b", type=float, required=True, help="the second factor")
    parser.add_argument("--product", type=Path, metavar="FILE", help="where to write the product, too")
    return parser


def multiply(a: float, b: float) -> float:
    """`a` times `b`."""
    return a * b


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program."""
    options = parse_options(build_parser(), argv)
    product = multiply(options.a, options.b)
    if not math.isfinite(product):
        sys.exit(f"multiply: the product of {options.a} and {options.b} is {product}, which is no finite number")
    print(product)  # noqa: T201 - a program prints its result
    if options.product:
        write_parameter(options.product, product)
