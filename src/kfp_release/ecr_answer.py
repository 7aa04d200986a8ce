"""What ECR, S3 and CodeArtifact answer, held against AWS's own model, so that no other part meets one of another form.

The model says which parts there are and their types, and not which must be there: a part that is missing is an error
at the moment when it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NoReturn, SupportsIndex

from kfp_release.digest import Digest
from kfp_release.errors import ReleaseError
from kfp_release.image_ref import Repository

Strange = Callable[[str], ReleaseError]
"""The error for what is wrong in an answer, in a few words."""

_TYPES: dict[str, type] = {
    "string": str,
    "integer": int,
    "long": int,
    "double": float,
    "boolean": bool,
    "timestamp": datetime,
    "structure": dict,
    "list": list,
}
_FORMS: dict[str, Callable[[str], object]] = {
    "imageDigest": Digest.parse,
    "layerDigest": Digest.parse,
    "repositoryUri": Repository.parse,
}
"""Texts that must be more than text, by the names of their parts."""


class Structure(dict[str, Any]):
    """A structure of an answer. What it lacks is AWS's fault, not a `KeyError`; `get` is for what may be missing."""

    def __init__(self, value: dict[str, Any], name: str, strange: Strange) -> None:
        super().__init__(value)
        self._name = name
        self._strange = strange

    def __missing__(self, key: str) -> NoReturn:
        raise self._strange(f"{self._name} has no {key}")


class Items(list[Any]):
    """A list of an answer. A place behind its end is AWS's fault, not an `IndexError`."""

    def __init__(self, value: list[Any], name: str, strange: Strange) -> None:
        super().__init__(value)
        self._name = name
        self._strange = strange

    def __getitem__(self, index: SupportsIndex | slice) -> Any:
        try:
            return super().__getitem__(index)
        except IndexError:
            raise self._strange(f"{self._name} has {len(self)} items") from None


def read_answer(value: Any, shape: Any, strange: Strange, *, name: str = "the answer") -> Any:
    """`value`, an answer or a part of one as botocore parsed it, in the form of botocore's `shape`.

    Raise the error that `strange` makes where it has another type, or a digest or repository is none.
    """
    kind: Any = _TYPES.get(shape.type_name, object)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise strange(f"{name} is no {shape.type_name}")
    if isinstance(value, str):
        _require_text(value, strange, name)
    if shape.type_name == "structure":
        parts = {
            key: read_answer(part, shape.members[key], strange, name=key)
            for key, part in value.items()
            if key in shape.members
        }
        return Structure(parts, name, strange)
    if shape.type_name == "list":
        return Items([read_answer(item, shape.member, strange, name=name) for item in value], name, strange)
    return value


def _require_text(value: str, strange: Strange, name: str) -> None:
    try:
        value.encode()
        if name in _FORMS:
            _FORMS[name](value)
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can have
        raise strange(f"{name} has a character that is none") from None
    except ReleaseError as error:
        raise strange(f"{name}: {error.args[0]}") from None
