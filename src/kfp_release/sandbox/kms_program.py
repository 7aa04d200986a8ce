"""The program that is KMS: moto's, with one key that lasts, and signatures over digests.

moto takes every message for one that is yet to be hashed, whatever MessageType says. Here each is a digest already, as
all that sign with a key in KMS send it; a message of MessageType RAW would get a signature that does not fit.
"""

from __future__ import annotations

import sys
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from moto.kms import models
from moto.kms.utils import ECDSAPrivateKey, validate_signing_algorithm
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from kfp_release.sandbox.process import LOOPBACK

_SPEC = "ECC_NIST_P256"


class DigestKey(ECDSAPrivateKey):
    """The key of a PEM file. It signs digests."""

    def __init__(self, pem: bytes) -> None:
        super().__init__(_SPEC)
        key = serialization.load_pem_private_key(pem, None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError("the sandbox's key is none of an elliptic curve")
        self.private_key = key

    def sign(self, message: bytes, signing_algorithm: str) -> bytes:
        """The signature of what has this digest."""
        validate_signing_algorithm(signing_algorithm, self.valid_signing_algorithms)
        return self.private_key.sign(message, ec.ECDSA(Prehashed(hashes.SHA256())))


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: each call is one of the sandbox's user."""


def serve(private: Path, arn: str, port: int) -> None:
    """Answer until the process is stopped. The key of the PEM file `private` is called `arn`."""
    _, _, _, region, account, name = arn.split(":")
    backend = models.kms_backends[account][region]
    key = backend.create_key(None, "SIGN_VERIFY", _SPEC, "signs in this sandbox", None)
    key.private_key = DigestKey(private.read_bytes())
    del backend.keys[key.id]
    key.id, key.arn = name.removeprefix("key/"), arn
    backend.keys[key.id] = key
    app = DomainDispatcherApplication(create_backend_app)
    make_server(LOOPBACK, port, app, threaded=True, request_handler=_Quiet).serve_forever()


def main() -> None:
    """Run it: the file of the private key, its ARN, the port."""
    private, arn, port = sys.argv[1:]
    serve(Path(private), arn, int(port))


if __name__ == "__main__":
    main()
