"""The key of a runtime: a hash of all that it is built from. The same key is the same runtime."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from kfp_release.digest import Digest
from kfp_release.errors import ReleaseError
from kfp_release.manifest import canonical_json

FORMAT: Final = 1
"""Of the key. Another number makes every runtime anew."""


@dataclass(frozen=True, slots=True)
class RuntimeInputs:
    """What a runtime is built from."""

    dockerfile: Digest
    context: tuple[tuple[str, int, str], ...]
    """The path in the context, its mode (0o644 or 0o755), and the sha256 of the file in hex."""
    build_args: Mapping[str, str]
    """An argument that is the name of a base image stands for its digest: the registry may be another."""
    base_digests: tuple[Digest, ...]
    """In the order of the Dockerfile's FROM lines."""
    platform: str

    @classmethod
    def of(
        cls,
        dockerfile: bytes,
        *,
        context: Mapping[str, tuple[int, bytes]],
        build_args: Mapping[str, str],
        bases: tuple[str, ...],
        platform: str,
    ) -> Self:
        """`context` holds mode and bytes by path, `bases` the image of each FROM with its digest.

        Raise `ReleaseError` where a base has none.
        """
        digests = {base: _digest(base) for base in bases}
        return cls(
            dockerfile=Digest.of(dockerfile),
            context=tuple(
                (path, mode, hashlib.sha256(data).hexdigest()) for path, (mode, data) in sorted(context.items())
            ),
            build_args={name: str(digests.get(value, value)) for name, value in build_args.items()},
            base_digests=tuple(digests[base] for base in bases),
            platform=platform,
        )


def runtime_key(inputs: RuntimeInputs) -> str:
    """32 hex digits, the first half of a sha256 over `inputs`."""
    value = {
        "format": FORMAT,
        "dockerfile": inputs.dockerfile.hex,
        "context": sorted(inputs.context),
        "build_args": dict(inputs.build_args),
        "bases": [digest.hex for digest in inputs.base_digests],
        "platform": inputs.platform,
    }
    return hashlib.sha256(canonical_json(value)).hexdigest()[:32]


def _digest(base: str) -> Digest:
    _, at, digest = base.rpartition("@")
    if not at:
        raise ReleaseError(
            f"the base image {base[:200]!r} has no digest, and may be another one tomorrow",
            remedy="write it as name:tag@sha256:… in the Dockerfile's FROM, or in the build argument behind it",
        )
    return Digest.parse(digest)
