"""Parts of layers, in base64 without a detour: botocore would encode each as text, escape it and encode it again.

Its events are public (boto3 guide, "Extensibility").
"""

from __future__ import annotations

import binascii
import io
import json
from typing import Any, Final

_PART: Final = "layerPartBlob"
_KEPT: Final = "kfp_release.part"
"""Of a request's context in botocore: the part, while botocore writes a request without it."""
_PIECE: Final = 3 * 256 * 1024
"""Bytes that are encoded at a time. Three of them are four in base64, without padding between."""


def send_parts_plainly(client: Any) -> None:
    """Have `client`, boto3's, write the requests of UploadLayerPart so from now on."""
    client.meta.events.register_last("before-parameter-build.ecr.UploadLayerPart", _take_out)
    client.meta.events.register_first("before-call.ecr.UploadLayerPart", _put_in)


def _take_out(*, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    context[_KEPT] = params[_PART]
    params[_PART] = b""


def _put_in(*, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    """Before it is signed and its length is taken, so that both are of what is sent, and sent again."""
    others = json.loads(params["body"])
    del others[_PART]
    params["body"] = _with_part(json.dumps(others).encode(), context.pop(_KEPT))


def _with_part(others: bytes, part: bytes) -> bytes:
    """The JSON object `others`, which is not empty, with the part as well. It is encoded in place, without a copy."""
    body, bytes_of = io.BytesIO(), memoryview(part)
    body.write(b'{"' + _PART.encode() + b'": "')
    for first in range(0, len(part), _PIECE):
        body.write(binascii.b2a_base64(bytes_of[first : first + _PIECE], newline=False))
    body.write(b'", ' + others.removeprefix(b"{"))
    return body.getvalue()
