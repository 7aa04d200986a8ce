"""report-model: a page of HTML that shows what a model is worth."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from kubeflow_demo_components.command_line import parse_options
from kubeflow_demo_components.executor import ExecutorInput, output_file
from kubeflow_demo_components.training.evaluation import evaluate
from kubeflow_demo_components.training.report_page import report_page


def build_parser() -> argparse.ArgumentParser:
    """The options of the program."""
    parser = argparse.ArgumentParser(
        prog="report-model", description="Show what a model is worth: metrics, confusion matrix and charts on one page."
    )
    parser.add_argument("--model", type=Path, required=True, metavar="FILE", help="the model, of train-model")
    parser.add_argument("--table", type=Path, required=True, metavar="FILE", help="rows that it has not learned from")
    parser.add_argument("--target", default="target", metavar="COLUMN", help="what it predicts (default: target)")
    parser.add_argument("--title", default="Model report", help="the page's heading")
    parser.add_argument("--report", type=Path, required=True, metavar="FILE", help="where to write the page, as HTML")
    parser.add_argument("--executor-input", type=ExecutorInput.parse, metavar="JSON", help="given by kfp")
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program."""
    options = parse_options(build_parser(), argv)
    evaluation = evaluate(options.model, options.table, options.target)
    page = report_page(evaluation, title=options.title, target=options.target)
    output_file(options.report).write_text(page, encoding="utf-8")
    if options.executor_input:
        options.executor_input.write_output(report={"title": options.title})
    print(f"{len(page):,} letters in {options.report}")  # noqa: T201 - a program prints its result
