"""KMS with one key that signs: moto's, on loopback, in a process of its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from kfp_release.sandbox.process import LOOPBACK, Process, start_on_free_port
from kfp_release.sandbox.secret_file import write_secret

_ACCOUNT = "123456789012"
"""Whose keys moto takes all for."""


class KmsServer:
    """One KMS over the key in `folder`, which is made where there is none. It takes any access key, on loopback."""

    def __init__(self, folder: Path, region: str) -> None:
        """Its port, where that is still free, stays the same over a restart on the same `folder`."""
        self._folder = folder
        self._region = region
        self._process: Process | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """For AWS_ENDPOINT_URL_KMS, once it is started."""
        return f"http://{LOOPBACK}:{self._port}"

    @property
    def public_key(self) -> Path:
        """The file with the public half of the key, as PEM."""
        return self._folder / "public.pem"

    @property
    def key(self) -> str:
        """Its ARN."""
        made_of = self.public_key.read_text(encoding="ascii")
        return f"arn:aws:kms:{self._region}:{_ACCOUNT}:key/{uuid5(NAMESPACE_URL, made_of)}"

    def start(self) -> None:
        """Start it and wait until it answers. Raise `ReleaseError` where it does not."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self._private.exists() or not self.public_key.exists():
            self._make_key()
        self._process, self._port = start_on_free_port(self._start_at, memory=self._folder / "port")

    def stop(self) -> None:
        """Stop it, if it runs."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    @property
    def _private(self) -> Path:
        return self._folder / "private.pem"

    def _make_key(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
        write_secret(self._private, key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain).decode())
        public = key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
        self.public_key.write_bytes(public)

    def _start_at(self, port: int) -> Process:
        words: list[str | Path] = [sys.executable, "-m", "kfp_release.sandbox.kms_program"]
        process = Process.start(
            [*words, self._private, self.key, str(port)],
            name="the KMS of moto",
            log=self._folder / "moto.log",
        )
        process.wait_until(lambda: self._answers(port), seconds=60)
        return process

    def _answers(self, port: int) -> bool:
        # With its key, which no other server on this port would give; past the proxy, if there is one.
        scope = f"AWS4-HMAC-SHA256 Credential=x/20260101/{self._region}/kms/aws4_request"
        headers = {"X-Amz-Target": "TrentService.GetPublicKey", "Authorization": scope}
        with requests.Session() as session:
            session.trust_env = False
            try:
                url = f"http://{LOOPBACK}:{port}/"
                answer = session.post(url, data=json.dumps({"KeyId": self.key}), headers=headers, timeout=5)
                given = answer.json().get("PublicKey", "") if answer.ok else ""
            except (requests.RequestException, ValueError, AttributeError):
                return False
        ours = self.public_key.read_text(encoding="ascii").splitlines()[1:-1]
        return bool(given) and given == "".join(ours)
