"""One key in AWS KMS that signs: its public half, and its signatures. The private half never leaves KMS."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final
from urllib.parse import urlsplit

from botocore import exceptions as aws
from botocore.parsers import ResponseParserError

from kfp_release.aws_client import aws_client
from kfp_release.ecr_errors import LONGEST, EcrError, not_aws, refused, tellable, unanswered
from kfp_release.envelope import Envelope, Signature
from kfp_release.kms_key_name import KmsKeyName
from kfp_release.public_key import BadKey, PublicKey
from kfp_release.retry import SILENT, Retry
from kfp_release.terminal_text import one_line

_PLAIN = (
    *(ResponseParserError, OSError, EOFError, ValueError, TypeError, AttributeError, LookupError),
    *(OverflowError, RuntimeError),
)
"""What botocore raises of an answer in another form than its model has."""
_SETTING: Final = "correct signing-key in [tool.kfp-release], or KFP_RELEASE_SIGNING_KEY; or what --key names"
_MAKE: Final = (
    "take a key with KeyUsage SIGN_VERIFY: aws kms create-key --key-usage SIGN_VERIFY --key-spec ECC_NIST_P256"
)
_AGAIN: Final = "KMS cannot use the key now: wait, and run this again"
_REMEDIES: Mapping[str, str] = {
    "AccessDeniedException": "give the role kms:Sign and kms:GetPublicKey for this key: see SigningKeyArn of "
    "aws/roles.yaml, and the key's own policy; who verifies needs kms:GetPublicKey alone",
    "NotFoundException": f"{_SETTING}: is the key in this account and region?",
    "InvalidArnException": _SETTING,
    "DisabledException": "enable the key, or sign with another: aws kms enable-key",
    "KMSInvalidStateException": "enable the key, or cancel its deletion: aws kms describe-key tells its state",
    "InvalidKeyUsageException": _MAKE,
    "UnsupportedOperationException": _MAKE,
    "ValidationException": _SETTING,
    "KeyUnavailableException": _AGAIN,
    "DependencyTimeoutException": _AGAIN,
    "KMSInternalException": _AGAIN,
    "LimitExceededException": _AGAIN,
}


class KmsError(EcrError):
    """KMS refused a call, or gave no answer that can be used."""


class KmsKey:
    """One key, asked in its own region (the environment's, where its name has none). Opens its client at first use."""

    def __init__(self, name: KmsKeyName, *, retry: Retry = SILENT) -> None:
        self.name = name
        self._retry = retry

    @cached_property
    def public_key(self) -> PublicKey:
        """What its signatures are checked with. Raise `ReleaseError` where KMS does not give it, or none that signs."""
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - slow to import
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - likewise
        from securesystemslib.signer import AWSSigner  # noqa: PLC0415 - likewise

        answer = self._calls.get_public_key(KeyId=str(self.name))
        if not answer.get("KeyUsage"):
            raise self._calls.strange("get_public_key", "a key of no use")
        offered = answer.get("SigningAlgorithms") or []
        scheme = next((ours for ours, theirs in AWSSigner.aws_algos.items() if theirs in offered), None)
        if answer.get("KeyUsage") != "SIGN_VERIFY" or scheme is None:
            spec = answer.get("KeySpec") or answer.get("CustomerMasterKeySpec")
            said = one_line(f"its KeyUsage is {answer.get('KeyUsage')}, its KeySpec {spec}", LONGEST)
            raise BadKey(f"{self.name} is no key for signatures that can be checked here: {said}", remedy=_MAKE)
        try:
            key = serialization.load_der_public_key(answer["PublicKey"])
            pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        except (LookupError, ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise self._calls.strange("get_public_key", str(error)) from error
        return PublicKey.parse(pem, scheme)

    def sign(self, envelope: Envelope) -> Envelope:
        """`envelope` with this key's signature. Raise `ReleaseError` where KMS gives none, or one of another key."""
        signature = envelope.library_envelope.sign(_signer(str(self.name), self.public_key, self._calls))
        ours = Signature(signature.keyid, bytes.fromhex(signature.signature))
        signed = Envelope(envelope.payload, envelope.payload_type, (*envelope.signatures, ours))
        if not signed.is_signed_by(self.public_key):
            raise self._calls.strange("sign", "a signature that is not this key's")
        return signed

    @cached_property
    def _calls(self) -> _Calls:
        where = str(self.name)
        try:
            client = aws_client("kms", region=self.name.region, retry=self._retry, where=where)
        except EcrError as error:
            raise KmsError(str(error.args[0]), remedy=error.remedy, code=error.code) from error
        return _Calls(client, where)


class _Calls:
    """The two calls of a KMS client, with one kind of error. securesystemslib's signer asks through it."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        endpoint = urlsplit(client.meta.endpoint_url)
        self._where = f"{name} at {endpoint.scheme}://{endpoint.netloc.rpartition('@')[2]}"

    def get_public_key(self, **parameters: Any) -> dict[str, Any]:
        return self._ask("get_public_key", **parameters)

    def sign(self, **parameters: Any) -> dict[str, Any]:
        answer = self._ask("sign", **parameters)
        if not isinstance(answer.get("Signature"), bytes):
            raise self.strange("sign", "no signature")
        return answer

    def strange(self, operation: str, said: str) -> KmsError:
        """The error for an answer that no KMS gives."""
        return KmsError(
            f"{self._where} answers {operation} with something that KMS does not say: {one_line(said, LONGEST)}",
            remedy=not_aws("kms"),
        )

    def _ask(self, operation: str, **parameters: Any) -> dict[str, Any]:
        try:
            answer = getattr(self._client, operation)(**parameters)
        except aws.ClientError as error:
            said = refused(error, operation=operation, where=self._where, service="kms")
            raise KmsError(
                str(said.args[0]), remedy=_REMEDIES.get(said.code) or said.remedy, code=said.code
            ) from tellable(error)
        except aws.BotoCoreError as error:
            said = unanswered(error, operation=operation, where=self._where, service="kms")
            raise KmsError(str(said.args[0]), remedy=said.remedy) from error
        except EcrError as error:  # of credentials that ended on the way
            raise KmsError(str(error.args[0]), remedy=error.remedy, code=error.code) from error
        except _PLAIN as error:
            raise self.strange(operation, str(error)) from error
        if not isinstance(answer, dict):
            raise self.strange(operation, "no object")
        return answer


def _signer(name: str, key: PublicKey, calls: _Calls) -> Any:
    """A signer that asks through `calls`: the library's own client has no time-outs, and not the key's region."""
    from securesystemslib.signer import AWSSigner  # noqa: PLC0415 - slow to import

    class Signer(AWSSigner):
        def __init__(self) -> None:
            self.aws_key_id = name
            self._public_key = key.library_key
            self.client = calls
            self.aws_algo = self.aws_algos[key.scheme]

    return Signer()
