"""What teams do today: ``bench/baseline.sh``, with Docker's engine."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bench.base import CompanyBase
from bench.child import Ran, run_child
from bench.docker import Docker
from bench.project import HERE, baseline_repository
from bench.registry import Registry
from bench.side import Side

_MOUNTED: Final = re.compile(r"^[0-9a-f]{12}: Mounted from (\S+)$", re.MULTILINE)


class Baseline(Side):
    """`name` is its distribution and, below ``bench/``, its repository."""

    def __init__(
        self,
        folder: Path,
        *,
        name: str,
        registry: Registry,
        environ: Mapping[str, str],
        docker: Docker,
        base: CompanyBase,
        index_url: str,
    ) -> None:
        image = f"bench/{name}"
        programs = f"{docker.folder}:{Path(sys.executable).parent}"
        own = {
            "PATH": f"{programs}:/usr/local/bin:/usr/bin:/bin",
            "REPOSITORY": f"{docker.registry}/{image}",
            "BASE": base.ref,
            "DISTRIBUTION": name,
            "INDEX_URL": index_url,
        }
        super().__init__(folder, image=image, registry=registry, environ={**environ, **docker.environ, **own})
        self._docker = docker
        baseline_repository(self.repository, name=name)

    def start(self, clone: Path, *, environ: Mapping[str, str], ends: int) -> Ran:
        """The script."""
        bash = shutil.which("bash") or "/bin/bash"
        return run_child(
            [bash, HERE / "baseline.sh"],
            environ={**self.runner.environ, **environ},
            folder=clone,
            log=self.log,
            ends=ends,
        )

    def mounted(self, ran: Ran) -> set[str]:
        """Those of the repositories that ``docker push`` names: it has the registry link what it pulled from there."""
        names = set(_MOUNTED.findall(ran.stdout))
        return {digest for name in names for digest in self.registry.contents(name).blobs}

    def forget(self) -> None:
        """Without images and without build cache, too."""
        super().forget()
        self._docker.prune()
