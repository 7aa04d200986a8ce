"""The project's own way: ``kfp-release release``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bench.child import Ran, run_child
from bench.project import our_repository
from bench.registry import Registry
from bench.side import Side

HOST: Final = "533211398604.dkr.ecr.eu-north-1.amazonaws.com"
"""As component files name the registry; the sandbox's takes its place when they are released."""


class Ours(Side):
    """`name` is its distribution and, below ``bench/``, its repository."""

    def __init__(self, folder: Path, *, name: str, registry: Registry, environ: Mapping[str, str]) -> None:
        super().__init__(folder, image=f"bench/{name}", registry=registry, environ=environ)
        our_repository(self.repository, name=name, repository=f"{HOST}/{self.image}")

    def start(self, clone: Path, *, environ: Mapping[str, str], ends: int) -> Ran:
        """The one command."""
        command = [sys.executable, "-m", "kfp_release", "release", f"v{self.versions[0]}", "--create-repository"]
        return run_child(
            [*command, "--json"], environ={**self.runner.environ, **environ}, folder=clone, log=self.log, ends=ends
        )
