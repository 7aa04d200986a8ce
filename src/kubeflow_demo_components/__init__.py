"""Kubeflow components, each pinned to the exact image of its release.

>>> from kubeflow_demo_components import operators
>>> operators.multiply_op(a=2, b=3)  # inside a pipeline

``python -m kubeflow_demo_components`` lists what is installed. kfp-release writes both: into every wheel, and into a
checkout that is installed.
"""

from __future__ import annotations

__all__ = ["__version__"]

DISTRIBUTION = "kubeflow-demo-components"


def __getattr__(name: str) -> str:
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import metadata  # noqa: PLC0415 - half of the package's import time, and seldom asked for

    return metadata.version(DISTRIBUTION)
