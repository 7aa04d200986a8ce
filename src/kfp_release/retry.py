"""When the index is asked again: after answers that pass, a few times, within seconds, whatever they ask for."""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final, Self

from urllib3.exceptions import InvalidHeader
from urllib3.response import BaseHTTPResponse
from urllib3.util.retry import Retry

AGAIN: Final = 3
"""How often a question is asked again."""
LONGEST_WAIT: Final = 4.0
"""Seconds before it is. An answer may ask for less (Retry-After; RFC 9110, section 10.2.3)."""
_PASSES = (429, 500, 502, 503, 504)


def passes(status: int) -> bool:
    """Whether an answer of this status tells of the server's moment, so that asking later helps."""
    return status in _PASSES or status >= HTTPStatus.INTERNAL_SERVER_ERROR


class BoundedRetry(Retry):
    """urllib3's retries of a GET. Its own waits are as long as the answer's Retry-After, up to six hours."""

    RETRY_AFTER_STATUS_CODES = frozenset()

    def __init__(self, *, sleep: Callable[[float], None] = time.sleep, **options: Any) -> None:
        """`options` are urllib3's own, which refuses those that it does not know."""
        super().__init__(**options)
        self._wait = sleep

    @classmethod
    def of_index(cls, sleep: Callable[[float], None]) -> Self:
        """Those of a session with the index; `sleep` waits for some seconds."""
        return cls(
            sleep=sleep,
            total=AGAIN,
            connect=2,
            read=2,
            other=2,
            backoff_factor=0.5,
            status_forcelist=_PASSES,
            allowed_methods=("GET",),
            raise_on_status=False,
        )

    def new(self, **changed: Any) -> Self:
        """As urllib3 has it: the same with some options changed."""
        return super().new(**changed, sleep=self._wait)

    def sleep(self, response: BaseHTTPResponse | None = None) -> None:
        """Wait as long as the answer asks for, or longer after each failure; `LONGEST_WAIT` at most."""
        if wait := min(self._asked_for(response) or self.get_backoff_time(), LONGEST_WAIT):
            self._wait(wait)

    def _asked_for(self, response: BaseHTTPResponse | None) -> float:
        try:
            return (response and self.get_retry_after(response)) or 0.0
        except (InvalidHeader, ValueError, OverflowError):  # no time at all, or none that a calendar has
            return 0.0
