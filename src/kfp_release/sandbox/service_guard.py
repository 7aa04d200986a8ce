"""Keeps Debian's packages from starting their services while they are installed."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from kfp_release.errors import ReleaseError
from kfp_release.sandbox.privilege import run_as_root

POLICIES = Path("/usr/sbin")
"""Where Debian looks for policy-rc.d."""
_POLICY = b"#!/bin/sh\n# kfp-release installs packages, starts no service, and takes this file away again.\nexit 101\n"


class ServiceGuard:
    """In its block /usr/sbin/policy-rc.d refuses every start of a service (Debian's invoke-rc.d(8), exit code 101).

    A file that is there already is moved aside and back, so that not even its times change. One that was left aside
    by a run that was killed is put back by the next one.
    """

    def __init__(self, prefix: Sequence[str], *, folder: Path = POLICIES) -> None:
        """`prefix` goes before commands that need root."""
        self._prefix = prefix
        self._policy = folder / "policy-rc.d"
        self._aside = folder / "policy-rc.d.before-kfp-release"

    def __enter__(self) -> Self:
        if not self._is_ours() and (self._policy.exists() or self._policy.is_symlink()):
            self._do("mv", "-T", self._policy, self._aside)
        with tempfile.NamedTemporaryFile() as file:
            file.write(_POLICY)
            file.flush()
            try:
                self._do("install", "-m", "755", "-T", file.name, self._policy)
            except BaseException:
                self._put_back()
                raise
        return self

    def __exit__(self, *_: object) -> None:
        self._put_back()

    def _put_back(self) -> None:
        if self._aside.exists() or self._aside.is_symlink():
            self._do("mv", "-T", self._aside, self._policy)
        elif self._is_ours():
            self._do("rm", self._policy)

    def _is_ours(self) -> bool:
        try:
            return self._policy.read_bytes() == _POLICY
        except OSError:
            return False

    def _do(self, *command: str | Path) -> None:
        if run_as_root(self._prefix, *command) is None:
            raise ReleaseError(
                f"{self._policy} cannot be changed ({' '.join(str(word) for word in command)} failed)",
                remedy=f"it keeps services from starting during an installation; look at it and at {self._aside}",
            )
