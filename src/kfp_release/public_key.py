"""The public half of a key that signs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from kfp_release.errors import ReleaseError
from kfp_release.terminal_text import one_line

if TYPE_CHECKING:
    from securesystemslib.signer import SSlibKey

_MOST: Final = 64 * 1024
"""Bytes of a PEM file. The longest key of AWS KMS has 800."""
_REMEDY: Final = "give the public key as PEM, as openssl pkey -pubout writes it"


class BadKey(ReleaseError):
    """What should have been a public key is none, or none that signatures are checked with here."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An ECDSA, RSA or Ed25519 key, and the scheme of the signatures that it is asked about."""

    pem: str
    scheme: str
    """As securesystemslib names it: ``ecdsa-sha2-nistp256``."""
    keyid: str
    """What signatures name it by: a hash of the key and the scheme, in hex."""

    @classmethod
    def parse(cls, data: bytes, scheme: str | None = None) -> Self:
        """The key of a PEM file. Raise `BadKey` for anything else: a private key, a certificate.

        Its own scheme is the one that AWS KMS signs with here by default: RSA keys have several.
        """
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - slow to import
        from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415 - likewise
        from securesystemslib.signer import SSlibKey  # noqa: PLC0415 - brings boto3

        if len(data) > _MOST:
            raise BadKey(f"it has {len(data):,} bytes, and {_MOST:,} are the most", remedy=_REMEDY)
        if b"PRIVATE KEY-----" in data:
            raise BadKey("it is a private key, and nothing is checked with one", remedy=_REMEDY)
        if b"-----BEGIN CERTIFICATE-----" in data:
            raise BadKey("it is a certificate", remedy="openssl x509 -pubkey -noout -in CERTIFICATE gives its key")
        try:
            read: Any = load_pem_public_key(data)
            key = SSlibKey.from_crypto(read, scheme=scheme)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise BadKey(f"it is no public key: {one_line(str(error), 120)}", remedy=_REMEDY) from error
        return cls(_pem(read), key.scheme, key.keyid)

    @property
    def library_key(self) -> SSlibKey:
        """The same, as securesystemslib has it."""
        from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415 - slow to import
        from securesystemslib.signer import SSlibKey  # noqa: PLC0415 - brings boto3

        read: Any = load_pem_public_key(self.pem.encode())
        return SSlibKey.from_crypto(read, self.keyid, self.scheme)

    @property
    def short(self) -> str:
        """The first digits of its id, for messages."""
        return self.keyid[:16]


def _pem(key: Any) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415 - slow to import

    return str(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())
