"""Keys that an option or the configuration names: a file, or a key in AWS KMS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kfp_release.commands.invocation import Invocation
from kfp_release.errors import ReleaseError
from kfp_release.kms_key_name import NO_KEY, SIGNING_KEY, KmsKeyName
from kfp_release.plain_file import read_plain
from kfp_release.progress import Progress
from kfp_release.public_key import BadKey, PublicKey

_KMS: Final = "awskms:"
_NAMES: Final = f"name a PEM file, or {_KMS}ARN for a key in AWS KMS"
UNCHECKED: Final = f"{SIGNING_KEY}={NO_KEY} looks without checking who signed"


def public_keys(
    invocation: Invocation, named: Sequence[str], configured: KmsKeyName | None, progress: Progress
) -> dict[str, PublicKey]:
    """What ``--key`` names, by what that says; where it is not given, the key that releases are signed with.

    Raise `ReleaseError` as `public_key`: who may not ask KMS is told so, and has to say that nothing is to be checked.
    """
    if named or configured is None:
        return {text: public_key(invocation, text, progress) for text in named}
    try:
        return {str(configured): _of_kms(invocation, configured, progress)}
    except ReleaseError as error:
        also = f"--key takes the public key as a file, and {UNCHECKED}"
        error.remedy = f"{error.remedy}; {also}" if error.remedy else also
        raise


def public_key(invocation: Invocation, text: str, progress: Progress) -> PublicKey:
    """What ``--key`` names. Raise `ReleaseError` where it is no key, or KMS does not give it."""
    if not text:
        raise BadKey("--key is empty", remedy=_NAMES)
    if text.startswith(_KMS):
        return _of_kms(invocation, KmsKeyName.parse(text.removeprefix(_KMS)), progress)
    path = invocation.project / text
    try:
        return PublicKey.parse(read_plain(path))
    except OSError as error:
        raise ReleaseError(
            f"the key {path} cannot be read: {error.strerror}",
            remedy=_NAMES,
        ) from error
    except BadKey as error:
        raise BadKey(f"{path}: {error.args[0]}", remedy=error.remedy) from error


def _of_kms(invocation: Invocation, name: KmsKeyName, progress: Progress) -> PublicKey:
    from kfp_release.kms import KmsKey  # noqa: PLC0415 - brings boto3

    progress.step("ask KMS for the public key")
    return KmsKey(name, retry=invocation.retry(progress)).public_key
