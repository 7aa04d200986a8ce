"""A pipeline that trains a model, of released components on an image with scikit-learn.

    pip install kubeflow-demo-components==1.0
    python examples/training.py training.yaml
    python examples/run_local.py training.yaml source=sklearn:wine algorithm=random_forest --keep out

It loads a table, keeps a part of its rows back, trains on the others, and shows on those it kept what the model is
worth. The table that is there unless you name another comes with scikit-learn, so no network is needed.
"""

import sys
from typing import NamedTuple

from kfp import compiler, dsl

from kubeflow_demo_components import operators


class Results(NamedTuple):
    """What the pipeline gives."""

    score: float
    metrics: dsl.Metrics
    model: dsl.Model
    report: dsl.HTML


@dsl.pipeline(  # type: ignore[untyped-decorator]  # kfp ships no types
    name="training", description="Load a table, train a model on most of its rows, and report on the others."
)
def training(
    source: str = "sklearn:breast_cancer",
    target: str = "target",
    algorithm: str = "logistic_regression",
    test_fraction: float = 0.25,
    seed: int = 7,
) -> Results:
    """Load, split, train, evaluate, report."""
    loaded = operators.load_table_op(source=source)
    split = operators.split_table_op(table=loaded.outputs["table"], test_fraction=test_fraction, seed=seed)
    trained = operators.train_model_op(table=split.outputs["train"], target=target, algorithm=algorithm, seed=seed)
    # Both see the model, and rows that it has not seen.
    model, test = trained.outputs["model"], split.outputs["test"]
    evaluated = operators.evaluate_model_op(model=model, table=test, target=target)
    reported = operators.report_model_op(model=model, table=test, target=target, title="Training report")
    return Results(
        score=evaluated.outputs["score"],
        metrics=evaluated.outputs["metrics"],
        model=trained.outputs["model"],
        report=reported.outputs["report"],
    )


if __name__ == "__main__":
    compiler.Compiler().compile(training, sys.argv[1] if len(sys.argv) > 1 else "training.yaml")
