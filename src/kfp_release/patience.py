"""How often and how long the other side is waited for: one bound, the user's, for every call over the network."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from kfp_release.errors import Problem, Problems

ATTEMPTS: Final = "KFP_RELEASE_ATTEMPTS"
TIMEOUT: Final = "KFP_RELEASE_TIMEOUT"
MOST_ATTEMPTS: Final = 20
MOST_SECONDS: Final = 600
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 8.0
_CONNECT = 10.0
_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Patience:
    """A question is asked `attempts` times at most, the first included, and ends after `seconds` without a byte.

    So a call takes at most `attempts` times what its bytes take and `seconds`, and the waits between.
    """

    attempts: int = 4
    seconds: int = 60
    """That the other side may take to its next byte, to what it asks us to wait, and to list a file that it took."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """That of KFP_RELEASE_ATTEMPTS and KFP_RELEASE_TIMEOUT, which may both be missing.

        Raise `Problems` where they are no whole numbers in their range, for both at once.
        """
        problems: list[Problem] = []
        attempts = _read(environ, ATTEMPTS, range(1, MOST_ATTEMPTS + 1), cls().attempts, problems)
        seconds = _read(environ, TIMEOUT, range(1, MOST_SECONDS + 1), cls().seconds, problems)
        if problems:
            raise Problems(problems)
        return cls(attempts, seconds)

    @property
    def connect(self) -> float:
        """Seconds until a connection is there: a host that is up takes milliseconds."""
        return min(_CONNECT, self.seconds)

    def wait(self, attempt: int, asked_for: float = 0.0) -> float:
        """Seconds after the failure of this attempt, counted from 1: twice as many as before, 8 at most.

        Where the answer itself asks for a wait (Retry-After; RFC 9110, section 10.2.3) that is taken, up to `seconds`.
        """
        return min(asked_for, self.seconds) or min(_FIRST_WAIT * 2 ** (attempt - 1), _LONGEST_WAIT)

    @property
    def looks(self) -> tuple[float, ...]:
        """Seconds between looks for what is to come; `seconds` together."""
        waits: list[float] = []
        while (left := self.seconds - sum(waits)) > 0:
            waits.append(min(self.wait(len(waits) + 1), left))
        return tuple(waits)


DEFAULT: Final = Patience()


def _read(environ: Mapping[str, str], name: str, allowed: range, default: int, problems: list[Problem]) -> int:
    text = environ.get(name, "")
    if not text:
        return default
    if _NUMBER.fullmatch(text) and int(text) in allowed:
        return int(text)
    message = f"{text[:40]!r} is no whole number from {allowed[0]} to {allowed[-1]}"
    problems.append(Problem(name, 0, message, f"set it to one, or unset it: it is {default} then"))
    return default
