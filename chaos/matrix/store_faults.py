"""What a registry or an index can do to what it is given, and to what it hands out."""

from __future__ import annotations

import re
from dataclasses import replace

from chaos.matrix.exchange import Answer, Exchange
from chaos.matrix.kind import Kind, flipped, refused, with_body


def stored_wrong(exchange: Exchange) -> None:
    """It gets other bytes than were sent."""
    exchange.reply(exchange.forward(replace(exchange.call, body=flipped(exchange.call.body))))


def file_stored_wrong(exchange: Exchange) -> None:
    """It keeps other bytes of a distribution."""
    exchange.reply(exchange.forward(replace(exchange.call, body=_with_other_file(exchange.call.body))))


def answered_wrong(exchange: Exchange) -> None:
    """It hands out other bytes than it has."""
    exchange.reply(with_body(exchange.forward(), flipped))


def swallowed(exchange: Exchange) -> None:
    """It says that it took a file, and does not keep it."""
    exchange.reply(Answer(200))


def unlisted(exchange: Exchange) -> None:
    """Its page names no file."""
    exchange.reply(with_body(exchange.forward(), lambda body: re.sub(rb"<a .*?</a>", b"", body)))


def listed_wrong(exchange: Exchange) -> None:
    """Its page has another sha256 for each file."""
    exchange.reply(
        with_body(exchange.forward(), lambda body: re.sub(rb"(sha256=)[0-9a-f]{8}", rb"\g<1>00000000", body))
    )


def _with_other_file(body: bytes) -> bytes:
    """The body of an upload (multipart/form-data, the file last) with none of its file's bytes as it was.

    One byte might be a time of the archive's, with which it would still be the same content.
    """
    start = body.index(b"\r\n\r\n", body.index(b'name="content"')) + 4
    end = body.rindex(b"\r\n--")
    return body[:start] + bytes(byte ^ 1 for byte in body[start:end]) + body[end:]


STORED_WRONG = Kind("stored wrong", stored_wrong)
ANSWERED_WRONG = Kind("answered wrong", answered_wrong)
FILE_STORED_WRONG = Kind("file stored wrong", file_stored_wrong, damages="index")
SWALLOWED = Kind("taken and not kept", swallowed)
UNLISTED = Kind("not listed", unlisted)
LISTED_WRONG = Kind("listed with another sha256", listed_wrong)
NOT_THERE = Kind("not there", refused(Answer(404)))
FORBIDDEN = Kind("forbidden", refused(Answer(403)))
LOGIN_EXPIRED = Kind("login expired", refused(Answer(401, b"", (("WWW-Authenticate", 'Basic realm="a"'),))))
