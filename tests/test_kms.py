"""A key in AWS KMS: its public half, its signatures, and what is told where it gives none."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator

import boto3
import pytest
from scripted import ANY, answering, scripted
from signing_fixtures import LocalKey, lead_to, running_kms

from kfp_release.digest import Digest
from kfp_release.envelope import Envelope
from kfp_release.errors import ReleaseError
from kfp_release.kms import KmsError, KmsKey
from kfp_release.kms_key_name import KmsKeyName
from kfp_release.patience import Patience
from kfp_release.public_key import BadKey
from kfp_release.retry import Retry
from kfp_release.sandbox.kms import KmsServer
from kfp_release.statement import Statement, Subject

ARN = "arn:aws:kms:eu-north-1:123456789012:key/0f2e1d3c-0000-1111-2222-333344445555"
ENVELOPE = Envelope.around(Statement((Subject("a", Digest.of(b"a")),), "https://example.org/x", {}))


@pytest.fixture(scope="module")
def kms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KmsServer]:
    with running_kms(tmp_path_factory.mktemp("kms") / "kms") as server:
        yield server


def key(name: str, url: str, monkeypatch: pytest.MonkeyPatch) -> KmsKey:
    lead_to(url, monkeypatch)
    return KmsKey(KmsKeyName.parse(name), retry=Retry(Patience(attempts=1, seconds=5)))


def test_a_key_in_kms_signs_in_its_own_region(kms: KmsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = key(kms.key, kms.url, monkeypatch)
    signed = ours.sign(ENVELOPE)
    assert ours.public_key.pem == kms.public_key.read_text()
    assert [one.keyid for one in signed.signatures] == [ours.public_key.keyid]
    assert signed.is_signed_by(ours.public_key)
    assert signed.statement == ENVELOPE.statement


def test_an_alias_is_the_key_that_it_leads_to(kms: KmsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    alias = key("alias/releases", kms.url, monkeypatch)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-north-1")
    boto3.client("kms").create_alias(AliasName="alias/releases", TargetKeyId=kms.key)
    assert alias.sign(ENVELOPE).is_signed_by(key(kms.key, kms.url, monkeypatch).public_key)


def test_the_key_of_a_kms_that_starts_again_is_the_same(kms: KmsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    public = key(kms.key, kms.url, monkeypatch).public_key
    kms.stop()
    kms.start()
    assert key(kms.key, kms.url, monkeypatch).sign(ENVELOPE).is_signed_by(public)
    assert kms.public_key.with_name("private.pem").stat().st_mode & 0o777 == 0o600


def test_the_public_key_is_what_openssl_reads(kms: KmsServer) -> None:
    done = subprocess.run(
        ["openssl", "pkey", "-pubin", "-in", kms.public_key, "-text", "-noout"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "ASN1 OID: prime256v1" in done.stdout


def test_a_key_that_is_not_there_is_named(kms: KmsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        KmsError, match=rf"KMS refused get_public_key for {ARN} at {kms.url}: NotFoundException"
    ) as caught:
        key(ARN, kms.url, monkeypatch).sign(ENVELOPE)
    assert "correct signing-key in [tool.kfp-release]" in caught.value.remedy


def test_a_key_that_signs_nothing_is_refused(kms: KmsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    lead_to(kms.url, monkeypatch)
    client = boto3.client("kms", region_name="eu-north-1")
    made = client.create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["Arn"]
    said = f"{made} is no key for signatures that can be checked here: its KeyUsage is ENCRYPT_DECRYPT, its KeySpec RSA"
    with pytest.raises(BadKey, match=said) as caught:
        _ = key(made, kms.url, monkeypatch).public_key
    assert "--key-usage SIGN_VERIFY" in caught.value.remedy


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("AccessDeniedException", "give the role kms:Sign and kms:GetPublicKey for this key"),
        ("DisabledException", "enable the key"),
        ("KMSInvalidStateException", "enable the key, or cancel its deletion"),
        ("UnsupportedOperationException", "take a key with KeyUsage SIGN_VERIFY"),
        ("ExpiredTokenException", "the session has ended"),
        ("SomethingElse", "look the code up in the Amazon KMS API Reference"),
    ],
)
def test_what_kms_refuses_is_told_with_what_to_do(code: str, remedy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    body = json.dumps({"__type": code, "message": "it is so"}).encode()
    with answering(400, body) as url, pytest.raises(KmsError, match=f"{code}: it is so") as caught:
        _ = key(ARN, url, monkeypatch).public_key
    assert remedy in caught.value.remedy


def test_a_kms_that_refuses_is_told_once_and_nothing_else_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    # The library would log an error of its own, which Python prints where nobody has set logging up.
    code = f"""if True:
        from kfp_release.envelope import Envelope
        from kfp_release.kms import KmsError, KmsKey
        from kfp_release.kms_key_name import KmsKeyName
        from kfp_release.public_key import PublicKey
        key = KmsKey(KmsKeyName.parse({ARN!r}))
        key.public_key = PublicKey.parse(open(0, "rb").read())
        try:
            key.sign(Envelope(b"{{}}", "x"))
        except KmsError as error:
            print(error.code)
    """
    pem = LocalKey().public_key.pem.encode()
    with answering(400, json.dumps({"__type": "DisabledException"}).encode()) as url:
        lead_to(url, monkeypatch)
        done = subprocess.run([sys.executable, "-c", code], input=pem, capture_output=True, check=True, env=os.environ)
    assert (done.stdout, done.stderr) == (b"DisabledException\n", b"")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"", "with something that KMS does not say"),
        (b"[]", "with something that KMS does not say"),
        (b"{}", "with something that KMS does not say: a key of no use"),
        (json.dumps({"KeyUsage": "SIGN_VERIFY", "SigningAlgorithms": ["ECDSA_SHA_256"]}).encode(), "PublicKey"),
        (
            json.dumps(
                {"KeyUsage": "SIGN_VERIFY", "SigningAlgorithms": ["ECDSA_SHA_256"], "PublicKey": "AAAA"}
            ).encode(),
            "with something that KMS does not say",
        ),
    ],
)
def test_an_answer_of_no_kms_is_an_error(answer: bytes, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(200, answer) as url, pytest.raises(ReleaseError, match=said):
        _ = key(ARN, url, monkeypatch).public_key


def test_a_signature_that_is_not_the_keys_is_an_error(kms: KmsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = key(kms.key, kms.url, monkeypatch)
    public = ours.public_key
    body = json.dumps({"Signature": base64.b64encode(b"0\x06\x02\x01\x01\x02\x01\x01").decode()}).encode()
    with answering(200, body) as url:
        other = key(kms.key, url, monkeypatch)
        other.public_key = public
        with pytest.raises(KmsError, match="a signature that is not this key's"):
            other.sign(ENVELOPE)


def test_a_kms_that_does_not_answer_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    began = time.monotonic()
    with scripted({ANY: (200, {}, b"{}")}, delay=4) as (url, _):
        lead_to(url, monkeypatch)
        slow = KmsKey(KmsKeyName.parse(ARN), retry=Retry(Patience(attempts=1, seconds=1)))
        with pytest.raises(KmsError, match="the endpoint does not answer") as caught:
            _ = slow.public_key
        assert time.monotonic() - began < 3.5
    assert "check the network, the proxy and AWS_ENDPOINT_URL_KMS" in caught.value.remedy


def test_without_credentials_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    lead_to("http://127.0.0.1:9", monkeypatch)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(KmsError, match="there are no AWS credentials"):
        _ = KmsKey(KmsKeyName.parse(ARN)).public_key


def test_an_alias_without_a_region_says_which_variable_names_one(monkeypatch: pytest.MonkeyPatch) -> None:
    lead_to("http://127.0.0.1:9", monkeypatch)
    with pytest.raises(KmsError, match="no AWS region is known") as caught:
        _ = KmsKey(KmsKeyName.parse("alias/releases")).public_key
    assert caught.value.remedy == "set AWS_DEFAULT_REGION"


@pytest.mark.parametrize(
    ("text", "region"),
    [
        (ARN, "eu-north-1"),
        ("arn:aws-cn:kms:cn-north-1:123456789012:alias/team/releases", "cn-north-1"),
        ("arn:aws:kms:us-east-1:123456789012:key/mrk-1234abcd", "us-east-1"),
        ("alias/releases", None),
    ],
)
def test_names_of_keys(text: str, region: str | None) -> None:
    assert (str(KmsKeyName.parse(text)), KmsKeyName.parse(text).region) == (text, region)


@pytest.mark.parametrize(
    "text", ["", "releases", "key/1", "alias/", f"{ARN} ", "arn:aws:ecr:eu-north-1:123456789012:key/1", "alias/a\nb"]
)
def test_what_names_no_key_is_refused(text: str) -> None:
    with pytest.raises(ReleaseError, match="is not the name of a key in AWS KMS") as caught:
        KmsKeyName.parse(text)
    assert "alias/NAME" in caught.value.remedy
