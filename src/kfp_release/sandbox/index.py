"""The private index: pypiserver with a password, on loopback."""

from __future__ import annotations

import sys
from pathlib import Path

import bcrypt
import requests

from kfp_release.credentials import Credentials
from kfp_release.index_session import basic_auth
from kfp_release.sandbox.process import LOOPBACK, Process, start_on_free_port
from kfp_release.sandbox.secret_file import write_secret


class IndexServer:
    """One pypiserver over the files in `folder`: it asks for the password for everything and never overwrites a file.

    For a project that it does not have it sends clients on to the public index, pypiserver's own default, so that one
    ``--index-url`` serves pipeline authors; `fallback_url` names another one.
    """

    def __init__(self, folder: Path, credentials: Credentials, *, fallback_url: str | None = None) -> None:
        """Its port, where that is still free, stays the same over a restart on the same `folder`."""
        self.port = 0
        self._folder = folder
        self._credentials = credentials
        self._fallback_url = fallback_url
        self._process: Process | None = None

    @property
    def upload_url(self) -> str:
        """What twine uploads to."""
        return f"http://{LOOPBACK}:{self.port}/"

    @property
    def simple_url(self) -> str:
        """The simple API, without credentials."""
        return f"{self.upload_url}simple/"

    def start(self) -> None:
        """Start it and wait until it answers. Raise `ReleaseError` where it does not."""
        packages = self._folder / "packages"
        packages.mkdir(parents=True, exist_ok=True)
        self._write_passwords()
        self._process, self.port = start_on_free_port(self._start_at, memory=self._folder / "port")

    def stop(self) -> None:
        """Stop it, if it runs."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    def _start_at(self, port: int) -> Process:
        self.port = port
        # Where waitress is installed pypiserver takes it; its other server would wait for one idle client.
        command: list[str | Path] = [sys.executable, "-m", "kfp_release.sandbox.index_program", "run"]
        command += ["--backend", "simple-dir"]
        command += ["--interface", LOOPBACK, "--port", str(port), "--authenticate", "update,download,list"]
        command += ["--fallback-url", self._fallback_url] if self._fallback_url else []
        command += ["--passwords", self._passwords, self._folder / "packages"]
        process = Process.start(
            command,
            name="pypiserver",
            log=self._folder / "pypiserver.log",
        )
        process.wait_until(self._answers, seconds=60)
        return process

    def _answers(self) -> bool:
        # With the password, which no other server on this port would take; past the proxy, if there is one.
        with requests.Session() as session:
            session.trust_env = False
            session.auth = basic_auth(self._credentials)
            try:
                response = session.get(self.simple_url, timeout=5)
            except requests.RequestException:
                return False
            return response.ok and "Simple Index" in response.text

    @property
    def _passwords(self) -> Path:
        return self._folder / "htpasswd"

    def _write_passwords(self) -> None:
        # Few rounds: the password is random and long, and it is checked at every request.
        hashed = bcrypt.hashpw(self._credentials.password.encode(), bcrypt.gensalt(rounds=5)).decode()
        write_secret(self._passwords, f"{self._credentials.username}:{hashed}\n")
