"""How much of what is long a page shows, so that it stays small; what is left out is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from kfp_release.catalog.shown_text import clipped, counted

_Item = TypeVar("_Item")
_SHARE = 0.84
_STEPS = 36
"""So often it shrinks to that share: a text of 20,000 letters has 37 then."""


@dataclass(frozen=True, slots=True)
class Room:
    """A share of what a page would show: all of it, or that less so many steps."""

    steps: int = 0

    @classmethod
    def shrinking(cls) -> Sequence[Room]:
        """From all the room there is to the least."""
        return tuple(map(cls, range(_STEPS + 1)))

    def many(self, most: int) -> int:
        """The share of `most`, and at least one."""
        return max(int(most * _SHARE**self.steps), 1)

    def text(self, text: str, most: int) -> str:
        """`text`, or its begin and how much more there is."""
        letters = self.many(most)
        if len(text) <= letters + 20:  # else the note is longer than what it stands for
            return text
        return f"{text[:letters]}… ({counted(len(text) - letters, 'more letter')})"

    def brief(self, text: str, most: int) -> str:
        """The same with an ellipsis alone, where another page has the whole."""
        return clipped(text, self.many(most))

    def rows(self, items: Sequence[_Item], most: int) -> Sequence[_Item]:
        """The first of `items`."""
        return items[: self.many(most)]

    def more(self, items: Sequence[_Item], most: int) -> int:
        """How many of them `rows` leaves out."""
        return max(len(items) - self.many(most), 0)
