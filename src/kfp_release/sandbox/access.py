"""The random passwords and keys of one sandbox, kept in its folder."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from kfp_release.errors import ReleaseError
from kfp_release.sandbox.secret_file import write_secret


@dataclass(frozen=True, slots=True)
class Access:
    """Who may use the sandbox's parts. A sandbox that is started again on its folder has the same ones."""

    registry_password: str = field(repr=False)
    access_key: str
    secret_key: str = field(repr=False)
    index_password: str = field(repr=False)
    registry_user: str = "AWS"
    """As ECR's authorization tokens have it."""
    index_user: str = "sandbox"

    @classmethod
    def of(cls, folder: Path) -> Self:
        """That of the sandbox in `folder`, made where there is none. Raise `ReleaseError` where it cannot be read."""
        path = folder / "access.json"
        if not path.exists():
            # 24 bytes are 32 letters: below the 72 bytes of a password that bcrypt looks at.
            made = cls(
                registry_password=secrets.token_urlsafe(24),
                access_key=f"SANDBOX{secrets.token_hex(6).upper()}",
                secret_key=secrets.token_urlsafe(30),
                index_password=secrets.token_urlsafe(24),
            )
            write_secret(path, json.dumps(asdict(made), indent=2) + "\n")
            return made
        try:
            return cls(**{name: str(value) for name, value in json.loads(path.read_text(encoding="utf-8")).items()})
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise ReleaseError(
                f"{path} does not hold a sandbox's passwords ({type(error).__name__})",
                remedy="take another --folder, or remove this one",
            ) from error
