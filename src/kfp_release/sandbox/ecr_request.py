"""The parameters of a call, held against AWS's own model of ECR: required, type, length, pattern, values."""

from __future__ import annotations

import base64
import binascii
import re
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ListShape, OperationNotFoundError, ServiceModel, Shape, StructureShape

from kfp_release.sandbox.ecr_refusal import EcrRefusal, invalid

_TYPES: dict[str, type] = {"string": str, "integer": int, "long": int, "structure": dict, "list": list, "boolean": bool}


def parse_request(operation: str, value: Any) -> dict[str, Any]:
    """The parameters of `operation` from its JSON; blobs are decoded to bytes. Raises `EcrRefusal` as ECR does."""
    try:
        shape = _model().operation_model(operation).input_shape
    except OperationNotFoundError:
        raise EcrRefusal("UnknownOperationException", "") from None
    parsed: dict[str, Any] = _parse(shape, value, "request") if shape else {}
    return parsed


@cache
def _model() -> ServiceModel:
    # Not through a session, which would look for the caller's AWS profile.
    return ServiceModel(Loader().load_service_model("ecr", "service-2"), "ecr")


def _parse(shape: Shape, value: Any, name: str) -> Any:
    if shape.type_name == "blob":
        try:
            value = base64.b64decode(value, validate=True)
        except (TypeError, ValueError, binascii.Error):
            raise EcrRefusal("SerializationException", f"{name} is not base64") from None
    elif (kind := _TYPES.get(shape.type_name)) and (not isinstance(value, kind) or (kind is int and value is True)):
        raise EcrRefusal("SerializationException", f"{name} is not a {shape.type_name}")
    _constrain(shape.metadata, value, name)
    if isinstance(shape, StructureShape):
        for missing in set(shape.required_members) - set(value):
            raise invalid(f"'{missing}' failed to satisfy constraint: 'Member must not be null'")
        known = shape.members.items()
        return {key: _parse(member, value[key], key) for key, member in known if value.get(key) is not None}
    if isinstance(shape, ListShape):
        return [_parse(shape.member, item, name) for item in value]
    return value


def _constrain(rules: dict[str, Any], value: Any, name: str) -> None:
    size, what = (value, "value") if isinstance(value, int) else (len(value), "length")
    failed = ""
    if size < rules.get("min", size):
        failed = f"Member must have {what} greater than or equal to {rules['min']}"
    elif size > rules.get("max", size):
        failed = f"Member must have {what} less than or equal to {rules['max']}"
    elif "enum" in rules and value not in rules["enum"]:
        failed = f"Member must satisfy enum value set: {rules['enum']}"
    elif "pattern" in rules and not re.fullmatch(rules["pattern"], value):
        failed = f"Member must satisfy regular expression pattern: {rules['pattern']}"
    if failed:
        raise invalid(f"'{name}' failed to satisfy constraint: '{failed}'")
