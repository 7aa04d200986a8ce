"""Kubeflow components, each pinned to the exact image of its release.

>>> from kubeflow_demo_components import operators
>>> operators.multiply_op(a=2, b=3)  # inside a pipeline

``python -m kubeflow_demo_components`` lists what is installed.
"""

from __future__ import annotations

__all__ = ["UnpinnedWarning", "__version__"]

DISTRIBUTION = "kubeflow-demo-components"


class UnpinnedWarning(UserWarning):
    """The components name their image without a digest, so what runs can change or be missing."""


def __getattr__(name: str) -> str:
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import metadata  # noqa: PLC0415 - half of the package's import time, and seldom asked for

    return metadata.version(DISTRIBUTION)
