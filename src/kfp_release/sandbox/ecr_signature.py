"""AWS Signature Version 4, as ECR checks it."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from kfp_release.sandbox.ecr_refusal import EcrRefusal

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/,\s]+)/(?P<day>\d{8})/(?P<region>[a-z0-9-]+)/(?P<service>[a-z0-9-]+)"
    r"/aws4_request,\s*SignedHeaders=(?P<headers>[a-z0-9;-]+),\s*Signature=(?P<signature>[0-9a-f]{64})"
)
_REQUIRED = frozenset({"host", "x-amz-date"})
_SKEW = timedelta(minutes=5)


class Signatures:
    """Checks requests against the one access key that there is. Any region is right, and one service alone."""

    def __init__(self, access_key: str, secret_key: str, *, service: str = "ecr") -> None:
        self._credentials = Credentials(access_key, secret_key)
        self._service = service

    def check(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> None:
        """Raise `EcrRefusal` unless the request was signed with the key, just now. `headers` are by lowercase name."""
        if "authorization" not in headers:
            raise EcrRefusal("MissingAuthenticationTokenException", "Missing Authentication Token")
        given = _AUTHORIZATION.fullmatch(headers["authorization"])
        signed = set(given["headers"].split(";")) if given else set()
        if given is None or not signed >= _REQUIRED or not signed <= set(headers):
            raise EcrRefusal("IncompleteSignatureException", "Authorization header is incomplete")
        # The key is a permanent one: whatever session token comes with it is wrong.
        if given["key"] != self._credentials.access_key or headers.get("x-amz-security-token"):
            raise EcrRefusal("UnrecognizedClientException", "The security token included in the request is invalid.")
        self._check_time(headers["x-amz-date"], given["day"])
        if given["service"] != self._service:
            message = f"Credential should be scoped to correct service: '{self._service}'. "
            raise EcrRefusal("InvalidSignatureException", message)
        request = AWSRequest(method, url, {name: headers[name] for name in signed}, body)
        request.context["timestamp"] = headers["x-amz-date"]
        auth = SigV4Auth(self._credentials, self._service, given["region"])
        text = auth.string_to_sign(request, auth.canonical_request(request))
        if not hmac.compare_digest(auth.signature(text, request), given["signature"]):
            raise EcrRefusal(
                "InvalidSignatureException",
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret"
                " Access Key and signing method. Consult the service documentation for details.",
            )

    def _check_time(self, stamp: str, day: str) -> None:
        try:
            signed_at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        except ValueError:
            raise EcrRefusal("IncompleteSignatureException", "Date must be in ISO-8601 'basic format'") from None
        if not stamp.startswith(day) or abs(datetime.now(UTC) - signed_at) > _SKEW:
            raise EcrRefusal("InvalidSignatureException", f"Signature expired: {stamp} is not within 5 min. of now")
