"""One kind of fault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from chaos.matrix.exchange import Act, Answer

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


def flipped(data: bytes) -> bytes:
    """Another byte in the middle."""
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :] if data else data
