"""The components, each under its operator's name: ``operators.multiply_op(a=2, b=3)``.

Importing this module imports neither kfp nor YAML; the first component that is touched does (PEP 562).
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._operators.mirror import Mirror
    from ._operators.yaml_operator import YamlOperator


class UnpinnedWarning(UserWarning):
    """The components name their image without a digest, so what runs can change or be missing."""


def load(*, registry: str) -> Mirror:
    """The same operators with the package's images on `registry`, ``HOST`` or ``HOST/PREFIX``, that mirrors them.

    It takes the place of the registry's host; path, tag and digest of an image stay, and so do images of others.
    Raise `ValueError` where `registry` is none. What it gives has the operators as attributes, as this module has.
    """
    from ._operators.catalog import installed  # noqa: PLC0415 - see above
    from ._operators.mirror import Mirror  # noqa: PLC0415 - for those who have a mirror

    return Mirror(registry, installed(), load=load, unknown=_unknown, warn=_warn_if_unpinned)


def __getattr__(name: str) -> Any:
    if name == "__all__":  # asked for by `from operators import *`
        return _names()
    if name.startswith("__"):  # Python's own questions, as for __path__
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name not in _names():
        raise AttributeError(_unknown(name))
    _warn_if_unpinned()
    return _load(name)


def __dir__() -> list[str]:
    return [*_names(), "load", "UnpinnedWarning"]


def _names() -> list[str]:
    from ._operators.catalog import installed  # noqa: PLC0415 - see above

    return list(installed().files)


@functools.cache
def _load(name: str) -> YamlOperator:
    from ._operators.catalog import installed  # noqa: PLC0415 - see above
    from ._operators.yaml_operator import YamlOperator  # noqa: PLC0415 - imports kfp

    return YamlOperator.from_text(name, installed().text(name))


def _unknown(name: str) -> str:
    import difflib  # noqa: PLC0415 - for an error alone

    names = _names()
    if not names:
        return f"no operator {name!r}: this installation holds no component files"
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"no operator {name!r}" + (f"; did you mean {near[0]!r}?" if near else f"; there is {', '.join(names)}")


@functools.cache
def _warn_if_unpinned() -> None:
    from ._operators.catalog import installed  # noqa: PLC0415 - see above

    catalog = installed()
    if not catalog.inexact:
        return
    import warnings  # noqa: PLC0415 - see above

    from ._operators.half_pin import half_pin, released  # noqa: PLC0415 - see above

    text = f"{half_pin(catalog)}; for pipelines that matter, install a released version: {released(catalog)}"
    warnings.warn(text, UnpinnedWarning, stacklevel=3)
