"""One kind of fault."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Literal

from chaos.matrix.exchange import Act, Answer, Exchange

Damaged = Literal["nothing", "registry", "index"]


@dataclass(frozen=True, slots=True)
class Kind:
    """What happens to a request. What `damages` a store leaves other bytes there, to be refused from then on."""

    name: str
    act: Act
    damages: Damaged = "nothing"


def answered(answer: Answer) -> Act:
    """The same answer to whatever is asked; nothing arrives."""
    return lambda exchange: exchange.reply(answer)


def refused(answer: Answer) -> Act:
    """The same refusal; where the real server gives a question that status too, its own."""

    def act(exchange: Exchange) -> None:
        real = exchange.forward() if exchange.call.method in {"GET", "HEAD"} else None
        exchange.reply(real if real and real.status == answer.status else answer)

    return act


def with_body(answer: Answer, change: Callable[[bytes], bytes]) -> Answer:
    """The answer with another body; the same where it is no content, but a refusal or leads elsewhere."""
    return replace(answer, body=change(answer.body)) if answer.status < HTTPStatus.MULTIPLE_CHOICES else answer


def flipped(data: bytes) -> bytes:
    """Another byte in the middle."""
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :] if data else data
