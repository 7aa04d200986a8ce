"""DSSE envelopes, and the keys that their signatures are checked with."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from securesystemslib.dsse import Envelope as LibraryEnvelope
from signing_fixtures import LocalKey

from kfp_release.digest import Digest
from kfp_release.envelope import BadEnvelope, Envelope, Signature
from kfp_release.errors import ReleaseError
from kfp_release.provenance import Provenance
from kfp_release.public_key import BadKey, PublicKey
from kfp_release.run import Run
from kfp_release.statement import PAYLOAD_TYPE, BadStatement, Statement, Subject

STATEMENT = Statement((Subject("a.whl", Digest.of(b"a")),), "https://example.org/said/v1", {"it": "is so"})
KEY = LocalKey()
SIGNED = KEY.sign(Envelope.around(STATEMENT))


def edited(**changes: Any) -> bytes:
    return json.dumps({**json.loads(SIGNED.to_bytes()), **changes}).encode()


def test_an_envelope_reads_as_it_is_written() -> None:
    assert Envelope.parse(SIGNED.to_bytes()) == SIGNED
    assert SIGNED.statement == STATEMENT
    assert b"\n" not in SIGNED.to_bytes()


def test_a_signature_is_its_keys_and_nobody_elses() -> None:
    assert SIGNED.is_signed_by(KEY.public_key)
    assert not SIGNED.is_signed_by(LocalKey().public_key)
    assert not Envelope.around(STATEMENT).is_signed_by(KEY.public_key)


def test_what_is_signed_cannot_be_changed() -> None:
    for changed in (
        edited(payload=base64.b64encode(STATEMENT.to_bytes() + b" ").decode()),
        edited(payloadType="application/vnd.in-toto+jsan"),
    ):
        assert not Envelope.parse(changed).is_signed_by(KEY.public_key)


def test_of_several_signatures_one_is_enough_and_the_id_that_it_names_does_not_count() -> None:
    other = LocalKey()
    both = other.sign(SIGNED)
    assert len(both.signatures) == 2
    assert both.is_signed_by(KEY.public_key)
    assert both.is_signed_by(other.public_key)
    (signature,) = SIGNED.signatures
    renamed = Envelope(SIGNED.payload, SIGNED.payload_type, (Signature("", signature.data),))
    assert renamed.is_signed_by(KEY.public_key)
    claimed = Envelope(SIGNED.payload, SIGNED.payload_type, (Signature(other.public_key.keyid, signature.data),))
    assert not claimed.is_signed_by(other.public_key)


def test_others_read_it_as_it_is(tmp_path: Path) -> None:
    library = LibraryEnvelope.from_dict(json.loads(SIGNED.to_bytes()))
    assert library.verify([KEY.public_key.library_key], 1).keys() == {KEY.public_key.keyid}
    (tmp_path / "key.pem").write_text(KEY.public_key.pem)
    (tmp_path / "signature").write_bytes(SIGNED.signatures[0].data)
    signed = f"DSSEv1 {len(PAYLOAD_TYPE)} {PAYLOAD_TYPE} {len(SIGNED.payload)} ".encode() + SIGNED.payload
    command = ["openssl", "dgst", "-sha256", "-verify", "key.pem", "-signature", "signature"]
    done = subprocess.run(command, input=signed, cwd=tmp_path, capture_output=True, check=True)
    assert done.stdout == b"Verified OK\n"


def test_base64_of_the_other_alphabet_is_read_too() -> None:
    payload = base64.urlsafe_b64encode(SIGNED.payload).decode()
    assert Envelope.parse(edited(payload=payload)) == SIGNED


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "it is not JSON"),
        (b"[" * 100_000, "it is not JSON"),
        (b"[]", "a part of it is missing or of another type"),
        (b"{}", "a part of it is missing or of another type: 'signatures'"),
        (b"x" * (4 * 1024 * 1024 + 1), "it has 4,194,305 bytes, and 4,194,304 are the most"),
        (edited(payload="&&&"), "'&&&' is not base64"),
        (edited(payload=7), "7 is not a text"),
        (edited(signatures={}), "is not a list"),
        (edited(signatures=[{"keyid": "a"}]), "'sig'"),
        (edited(signatures=[{"sig": ""}] * 21), "it has 21 signatures, and 20 are the most"),
    ],
)
def test_what_is_no_envelope_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(ReleaseError) as caught:
        Envelope.parse(data)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("envelope", "message"),
    [
        (Envelope(STATEMENT.to_bytes(), "text/plain"), "its payload is 'text/plain', and not application/vnd.in-toto"),
        (Envelope(b"{", PAYLOAD_TYPE), "it is not JSON"),
        (Envelope(b"{}", PAYLOAD_TYPE), "missing or of another type: '_type'"),
        (Envelope(b'{"_type": "https://in-toto.io/Statement/v0.1"}', PAYLOAD_TYPE), "its _type is"),
        (Envelope(STATEMENT.to_bytes().replace(b'{"it":"is so"}', b"[]"), PAYLOAD_TYPE), "its predicate is no object"),
        (Envelope(STATEMENT.to_bytes().replace(b"sha256", b"sha512"), PAYLOAD_TYPE), "'sha256'"),
    ],
)
def test_a_payload_that_is_no_statement_is_refused(envelope: Envelope, message: str) -> None:
    with pytest.raises((BadEnvelope, BadStatement), match=message):
        _ = envelope.statement


MADE = Provenance((Subject("a.whl", Digest.of(b"a")),), "https://a.example", "v1", "c" * 40, {}, {}, Run())


def test_the_provenance_in_it_reads_as_it_is_written() -> None:
    assert Envelope.around(MADE.statement()).provenance == MADE


@pytest.mark.parametrize(
    ("written", "otherwise"),
    [
        (b'{"_type"', b'{"more":1,"_type"'),
        (b'{"_type"', b'{"predicateType":"https://other.example","_type"'),
        (b'"name":"a.whl"', b'"annotations":{},"name":"a.whl"'),
        (b'"sha256":', b'"sha512":"00","sha256":'),
        (b'{"_type"', b'{ "_type"'),
    ],
    ids=["another member", "a member twice", "more of a subject", "another digest", "a blank"],
)
def test_a_provenance_that_says_anything_besides_is_refused(written: bytes, otherwise: bytes) -> None:
    payload = MADE.statement().to_bytes()
    assert written in payload
    envelope = Envelope(payload.replace(written, otherwise, 1), PAYLOAD_TYPE)
    with pytest.raises(BadEnvelope, match="it says more, or says it otherwise, than kfp-release does"):
        _ = envelope.provenance


@pytest.mark.parametrize(
    "private", [ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)], ids=["P-384", "RSA"]
)
def test_keys_of_other_kinds_are_read_from_their_pem(private: Any) -> None:
    key = LocalKey(private)
    read = PublicKey.parse(key.public_key.pem.encode())
    assert read == key.public_key
    assert key.sign(Envelope.around(STATEMENT)).is_signed_by(read)


_PEM = serialization.Encoding.PEM


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "it is no public key"),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "it is no public key"),
        (b"x" * 70_000, "it has 70,000 bytes"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "it is a certificate"),
        (
            KEY.private.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
            "it is a private key, and nothing is checked with one",
        ),
        (
            ec.generate_private_key(ec.SECP256K1())
            .public_key()
            .public_bytes(_PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
            "unsupported curve",
        ),
    ],
)
def test_what_is_no_key_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(BadKey, match=message):
        PublicKey.parse(data)
