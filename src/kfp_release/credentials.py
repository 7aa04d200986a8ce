"""Who asks the index: a user and a password, from the environment, or what AWS gives in their place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from kfp_release.errors import ReleaseError

USERNAME, PASSWORD = "TWINE_USERNAME", "TWINE_PASSWORD"


@dataclass(frozen=True, slots=True)
class Credentials:
    """User and password for the index (RFC 7617), or both empty: nobody in particular."""

    username: str = ""
    password: str = field(default="", repr=False)
    remedy: str = ""
    """What to do where the index refuses them, and they are not of the environment."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """Those of TWINE_USERNAME and TWINE_PASSWORD, which may both be missing.

        Raise `ReleaseError` where one is missing, or a character cannot be sent.
        """
        values = {name: environ.get(name, "") for name in (USERNAME, PASSWORD)}
        missing = [name for name, value in values.items() if not value]
        if len(missing) == 1:
            raise ReleaseError(
                f"{missing[0]} is not set, and the other half of the index's credentials is",
                remedy=f"set both {USERNAME} and {PASSWORD}, or neither",
            )
        for name, value in values.items():
            if any(not letter.isprintable() for letter in value):
                raise ReleaseError(
                    f"{name} holds a control character, a line end perhaps",
                    remedy="set it without: in a shell, $(cat FILE) drops the line end",
                )
        if ":" in values[USERNAME]:
            raise ReleaseError(
                f"{USERNAME} holds a colon, which basic authentication cannot carry (RFC 7617)",
                remedy=f"set {USERNAME} to the user's name alone, and {PASSWORD} to what stands behind the colon",
            )
        return cls(values[USERNAME], values[PASSWORD])

    @property
    def is_anonymous(self) -> bool:
        """Whether neither is given."""
        return not self.username

    @property
    def advice(self) -> str:
        """What to do where the index refuses who asks with them."""
        if self.is_anonymous:
            return f"set {USERNAME} and {PASSWORD} in the environment; they are not set"
        return self.remedy or f"check {USERNAME} and {PASSWORD} in the environment, and what this user may do"

    def hide(self, text: str) -> str:
        """`text` without the password, should it stand there."""
        return text.replace(self.password, "***") if self.password else text
