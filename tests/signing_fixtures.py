"""Keys that sign: one at hand, and one in a KMS of moto's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from securesystemslib.signer import CryptoSigner

from kfp_release.envelope import Envelope, Signature
from kfp_release.public_key import PublicKey
from kfp_release.sandbox.kms import KmsServer


@dataclass
class LocalKey:
    """A key that signs as one in KMS does. `before` is called first."""

    private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    before: Callable[[], object] = lambda: None

    @cached_property
    def public_key(self) -> PublicKey:
        public = self.private.public_key()
        pem = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        return PublicKey.parse(public.public_bytes(*pem))

    def sign(self, envelope: Envelope) -> Envelope:
        self.before()
        made = envelope.library_envelope.sign(CryptoSigner(self.private))
        signature = Signature(made.keyid, bytes.fromhex(made.signature))
        return Envelope(envelope.payload, envelope.payload_type, (*envelope.signatures, signature))


@contextmanager
def running_kms(folder: Path) -> Iterator[KmsServer]:
    """A KMS with its key in `folder`."""
    server = KmsServer(folder, "eu-north-1")
    server.start()
    try:
        yield server
    finally:
        server.stop()


def lead_to(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lead boto3 to the KMS at `url`, without a region."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_ENDPOINT_URL_KMS": url,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
