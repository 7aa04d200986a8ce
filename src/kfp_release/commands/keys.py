"""Keys that an option names: a file, or a key in AWS KMS."""

from __future__ import annotations

from typing import Final

from kfp_release.commands.invocation import Invocation
from kfp_release.errors import ReleaseError
from kfp_release.kms_key_name import KmsKeyName
from kfp_release.plain_file import read_plain
from kfp_release.progress import Progress
from kfp_release.public_key import BadKey, PublicKey

_KMS: Final = "awskms:"


def public_key(invocation: Invocation, text: str, progress: Progress) -> PublicKey:
    """What ``--key`` names. Raise `ReleaseError` where it is no key, or KMS does not give it."""
    if text.startswith(_KMS):
        from kfp_release.kms import KmsKey  # noqa: PLC0415 - brings boto3

        progress.step("ask KMS for the public key")
        return KmsKey(KmsKeyName.parse(text.removeprefix(_KMS)), retry=invocation.retry(progress)).public_key
    path = invocation.project / text
    try:
        return PublicKey.parse(read_plain(path))
    except OSError as error:
        raise ReleaseError(
            f"the key {path} cannot be read: {error.strerror}",
            remedy=f"name a PEM file, or {_KMS}ARN for a key in AWS KMS",
        ) from error
    except BadKey as error:
        raise BadKey(f"{path}: {error.args[0]}", remedy=error.remedy) from error
