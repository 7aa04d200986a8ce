"""A pipeline of released components.

    pip install kubeflow-demo-components==1.0
    python examples/pipeline.py pipeline.yaml

Each operator is a kfp component whose image is pinned by digest in the installed version, so the pipeline.yaml that
this writes runs the same bytes whenever it is run. `run_local.py` runs it on a Docker engine; kfp.Client submits it
to a cluster.
"""

import sys
from typing import NamedTuple

from kfp import compiler, dsl

from kubeflow_demo_components import operators


class Results(NamedTuple):
    """What the pipeline gives."""

    product: float
    mean: float
    metrics: dsl.Metrics


# A parameter's annotation is its type: an `int` does not pass for a component's Float, so write `float`.
@dsl.pipeline(  # type: ignore[untyped-decorator]  # kfp ships no types
    name="demo", description="Multiply two numbers, scale a table by the product, and measure it."
)
def demo(a: float = 2.0, b: float = 3.0, rows: int = 100, seed: int = 1) -> Results:
    """Multiply, and use the product on a table."""
    multiplied = operators.multiply_op(a, b)
    made = operators.make_table_op(rows=rows, seed=seed)
    # A parameter and an artifact are handed on in the same way: by the name of the output.
    scaled = operators.scale_table_op(table=made.outputs["table"], factor=multiplied.outputs["product"])
    described = operators.describe_table_op(table=scaled.outputs["scaled"])
    return Results(
        product=multiplied.outputs["product"],
        mean=described.outputs["mean"],
        metrics=described.outputs["metrics"],
    )


if __name__ == "__main__":
    compiler.Compiler().compile(demo, sys.argv[1] if len(sys.argv) > 1 else "pipeline.yaml")
