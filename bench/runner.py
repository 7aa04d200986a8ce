"""A computer that releases: clones, caches, scratch and buildah's storage of its own, forgotten when it is asked to."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from bench.git import git

_OF_THE_MACHINE = (
    *("AWS_", "TWINE_", "KFP_", "GIT", "SETUPTOOLS_SCM_", "DOCKER_", "BUILDAH_", "STORAGE_", "CONTAINERS_"),
    *("PIP_CACHE_DIR", "PIP_NO_CACHE_DIR", "UV_CACHE_DIR", "UV_NO_CACHE", "XDG_", "PYTHON", "SOURCE_DATE_EPOCH"),
)
"""Beginnings of variables that would lead elsewhere, or change what is measured."""
_KEPT = {"AWS_CA_BUNDLE", "GIT_SSL_CAINFO"}


def plain_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables of this machine that a measured program gets: how it reaches its package index, and little else."""
    return {name: text for name, text in environ.items() if name in _KEPT or not name.startswith(_OF_THE_MACHINE)}


class Runner:
    """All of it is in `folder`, which is made; `environ` leads to ECR, registry and index."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._folder = folder
        self._outside = dict(environ)
        self._number = 0
        self.forget()

    @property
    def environ(self) -> dict[str, str]:
        """What a program on it gets."""
        home = self._home
        own = {
            "TMPDIR": home / "scratch",
            "XDG_CACHE_HOME": home / "cache",
            "CONTAINERS_STORAGE_CONF": home / "storage.conf",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        return {**plain_environ(os.environ), **self._outside, **{name: str(path) for name, path in own.items()}}

    def forget(self) -> None:
        """Be a new computer: no clone, no cache, no storage of the one before."""
        if self._number:
            shutil.rmtree(self._home, ignore_errors=True)
        self._number += 1
        (self._home / "scratch").mkdir(parents=True)
        (self._home / "cache").mkdir()
        storage = f'[storage]\ndriver = "{_driver()}"\n'
        storage += f'graphroot = "{self._home}/storage/images"\nrunroot = "{self._home}/storage/run"\n'
        (self._home / "storage.conf").write_text(storage, encoding="utf-8")

    def clone(self, repository: Path, tag: str) -> Path:
        """A fresh clone with `tag` checked out."""
        target = self._home / f"clone-{tag}"
        git(self._home, "clone", "--quiet", "--branch", tag, str(repository), str(target))
        return target

    @property
    def _home(self) -> Path:
        return self._folder / f"machine-{self._number}"


def _driver() -> str:
    """The storage driver that buildah takes here by itself."""
    command = ["buildah", "info", "--format", "{{.store.GraphDriverName}}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "vfs"
