"""Debian's docker-registry as a process of our own: loopback, a free port, a password, its storage in one folder."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Self

import bcrypt

from kfp_release.sandbox.process import LOOPBACK, Process, start_on_free_port
from kfp_release.sandbox.secret_file import write_secret

_SECONDS = 30.0
"""How long its start may take."""


class DockerRegistry:
    """A registry that `docker login`, `docker pull` and the ECR stand-in talk to.

    What it stores, and its port where that is still free, stay the same over a restart on the same `folder`, so that
    images that were pinned to its host can still be pulled. `binary` is the `docker-registry` to run.
    """

    def __init__(self, folder: Path, username: str, password: str, binary: Path) -> None:
        self._folder = folder.resolve()
        self._login = (username, password)
        self._binary = binary.resolve()
        self._process: Process | None = None
        self._port = 0

    @property
    def host(self) -> str:
        """``127.0.0.1:PORT``, once it is started."""
        return f"{LOOPBACK}:{self._port}"

    @property
    def url(self) -> str:
        """Where its ``/v2/`` is."""
        return f"http://{self.host}"

    def start(self) -> Self:
        """Start it, and wait until it listens. Raises `ReleaseError`, with the end of its log, where it does not."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._write_htpasswd()
        self._process, self._port = start_on_free_port(self._run, memory=self._folder / "port")
        return self

    def stop(self) -> None:
        """Stop it, by its own process id. Harmless where it does not run."""
        process, self._process = self._process, None
        if process is not None:
            process.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self, port: int) -> Process:
        config = self._folder / "config.yml"
        write_secret(config, json.dumps(self._config(port), indent=1))
        log = self._folder / "registry.log"
        # Nothing of the environment: its REGISTRY_* variables would change the configuration.
        process = Process.start(
            [self._binary, "serve", config], name="docker-registry", log=log, environ={"PATH": "/usr/bin:/bin"}
        )
        process.wait_until(lambda: f"listening on {LOOPBACK}:{port}".encode() in log.read_bytes(), seconds=_SECONDS)
        return process

    def _config(self, port: int) -> dict[str, object]:
        return {
            "version": "0.1",
            "log": {"level": "info", "accesslog": {"disabled": True}},
            "storage": {
                "filesystem": {"rootdirectory": str(self._folder / "storage")},
                "delete": {"enabled": True},
            },
            "http": {"addr": f"{LOOPBACK}:{port}", "secret": secrets.token_hex(32)},
            "auth": {"htpasswd": {"realm": "sandbox", "path": str(self._folder / "htpasswd")}},
        }

    def _write_htpasswd(self) -> None:
        username, password = self._login
        # The lowest cost: it is paid at each request, and guards a random password for as long as the sandbox lives.
        hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(rounds=4)).decode()
        write_secret(self._folder / "htpasswd", f"{username}:{hashed}\n")
