"""A computer that releases: a fresh clone, an empty cache, a folder for scratch, and buildah's storage."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from conftest import run_git

from chaos.attempt import Attempt
from chaos.child import Forked

_OF_THE_MACHINE = ("AWS_", "TWINE_", "KFP_", "GIT", "SETUPTOOLS_SCM_", "PYTHONPATH")
_STORAGE = '[storage]\ndriver = "vfs"\ngraphroot = "{0}/images"\nrunroot = "{0}/run"\n'


class Machine:
    """Everything of it is in `folder`, which is made. `environ` leads to ECR and the index."""

    def __init__(self, folder: Path, repository: Path, tag: str, environ: Mapping[str, str]) -> None:
        self.folder = folder
        self.clone = folder / "clone"
        self._tag = tag
        scratch = folder / "scratch"
        scratch.mkdir(parents=True)
        storage = folder / "storage.conf"
        storage.write_text(_STORAGE.format(folder / "storage"), encoding="utf-8")
        own = {
            "TMPDIR": scratch,
            "XDG_CACHE_HOME": folder / "cache",
            "CONTAINERS_STORAGE_CONF": storage,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        inherited = {name: text for name, text in os.environ.items() if not name.startswith(_OF_THE_MACHINE)}
        self._environ = {**inherited, **environ, **{name: str(path) for name, path in own.items()}}
        run_git(folder, "clone", "--quiet", "--branch", tag, str(repository), str(self.clone))
        self._before = self._state()

    def release(self, environ: Mapping[str, str] = MappingProxyType({})) -> Attempt:
        """Begin to release the tag, with these variables besides."""
        return self.run("release", self._tag, "--create-repository", environ=environ)

    def commands(self, *, apart: bool) -> list[tuple[str, ...]]:
        """What releases the tag: ``release``, or the four commands that do the same one after the other."""
        if not apart:
            return [("release", self._tag, "--create-repository")]
        plan = str(self.folder / "plan.json")
        return [
            ("runtime", "--create-repository"),
            ("plan", self._tag, "--output", plan),
            ("build", "--plan", plan),
            ("publish",),
        ]

    def run(self, *arguments: str, environ: Mapping[str, str] = MappingProxyType({})) -> Attempt:
        """Begin to run kfp-release in the clone."""
        child = Forked(arguments, folder=self.clone, environ=self._environ | dict(environ))
        return Attempt(child, folder=self.folder)

    @property
    def record(self) -> bytes:
        """The release.json that the last attempt left; empty where there is none."""
        path = self.clone / "dist" / "release.json"
        return path.read_bytes() if path.is_file() else b""

    def problems(self) -> list[str]:
        """Where the clone is another than before, or something is left beside dist/; a line each."""
        beside = sorted(path.name for path in self.clone.iterdir() if path.name.startswith(".dist"))
        changed = ["the checkout was changed"] if self._state() != self._before else []
        return [*changed, *(f"{name} is left in the checkout" for name in beside)]

    def remove(self) -> None:
        """Remove all of it."""
        shutil.rmtree(self.folder)

    def _state(self) -> tuple[str, ...]:
        asked = (
            ("status", "--porcelain", "--ignored", "--", ".", ":!dist", ":!.dist*"),
            ("show-ref", "--head"),
            ("worktree", "list"),
        )
        return tuple(run_git(self.clone, *arguments) for arguments in asked)
