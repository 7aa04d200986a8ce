"""When AWS is asked again: boto3 decides whether, the user's patience how often and when, and each time is told.

boto3's standard retries wait milliseconds after most failures (botocore, ``retries/standard.py``), and whatever
restarts takes seconds. Its events are public (boto3 guide, "Extensibility").
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any

from kfp_release.ecr_errors import SERVICES
from kfp_release.retry import Retry, again
from kfp_release.terminal_text import one_line

_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)
_FAILED = "kfp_release.failed"
"""Of a request's context in botocore, which its attempts share: why the last one failed, and when."""


@dataclass(frozen=True, slots=True)
class AwsRetry:
    """Watches a client: tells of each call that is asked again, and waits until then, as `retry` has it."""

    retry: Retry
    service: str = "ecr"
    """As boto3 calls it."""

    def watch(self, client: Any) -> None:
        """See every call of `client`, boto3's, from now on."""
        client.meta.events.register_first(f"needs-retry.{self.service}.*", self._failed)
        client.meta.events.register_first(f"request-created.{self.service}.*", self._asked)

    def _failed(
        self,
        *,
        response: Any,
        caught_exception: Exception | None,
        request_dict: dict[str, Any],
        attempts: int,
        **_: Any,
    ) -> float | None:
        """The seconds until it is asked again, none here; None where boto3 is to decide."""
        context = request_dict["context"]
        if request_dict["method"] == "HEAD":
            return None  # whose answer has no body, whatever its header says of one
        context[_FAILED] = (_why(response, caught_exception), time.monotonic())
        most = context.get("retries", {}).get("max", self.retry.patience.attempts)
        # boto3 takes half of an answer for one that says nothing.
        return 0.0 if response and _is_cut_off(*response) and attempts < most else None

    def _asked(self, *, request: Any, operation_name: str, **_: Any) -> None:
        """Before it is signed, so that the signature is of the time when it is sent."""
        retries = request.context.get("retries", {})
        attempt = retries.get("attempt", 1)
        if attempt == 1 or _FAILED not in request.context:
            return
        patience, (why, since) = self.retry.patience, request.context[_FAILED]
        # boto3 has waited already; after throttling it waits longer than we would.
        wait = max(patience.wait(attempt - 1) - (time.monotonic() - since), 0.0)
        what, most = f"{SERVICES[self.service]}: {operation_name}", retries.get("max", patience.attempts)
        self.retry.note(again(what, why, wait, attempt, most))
        self.retry.sleep(wait)


def _why(response: Any, error: Exception | None) -> str:
    """In a few words of which none can be a secret: what botocore's and AWS's messages say can hold one."""
    if response is None:
        return f"gave no answer ({type(error).__name__})"
    answer, parsed = response
    if _is_cut_off(answer, parsed):
        return "answered half"
    code = parsed.get("Error", {}).get("Code") if isinstance(parsed, dict) else None
    named = f" ({one_line(str(code), 60)})" if code and str(code) != str(answer.status_code) else ""
    return f"answered {answer.status_code}{named}"


def _is_cut_off(answer: Any, parsed: Any) -> bool:
    """Whether less of the answer came than its header says (RFC 9112, section 8)."""
    if isinstance(parsed, dict) and hasattr(parsed.get("Body"), "read"):
        return False  # a stream, which is looked at by whom it is for
    announced = answer.headers.get("Content-Length", "")
    return bool(_LENGTH.fullmatch(announced)) and len(answer.content) < int(announced)
