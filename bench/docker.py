"""A Docker engine for the bench alone, which may be emptied."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from bench.child import BenchError, Ran, run_child
from bench.runner import plain_environ
from kfp_release.progress import Progress
from kfp_release.sandbox.engine import Engine


class Docker:
    """A context manager: the engine runs inside of the block. `environ` has the login to the registry `registry`.

    It is never an engine that runs already, as other users of the sandbox take it: what is in that is somebody's.
    """

    def __init__(self, folder: Path, *, environ: Mapping[str, str], registry: str, progress: Progress) -> None:
        folder.mkdir()
        self.folder = folder / "bin"
        """With ``docker`` in it, for PATH: of several clients the one that works."""
        self.registry = registry
        nobody = {"DOCKER_HOST": f"unix://{folder}/nobody.sock"}
        self._engine = Engine(folder / "engine", environ={**os.environ, **nobody}, progress=progress)
        self._environ = dict(environ)

    def __enter__(self) -> Self:
        self._engine.start()
        if not self._engine.is_private:
            raise BenchError("the Docker engine is somebody's, and the bench empties it")
        self.folder.mkdir()
        (self.folder / "docker").symlink_to(self._engine.client)
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.stop()

    @property
    def client(self) -> Path:
        """The program ``docker``."""
        return self.folder / "docker"

    @property
    def environ(self) -> dict[str, str]:
        """What leads ``docker`` to it."""
        return {"DOCKER_HOST": self._engine.host}

    def run(self, *arguments: str | Path) -> Ran:
        """One command of ``docker``. Raise `BenchError` where it fails."""
        environ = {**plain_environ(os.environ), **self._environ, **self.environ}
        log = self.folder.parent / "log"
        return run_child([self.client, *arguments], environ=environ, folder=self.folder.parent, log=log)

    def prune(self) -> None:
        """Remove all containers, images and layers of builds."""
        self.run("system", "prune", "--all", "--force", "--volumes")
