"""What a person may have meant by a name that is not known, and which names are."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice

_MOST, _LONGEST = 400, 100
"""Names that one is compared with, and their letters."""
_SHOWN = 20


@dataclass(slots=True)
class NearNames:
    """The remedies for unknown names of one file.

    A comparison takes some 20 µs, and a file may have as many unknown names as known ones; so the first are compared,
    each with not too many, and the others are told what there is.
    """

    left: int = 20
    """How many are compared yet."""

    def remedy(self, name: str, known: Collection[str], otherwise: str) -> str:
        """The one of `known` that is most alike, or after `otherwise` some of them all."""
        if self.left > 0 and len(name) <= _LONGEST and len(known) <= _MOST:
            self.left -= 1
            if near := difflib.get_close_matches(name, [each for each in known if len(each) <= _LONGEST], 1):
                return f"did you mean {near[0]}?"
        return f"{otherwise}: {listed(known)}"


def listed(names: Collection[str]) -> str:
    """The names as a text of bounded length; ``none`` where there are none."""
    shown = [name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…" for name in islice(names, _SHOWN)]
    more = [f"and {len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    return ", ".join([*shown, *more]) or "none"
