"""A call that ECR would refuse."""

from __future__ import annotations

from typing import Any


class EcrRefusal(Exception):
    """ECR's answer with status 400: its error code, its message, and the error's further fields."""

    def __init__(self, code: str, message: str, **fields: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fields = fields


def invalid(message: str) -> EcrRefusal:
    """The refusal of a parameter."""
    return EcrRefusal("InvalidParameterException", f"Invalid parameter at {message}")
