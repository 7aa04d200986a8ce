"""What ECR can say, keep and forget: its own errors, and answers that are not what they should be."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from ecr_fixtures import ACCESS_KEY, REGION, SECRET_KEY

from chaos.matrix.exchange import Answer, Call, Exchange
from chaos.matrix.kind import Kind, answered, flipped, with_body

_HOUR = timedelta(hours=1)


def aws_error(code: str, message: str = "", *, status: int = 400) -> Answer:
    """As ECR refuses."""
    body = json.dumps({"__type": code, "message": message}).encode()
    return Answer(status, body, (("Content-Type", "application/x-amz-json-1.1"),))


def emptied(exchange: Exchange) -> None:
    """An answer of the right form in which every list is empty."""
    exchange.reply(_changed(exchange.forward(), lambda value: [] if isinstance(value, list) else value))


def hollowed(exchange: Exchange) -> None:
    """An answer in which each part is there and has nothing: ``[{}]``."""

    def hollow(value: Any) -> Any:
        return {
            key: [{}] if isinstance(part, list) else {} if isinstance(part, dict) else part
            for key, part in value.items()
        }

    exchange.reply(_with_json(exchange.forward(), hollow))


def upload_forgotten(forget: Callable[[], None], exchange: Exchange) -> None:
    """The upload id that it names is one that ECR has lost."""
    forget()
    answer = exchange.forward()
    if b"UploadNotFoundException" in answer.body:
        exchange.meddled()
    exchange.reply(answer)


def clock_an_hour_off(exchange: Exchange) -> None:
    """As if this machine's clock were an hour behind, and so the server's date an hour ahead."""
    signed = datetime.strptime(exchange.call.header("x-amz-date"), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    call = exchange.call.with_header("X-Amz-Date", (signed - _HOUR).strftime("%Y%m%dT%H%M%SZ"))
    date = format_datetime(datetime.now(UTC) + _HOUR, usegmt=True)
    exchange.reply(exchange.forward(call).with_header("Date", date))


def part_stored_wrong(exchange: Exchange) -> None:
    """ECR gets other bytes of a layer than were sent."""

    def flip(value: dict[str, Any]) -> None:
        data = base64.b64decode(value["layerPartBlob"])
        value["layerPartBlob"] = base64.b64encode(flipped(data)).decode()

    exchange.reply(exchange.forward(_signed_anew(exchange.call, flip)))


def manifest_stored_wrong(exchange: Exchange) -> None:
    """ECR gets another manifest than was sent."""

    def flip(value: dict[str, Any]) -> None:
        value["imageManifest"] = value["imageManifest"].replace("linux", "Linux").replace("sha256:", "sha256:0", 1)

    exchange.reply(exchange.forward(_signed_anew(exchange.call, flip)))


def manifest_answered_wrong(exchange: Exchange) -> None:
    """ECR hands out another manifest than it has."""

    def other(value: Any) -> Any:
        return value.replace("schemaVersion", "schemaversion") if isinstance(value, str) else value

    exchange.reply(_changed(exchange.forward(), other))


def _changed(answer: Answer, change: Callable[[Any], Any]) -> Answer:
    """The answer's JSON with `change` made to every part of it."""

    def walk(value: Any) -> Any:
        value = change(value)
        if isinstance(value, dict):
            return {key: walk(part) for key, part in value.items()}
        return [walk(part) for part in value] if isinstance(value, list) else value

    return _with_json(answer, walk)


def _with_json(answer: Answer, change: Callable[[Any], Any]) -> Answer:
    """The answer with its JSON changed; the same, to the byte, where that changes nothing."""

    def written(body: bytes) -> bytes:
        value = json.loads(body)
        other = change(value)
        return body if other == value else json.dumps(other).encode()

    return with_body(answer, written)


def _signed_anew(call: Call, change: Callable[[dict[str, Any]], None]) -> Call:
    """The call with its JSON changed and a signature that fits: what AWS's own side would do."""
    value = json.loads(call.body)
    change(value)
    body = json.dumps(value).encode()
    names = ("host", "content-type", "x-amz-target")
    request = AWSRequest(
        "POST", f"http://{call.header('host')}{call.path}", {name: call.header(name) for name in names}, body
    )
    SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), "ecr", REGION).add_auth(request)
    kept = {
        name: text
        for name, text in call.headers.items()
        if name.lower() not in {key.lower() for key in request.headers}
    }
    return Call(call.method, call.path, {**kept, **dict(request.headers.items())}, body)


TOKEN_EXPIRED = Kind(
    "token expired", answered(aws_error("ExpiredTokenException", "The security token included is expired"))
)
AWS = (
    Kind("throttled", answered(aws_error("ThrottlingException", "Rate exceeded"))),
    Kind("a fault of its own", answered(aws_error("ServerException", status=500))),
    TOKEN_EXPIRED,
    Kind("clock an hour off", clock_an_hour_off),
    Kind("no part", answered(Answer(200, b"{}"))),
)
"""What ECR can say to each call."""
LISTS = (Kind("lists emptied", emptied), Kind("parts hollowed", hollowed))
"""And where it answers with lists."""

PART_STORED_WRONG = Kind("part stored wrong", part_stored_wrong)
MANIFEST_STORED_WRONG = Kind("manifest stored wrong", manifest_stored_wrong)
MANIFEST_ANSWERED_WRONG = Kind("manifest answered wrong", manifest_answered_wrong)


def forgotten(forget: Callable[[], None]) -> Kind:
    """ECR loses the uploads that are not complete."""
    return Kind("upload forgotten", partial(upload_forgotten, forget))


def kept_wrong(spoil: Callable[[str], None]) -> Kind:
    """ECR takes a layer and says that it is there, and has other bytes of it; `spoil` is given its digest."""

    def act(exchange: Exchange) -> None:
        answer = exchange.forward()
        for digest in json.loads(exchange.call.body)["layerDigests"]:
            spoil(digest)
            exchange.meddled()
        exchange.reply(answer)

    return Kind("layer kept wrong", act, damages="registry")
