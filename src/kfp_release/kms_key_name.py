"""The name of a key in AWS KMS, as settings and options have it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Self

from kfp_release.errors import ReleaseError
from kfp_release.terminal_text import one_line

SIGNING_KEY: Final = "KFP_RELEASE_SIGNING_KEY"
NO_KEY: Final = "none"
"""What the variable says where nothing is to be signed."""
_PATH = r"(?:key/(?:mrk-)?[A-Za-z0-9-]{1,128}|alias/[A-Za-z0-9/_-]{1,250})"
_ARN = re.compile(rf"arn:aws[a-z-]*:kms:(?P<region>[a-z]{{2,}}(?:-[a-z]+)+-[0-9]):[0-9]{{12}}:{_PATH}", re.ASCII)
_ALIAS = re.compile(r"alias/[A-Za-z0-9/_-]{1,250}", re.ASCII)
_FORM = "write arn:aws:kms:REGION:ACCOUNT:key/ID, the ARN of an alias, or alias/NAME"


class BadKeyName(ReleaseError):
    """A text that should have been the name of a key is none."""


@dataclass(frozen=True, slots=True)
class KmsKeyName:
    """The ARN of a key or alias, or an alias of the caller's own account."""

    text: str
    region: str | None
    """None where the name has none: then it is the environment's."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raise `BadKeyName` for anything else. Source: AWS KMS API Reference, Sign, KeyId."""
        if found := _ARN.fullmatch(text):
            return cls(text, found["region"])
        if _ALIAS.fullmatch(text):
            return cls(text, None)
        raise BadKeyName(f"{one_line(text, 120)!r} is not the name of a key in AWS KMS", remedy=_FORM)

    def __str__(self) -> str:
        return self.text
