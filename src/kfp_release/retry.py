"""When the index or a blob's URL is asked again: after what may pass, within the user's patience, and never silently.

boto3 asks AWS again on its own; see `kfp_release.aws_retry`.
"""

from __future__ import annotations

import email.utils
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final, TypeVar

from kfp_release.errors import ReleaseError
from kfp_release.patience import DEFAULT, Patience
from kfp_release.progress import Silent

_Answer = TypeVar("_Answer")
_LONGEST_NUMBER = 9


def passes(status: int) -> bool:
    """Whether an answer of this status tells of the server's moment, so that asking later helps."""
    return status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def asked_for(retry_after: str | None) -> float:
    """The seconds that a Retry-After header asks for: a number or a date (RFC 9110, section 10.2.3); 0 for neither."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:_LONGEST_NUMBER])
    try:
        until = email.utils.parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return 0.0
    until = until.replace(tzinfo=UTC) if until.tzinfo is None else until
    return max((until - datetime.now(UTC)).total_seconds(), 0.0)


class Passing(Exception):
    """What may pass by itself: `error`, which ends it if it does not, and in a few words why, as ``answered HTTP 503``.

    `wait` are the seconds that the answer asks for.
    """

    def __init__(self, error: ReleaseError, why: str, *, wait: float = 0.0) -> None:
        super().__init__(why)
        self.error = error
        self.why = why
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Retry:
    """Asks within `patience`. `note` is told of each time that something is asked again; `sleep` waits until then."""

    patience: Patience = DEFAULT
    note: Callable[[str], None] = Silent().note
    sleep: Callable[[float], None] = time.sleep

    def ask(self, what: str, question: Callable[[], _Answer]) -> _Answer:
        """The answer to `question`, which raises `Passing` where it is to be asked again; `what` names it in a note.

        Raise the error of the last `Passing`, and at once whatever else is raised.
        """
        attempt = 1
        while True:
            try:
                return question()
            except Passing as passing:
                if attempt >= self.patience.attempts:
                    raise passing.error from passing.__cause__
                wait = self.patience.wait(attempt, passing.wait)
                attempt += 1
                self.note(again(what, passing.why, wait, attempt, self.patience.attempts))
            self.sleep(wait)


SILENT: Final = Retry()
"""The usual patience, and nobody is told."""


def again(what: str, why: str, wait: float, attempt: int, attempts: int) -> str:
    """The note that something is tried again, ``ECR: PutImage answered 503, tried again in 2 s (2 of 4)``."""
    when = f" in {wait:.2g} s" if wait else ""
    return f"{what} {why}, tried again{when} ({attempt} of {attempts})"
