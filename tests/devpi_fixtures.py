"""A real devpi-server with users and indexes of its own, and a stage or a mirror at a time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import requests
from conftest import PROJECT

from kfp_release.credentials import Credentials
from kfp_release.sandbox.process import LOOPBACK, Process, start_on_free_port

ROOT_PASSWORD = "the-password-of-root"  # noqa: S105 - of a server that lives as long as a test
WRITER = Credentials("writer", "the-password-of-the-writer")


@cache
def programs() -> Path:
    """The folder of devpi's programs, installed as locks/devpi.lock says unless they are there."""
    done = subprocess.run([sys.executable, PROJECT / ".ci/devpi.py"], check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.fail(done.stderr)
    return Path(done.stdout.strip())


class DevpiServer:
    """One server, asked by root."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False
        answer = self._ask("POST", "+login", {"user": "root", "password": ROOT_PASSWORD})
        self._session.auth = ("root", answer["result"]["password"])
        self._ask("PUT", WRITER.username, {"password": WRITER.password})

    def index(self, name: str, **options: Any) -> str:
        """Create ``writer/NAME``; its URL. A stage that is not volatile, unless `options` say so."""
        path = f"{WRITER.username}/{name}"
        self._ask("PUT", path, {"type": "stage", "bases": [], "volatile": False, **options})
        return f"{self.url}/{path}"

    def change(self, name: str, *settings: str) -> None:
        """As ``devpi index NAME SETTING...`` does."""
        self._ask("PATCH", f"{WRITER.username}/{name}", settings)

    def _ask(self, method: str, path: str, parameters: Any) -> Any:
        answer = self._session.request(
            method, f"{self.url}/{path}", json=parameters, headers={"Accept": "application/json"}, timeout=60
        )
        assert answer.ok, answer.text
        return answer.json()


@contextmanager
def running_devpi(folder: Path) -> Iterator[DevpiServer]:
    """A server that keeps its files in `folder`, on a free port of this machine."""
    data = folder / "data"
    init: list[str | Path] = [
        programs() / "devpi-init",
        "--serverdir",
        data,
        "--no-root-pypi",
        "--root-passwd",
        ROOT_PASSWORD,
    ]
    subprocess.run(init, check=True, capture_output=True)

    def start(port: int) -> Process:
        command: list[str | Path] = [
            programs() / "devpi-server",
            "--serverdir",
            data,
            "--host",
            LOOPBACK,
            "--port",
            str(port),
        ]
        process = Process.start([*command], name="devpi-server", log=folder / "devpi.log")
        process.wait_until(lambda: _answers(port), seconds=120)
        return process

    process, port = start_on_free_port(start, memory=folder / "port")
    try:
        yield DevpiServer(f"http://{LOOPBACK}:{port}")
    finally:
        process.stop()


def _answers(port: int) -> bool:
    with requests.Session() as session:
        session.trust_env = False
        try:
            return session.get(f"http://{LOOPBACK}:{port}/+api", timeout=5).ok
        except requests.RequestException:
            return False
