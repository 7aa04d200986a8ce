"""A pipeline of released components.

    python pipeline.py pipeline.yaml

Which images it runs is decided by the version of kubeflow-demo-components in requirements.txt: each operator's image is
pinned by its digest.
"""

import sys

from kfp import compiler, dsl

from kubeflow_demo_components import operators


@dsl.pipeline(name="volume", description="Multiply three numbers.")  # type: ignore[untyped-decorator]
def volume(length: float = 2.0, width: float = 3.0, height: float = 4.0) -> float:
    """Multiply two, and their product with the third."""
    area = operators.multiply_op(a=length, b=width)
    return operators.multiply_op(a=area.outputs["product"], b=height).outputs["product"]


if __name__ == "__main__":
    compiler.Compiler().compile(volume, sys.argv[1] if len(sys.argv) > 1 else "pipeline.yaml")
