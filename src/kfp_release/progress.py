"""Progress on stderr: what is being done, and bytes of what is sent."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Owned by the steps, which tell it what happens; `kfp_release.console` shows it."""

    def step(self, text: str) -> None:
        """A new step begins, as in ``build the runtime``."""

    def note(self, text: str) -> None:
        """Something worth knowing, one line."""

    def sent(self, what: str, done: int, total: int) -> None:
        """`done` of `total` bytes of `what` are sent. Called from several threads."""


class Silent:
    """Progress that nobody looks at."""

    def step(self, text: str) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    def sent(self, what: str, done: int, total: int) -> None:
        """Nothing."""


class Named:
    """Progress of one of several things that are made beside each other, named in each of its lines."""

    def __init__(self, progress: Progress, name: str) -> None:
        self._progress = progress
        self._name = name

    def step(self, text: str) -> None:
        """One line: what goes on beside it has no end by this."""
        self.note(text)

    def note(self, text: str) -> None:
        """One line."""
        self._progress.note(f"{self._name}: {text}")

    def sent(self, what: str, done: int, total: int) -> None:
        """As in `Progress`."""
        self._progress.sent(f"{self._name}: {what}", done, total)
