"""What any server can do, and the way to it and back."""

from __future__ import annotations

from chaos.matrix.exchange import Answer, Exchange
from chaos.matrix.kind import Kind, answered, with_body


def reset_before(exchange: Exchange) -> None:
    """It does not arrive."""
    exchange.reset()


def reset_after(exchange: Exchange) -> None:
    """It landed, and the answer is lost."""
    exchange.forward()
    exchange.reset()


def silent_before(exchange: Exchange) -> None:
    """It does not arrive, and nothing comes."""
    exchange.hang()


def silent_after(exchange: Exchange) -> None:
    """It landed, and the answer never comes."""
    exchange.forward()
    exchange.hang()


def cut_off(exchange: Exchange) -> None:
    """Less comes than Content-Length says."""
    answer = exchange.forward()
    if not exchange.has_body(answer):
        exchange.reply(answer)
        return
    length = str(len(answer.body) + 1)
    exchange.reply(answer.with_header("Content-Length", length), sent=len(answer.body) // 2)


def cut_short(exchange: Exchange) -> None:
    """Half comes, and Content-Length agrees."""
    exchange.reply(with_body(exchange.forward(), lambda body: body[: len(body) // 2]))


def sent_twice(exchange: Exchange) -> None:
    """The answer is the second one."""
    exchange.forward()
    exchange.reply(exchange.forward())


def answered_twice(exchange: Exchange) -> None:
    """The second answer is taken for that to the next request of the connection."""
    exchange.reply(exchange.forward(), times=2)


_HTML = (("Content-Type", "text/html"),)
OUTAGES = (
    Kind("503", answered(Answer(503, b"<html>Busy</html>", (*_HTML, ("Retry-After", "1"))))),
    Kind("reset before it arrived", reset_before),
    Kind("silent before it arrived", silent_before),
)
"""What lasts while a server or the way to it is down."""

NETWORK = (
    *OUTAGES,
    Kind("429", answered(Answer(429, b"", (("Retry-After", "1"),)))),
    Kind("reset after it arrived", reset_after),
    Kind("silent after it arrived", silent_after),
    Kind("answer cut off", cut_off),
    Kind("answer cut short", cut_short),
    Kind("sent twice", sent_twice),
    Kind("answered twice", answered_twice),
    Kind("another server's page", answered(Answer(200, b"<html>Log in</html>", _HTML))),
    Kind("empty answer", answered(Answer(200))),
)
"""What any server and the way to it can do."""
