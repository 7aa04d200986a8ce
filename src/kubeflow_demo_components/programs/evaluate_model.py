"""evaluate-model: how well a model predicts a column of a table that it has not seen."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from kubeflow_demo_components.command_line import parse_options
from kubeflow_demo_components.executor import ExecutorInput, output_file, write_parameter
from kubeflow_demo_components.training.evaluation import evaluate


def build_parser() -> argparse.ArgumentParser:
    """The options of the program."""
    parser = argparse.ArgumentParser(
        prog="evaluate-model", description="Hold what a model predicts against what a table has."
    )
    parser.add_argument("--model", type=Path, required=True, metavar="FILE", help="the model, of train-model")
    parser.add_argument("--table", type=Path, required=True, metavar="FILE", help="rows that it has not learned from")
    parser.add_argument("--target", default="target", metavar="COLUMN", help="what it predicts (default: target)")
    parser.add_argument("--metrics", type=Path, metavar="FILE", help="where to write the metrics, as JSON")
    parser.add_argument("--score", type=Path, metavar="FILE", help="where to write the accuracy, or r2, alone")
    parser.add_argument("--executor-input", type=ExecutorInput.parse, metavar="JSON", help="given by kfp")
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program."""
    options = parse_options(build_parser(), argv)
    evaluation = evaluate(options.model, options.table, options.target)
    text = json.dumps(evaluation.metrics, allow_nan=False)
    print(text)  # noqa: T201 - a program prints its result
    if options.metrics:
        output_file(options.metrics).write_text(text, encoding="utf-8")
    if options.score:
        write_parameter(options.score, evaluation.score)
    if options.executor_input:
        # Metrics are shown from the artifact's metadata, not from its file.
        options.executor_input.write_output(metrics=evaluation.metrics)
