"""DSSE envelopes: a statement, and who signed it.

Source: Dead Simple Signing Envelope 1.0, envelope.md and protocol.md. What is signed, and how signatures are checked,
is securesystemslib's business; the JSON from outside is read here, bounded.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from kfp_release.errors import ReleaseError
from kfp_release.json_text import BadJson, read_json
from kfp_release.manifest import MAX_MANIFEST, canonical_json
from kfp_release.provenance import Provenance
from kfp_release.public_key import PublicKey
from kfp_release.record_json import list_of, text_of
from kfp_release.statement import PAYLOAD_TYPE, Statement
from kfp_release.terminal_text import one_line

if TYPE_CHECKING:
    from securesystemslib.dsse import Envelope as LibraryEnvelope

MEDIA_TYPE: Final = "application/vnd.dsse.envelope.v1+json"
_MOST_SIGNATURES: Final = 20


class BadEnvelope(ReleaseError):
    """Bytes that should have been an envelope around a statement are none."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature, by whom it says to be."""

    keyid: str
    """A hint, which nothing vouches for; empty where there is none."""
    data: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload, the type of it, and the signatures over both; none where nobody signed."""

    payload: bytes
    payload_type: str
    signatures: tuple[Signature, ...] = ()

    @classmethod
    def around(cls, statement: Statement) -> Self:
        """One that nobody has signed yet."""
        return cls(statement.to_bytes(), PAYLOAD_TYPE)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Raise `BadEnvelope` for anything else."""
        try:
            value = read_json(data, most=MAX_MANIFEST)
            signatures = list_of(value["signatures"])
            if len(signatures) > _MOST_SIGNATURES:
                raise BadEnvelope(f"it has {len(signatures)} signatures, and {_MOST_SIGNATURES} are the most")
            return cls(
                _decoded(value["payload"]),
                text_of(value["payloadType"]),
                tuple(Signature(text_of(one.get("keyid", "")), _decoded(one["sig"])) for one in signatures),
            )
        except BadJson as error:
            raise BadEnvelope(f"it {error.args[0]}") from error
        except (KeyError, TypeError, AttributeError) as error:
            raise BadEnvelope(f"a part of it is missing or of another type: {one_line(str(error), 120)}") from error

    def to_bytes(self) -> bytes:
        """One line of JSON, without its end."""
        signatures = [{"keyid": one.keyid, "sig": base64.b64encode(one.data).decode()} for one in self.signatures]
        payload = base64.b64encode(self.payload).decode()
        return canonical_json({"payload": payload, "payloadType": self.payload_type, "signatures": signatures})

    @property
    def statement(self) -> Statement:
        """What is said. Raise `ReleaseError` where it is no in-toto statement."""
        if self.payload_type != PAYLOAD_TYPE:
            raise BadEnvelope(f"its payload is {one_line(self.payload_type, 80)!r}, and not {PAYLOAD_TYPE}")
        return Statement.parse(self.payload)

    @property
    def provenance(self) -> Provenance:
        """What is said. Raise `ReleaseError` where it is no provenance of kfp-release, to the byte.

        A member that stands there twice, or that nobody here reads, would be signed and never looked at.
        """
        made = Provenance.parse(self.statement)
        if made.statement().to_bytes() != self.payload:
            raise BadEnvelope("it says more, or says it otherwise, than kfp-release does")
        return made

    @property
    def library_envelope(self) -> LibraryEnvelope:
        """The same without its signatures, as securesystemslib has it: to sign, and for what is signed."""
        from securesystemslib.dsse import Envelope as LibraryEnvelope  # noqa: PLC0415 - brings boto3

        return LibraryEnvelope(self.payload, self.payload_type, {})

    def is_signed_by(self, key: PublicKey) -> bool:
        """Whether one of the signatures is of `key`, whatever key it names."""
        from securesystemslib.exceptions import UnverifiedSignatureError  # noqa: PLC0415 - brings boto3
        from securesystemslib.signer import Signature as LibrarySignature  # noqa: PLC0415 - likewise

        library_key, signed = key.library_key, self.library_envelope.pae()
        for signature in self.signatures:
            try:
                library_key.verify_signature(LibrarySignature(key.keyid, signature.data.hex()), signed)
            except UnverifiedSignatureError:
                continue
            return True
        return False


def _decoded(value: Any) -> bytes:
    """Base64, of either alphabet: DSSE takes both."""
    text = text_of(value)
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadEnvelope(f"{one_line(text, 40)!r} is not base64") from error
