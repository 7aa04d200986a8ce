"""What the file name of a wheel or an sdist says. Sources: PyPA's binary and source distribution formats, PEP 425."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Self

from packaging.utils import NormalizedName, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

from kfp_release.member import BadArchive

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]{0,254}", re.ASCII)
_MAX_TAGS = 1000
_AS_BUILT = "name it as it was built"


@dataclass(frozen=True, slots=True)
class ArchiveName:
    """One file name, ``some_components-1.2-py3-none-any.whl`` or ``some_components-1.2.tar.gz``."""

    name: NormalizedName
    version: Version

    @classmethod
    def of_wheel(cls, text: str) -> Self:
        """Raise `BadArchive` unless a wheel can be called so."""
        # The tags stand for every combination of their parts: three times a thousand are a thousand million.
        combined = math.prod(part.count(".") + 1 for part in text.removesuffix(".whl").split("-")[-3:])
        if not _PLAIN.fullmatch(text) or combined > _MAX_TAGS:
            raise BadArchive(f"{text[:160]!r} is not a wheel's file name", remedy=_AS_BUILT)
        try:
            name, version, _, _ = parse_wheel_filename(text)
        except ValueError as error:  # InvalidWheelFilename, and what its parts raise
            raise BadArchive(f"{text[:160]!r} is not a wheel's file name", remedy=_AS_BUILT) from error
        return cls(name, version)

    @classmethod
    def of_sdist(cls, text: str) -> Self:
        """Raise `BadArchive` unless an sdist can be called so: ``.tar.gz``, or ``.zip`` as older ones."""
        try:
            name, version = parse_sdist_filename(text if _PLAIN.fullmatch(text) else "")
        except ValueError as error:  # as above
            raise BadArchive(f"{text[:160]!r} is not an sdist's file name", remedy=_AS_BUILT) from error
        return cls(name, version)
