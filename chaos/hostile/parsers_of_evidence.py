"""The parsers of what is attached to images, which whoever may push to a repository can write; and of keys."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from random import Random

from chaos.hostile.documents import COMMIT, DEMO, HEX, KEY, PINS
from chaos.hostile.parser import Parser
from chaos.hostile.parsers_of_values import together, words
from chaos.hostile.values import chance, changed_bytes, changed_json
from kfp_release.digest import Digest
from kfp_release.envelope import MEDIA_TYPE, Envelope
from kfp_release.errors import ReleaseError
from kfp_release.kms_key_name import KmsKeyName
from kfp_release.manifest import OCI_CONFIG, OCI_MANIFEST, Descriptor, Manifest
from kfp_release.materials import Materials
from kfp_release.provenance import MadeImage, Provenance
from kfp_release.provenance_findings import other_files, provenance_problems
from kfp_release.public_key import PublicKey
from kfp_release.record import Pins
from kfp_release.referrer import Referrer
from kfp_release.run import Run
from kfp_release.runtime_key import RuntimeInputs
from kfp_release.statement import PAYLOAD_TYPE, Statement, Subject

_KEY = """\
-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEy0fwVYdrONPdQr3xtkIywfI8jvHT
qHkZxqzIA5uwp53Ae/ImRP3TMdK2ImgcqJvPBPdiRQwH6P+MpGAqBo44CQ==
-----END PUBLIC KEY-----
"""
_MATERIALS = Materials(
    "Dockerfile",
    (f"docker.io/library/python:3.12@sha256:{HEX}",),
    RuntimeInputs(Digest(HEX), (("requirements.lock", 0o644, HEX),), {"LOCK": "x"}, (Digest(HEX),), "linux/amd64"),
)
_PINS = Pins.parse(json.dumps(PINS).encode())
_STATEMENT = Provenance(
    subjects=(Subject(DEMO, Digest(HEX)), Subject("some_components-1.2.tar.gz", Digest(HEX))),
    source="https://github.com/team/components",
    tag="v1.2",
    commit=COMMIT,
    images={"demo": MadeImage(DEMO, KEY, Digest(HEX), _MATERIALS, Digest(HEX))},
    tools={"python": "3.11"},
    run=Run("https://github.com/x", "https://github.com/x/1", {"ref": "refs/tags/v1.2"}),
).statement()
_SIGNATURE = {"keyid": HEX, "sig": base64.b64encode(b"0D\x02 ").decode()}
_ENVIRONMENT = ("GITHUB_REPOSITORY", "GITHUB_WORKFLOW_REF", "GITHUB_RUN_ID")


def _statement(random: Random) -> bytes:
    return changed_json(random, _STATEMENT.to_bytes().decode(), most=2)


def _read_statement(data: bytes) -> object:
    statement = Statement.parse(data)
    assert Statement.parse(statement.to_bytes()) == statement
    made = Provenance.parse(statement)
    assert Provenance.parse(made.statement()) == made
    files = {"some_components-1.2.tar.gz": HEX}
    others: dict[str, str | None] = dict.fromkeys(other_files(made, _PINS, files))
    return list(provenance_problems(made, _PINS, files=files, others=others, images={})), made.says_the_same(made)


def _envelope(random: Random) -> bytes:
    payload = base64.b64encode(_statement(random)).decode()
    value = {"payload": payload, "payloadType": PAYLOAD_TYPE, "signatures": [_SIGNATURE]}
    return changed_json(random, json.dumps(value), most=random.choice((0, 1, 2)))


def _read_envelope(data: bytes) -> object:
    envelope = Envelope.parse(data)
    assert Envelope.parse(envelope.to_bytes()) == envelope
    assert not envelope.is_signed_by(PublicKey.parse(_KEY.encode()))
    with suppress(ReleaseError):
        assert envelope.provenance.statement().to_bytes() == envelope.payload
    return envelope.statement


def _key(random: Random) -> bytes:
    return changed_bytes(random, _KEY.encode()) if chance(random, 80) else _KEY.encode()


def _read_key(data: bytes) -> object:
    key = PublicKey.parse(data)
    assert PublicKey.parse(key.pem.encode(), key.scheme) == key
    return key.short, key.library_key.keyid


def _referrer(random: Random) -> bytes:
    image = Manifest.of(Descriptor(OCI_CONFIG, Digest(HEX), 1), (), {})
    blob = Descriptor(MEDIA_TYPE, Digest(HEX), 12)
    made = Referrer.of(PAYLOAD_TYPE, image.descriptor, blob, {"in-toto.io/predicate-type": "x"})
    return changed_json(random, made.manifest.data.decode())


def _read_referrer(data: bytes) -> object:
    referrer = Referrer.parse(data)
    assert referrer.manifest.media_type == OCI_MANIFEST
    again = Referrer.of(referrer.artifact_type, referrer.subject, referrer.blob, referrer.manifest.annotations)
    assert Referrer.parse(again.manifest.data) == again
    return referrer.blob, referrer.subject.digest


def _read_run(case: tuple[str, ...]) -> object:
    environ = dict(zip(_ENVIRONMENT, case, strict=True))
    run = Run.from_environment(
        {**environ, "GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "x", "GITHUB_RUN_ATTEMPT": "1"}
    )
    return run.builder, run.invocation, dict(run.workflow)


PARSERS = {
    "statement": Parser(
        ("statement.Statement.parse", "provenance.Provenance.parse", "provenance_findings.other_files"),
        _statement,
        _read_statement,
    ),
    "envelope": Parser(("envelope.Envelope.parse",), _envelope, _read_envelope),
    "public key": Parser(("public_key.PublicKey.parse",), _key, _read_key),
    "referrer": Parser(("referrer.Referrer.parse", "referrer.Referrer.of"), _referrer, _read_referrer),
    "run": Parser(
        ("run.Run.from_environment",),
        together(words("team/components"), words("team/components/.github/x.yml@refs/tags/v1"), words("17")),
        _read_run,
    ),
    "name of a key in KMS": Parser(
        ("kms_key_name.KmsKeyName.parse",),
        words(
            *("arn:aws:kms:eu-north-1:533211398604:key/0f2e1d3c-0000-1111-2222-333344445555", "alias/releases"),
            more=("arn:", "key/", "alias/"),
        ),
        lambda text: str(KmsKeyName.parse(text)),
    ),
}
