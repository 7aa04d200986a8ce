"""The Docker engine that runs a pipeline's containers: the one that answers, or a private one."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from kfp_release.errors import ReleaseError
from kfp_release.progress import Progress
from kfp_release.sandbox.network import Network
from kfp_release.sandbox.packages import ensure
from kfp_release.sandbox.privilege import find, root_prefix, run_as_root
from kfp_release.sandbox.process import Process

DEFAULT_HOST = "unix:///var/run/docker.sock"
_CONTAINERD = "/run/containerd"
"""Where dockerd looks for a containerd that runs already."""
_SOCKETS = "/containerd/containerd-debug.sock"
_SOCKET_PATH = 104
"""Bytes that containerd takes as the path of a Unix socket; Linux takes 107. unix(7)."""
_ELSEWHERE = "kfp-release-engine-"
_START, _STOP = 90, 40
"""Seconds."""
_WITHOUT_FIREWALL = ("--iptables=false", "--ip6tables=false")


class Engine:
    """A Docker engine on this machine. `host` is what DOCKER_HOST is to be, `client` the ``docker`` that it answers."""

    def __init__(self, folder: Path, *, environ: Mapping[str, str], progress: Progress) -> None:
        """`folder` is a private engine's: its log, its images while it runs. `environ` tells which one is in use."""
        self.host = ""
        self.client = Path("docker")
        self._folder = folder
        self._environ = environ
        self._progress = progress
        self._run = folder / "run"
        self._process: Process | None = None
        self._prefix: list[str] = []
        self._network: Network | None = None

    @property
    def is_private(self) -> bool:
        """Whether it was started here, and so is stopped here."""
        return self._process is not None

    def start(self) -> None:
        """Find the engine that answers, or install what is missing and start a private one.

        Raise `ReleaseError` where neither can be had.
        """
        host = self._environ.get("DOCKER_HOST") or DEFAULT_HOST
        if _is_here(host) and self._finds_client(host):
            self._progress.note(f"the Docker engine at {host} is used")
            return
        ensure("dockerd", "docker", progress=self._progress)
        self._start_private()
        if not self._finds_client(self.host):
            self.stop()
            raise ReleaseError("no docker client gets an answer from the private engine", remedy="install docker.io")

    def stop(self) -> None:
        """Stop the private engine, if there is one; another one is left alone."""
        if self._process is None:
            return
        self._end(self._process)
        self._process = None
        self._clear()

    def _start_private(self) -> None:
        prefix = root_prefix()
        if prefix is None:
            raise ReleaseError(
                "a Docker engine can be started by root alone, and none answers",
                remedy="start one (systemctl start docker), set DOCKER_HOST, or run this as root or with sudo",
            )
        self._prefix = prefix
        self._folder.mkdir(parents=True, exist_ok=True)
        self._stop_stale()
        self._make_run_folder()
        self._progress.note("no Docker engine answers: a private one is started")
        self._network = Network.look(prefix)
        try:
            self._launch()
        except ReleaseError as error:
            self._progress.note(f"the engine cannot set up the firewall and goes without: {str(error).splitlines()[0]}")
            try:
                self._launch(*_WITHOUT_FIREWALL)
            except ReleaseError:
                self._clear()
                raise

    def _make_run_folder(self) -> None:
        """A folder whose path is short enough for sockets; a link in ours leads to one elsewhere, also after a kill."""
        link = self._folder / "run"
        if link.is_symlink():
            if (left := link.readlink()).name.startswith(_ELSEWHERE):
                run_as_root(self._prefix, "rm", "-rf", "--one-file-system", left)
            link.unlink()
        if len(os.fsencode(link.absolute())) + len(_SOCKETS) > _SOCKET_PATH:
            # TMPDIR may be as deep as the sandbox.
            self._run = Path(tempfile.mkdtemp(prefix=_ELSEWHERE, dir="/tmp"))
            link.symlink_to(self._run)

    def _launch(self, *options: str) -> None:
        temporary = self._run / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        settings = self._folder / "daemon.json"
        settings.write_text("{}\n")  # instead of the machine's own, which may name other sockets
        endpoint = (self._run / "docker.sock").absolute()
        process = Process.start(
            [
                *self._prefix,
                # containerd writes its stacks into it when dockerd finds it slow; sudo keeps no TMPDIR.
                *("env", f"TMPDIR={temporary.absolute()}"),
                *_own_mounts(),
                *(str(find("dockerd") or "dockerd"), "--config-file", str(settings.absolute())),
                *("--data-root", str((self._folder / "data").absolute()), "--exec-root", str(self._run.absolute())),
                *("--host", f"unix://{endpoint}", "--pidfile", str(self._pidfile), "--group", str(os.getgid())),
                *("--shutdown-timeout", "5", *options),
            ],
            name="dockerd",
            log=self._folder / "dockerd.log",
        )
        try:
            process.wait_until(lambda: _answers_ping(endpoint), seconds=_START)
        except BaseException:
            self._end(process)
            raise
        self._process, self.host = process, f"unix://{endpoint}"

    @property
    def _pidfile(self) -> Path:
        return (self._folder / "dockerd.pid").absolute()

    def _end(self, process: Process) -> None:
        if self._prefix and process.running:  # sudo is root's, and hands the signal on to its child; kill(2), sudo(8)
            run_as_root(self._prefix, "kill", "-TERM", str(process.pid))
        process.stop(grace=_STOP)
        if process.running:  # not sudo, whose child would be left
            with contextlib.suppress(OSError, ValueError):
                run_as_root(self._prefix, "kill", "-KILL", str(int(self._pidfile.read_text())))
            process.stop()

    def _clear(self) -> None:
        # Root's, where sudo started it, so that the user could not remove the sandbox's folder.
        left = (self._run, self._folder / "run", self._folder / "data")
        run_as_root(self._prefix, "rm", "-rf", "--one-file-system", *left)
        if self._network is not None:
            self._network.restore(self._prefix)

    def _stop_stale(self) -> None:
        """End the engine that an earlier sandbox of this folder left, killed before it could stop it."""
        try:
            pid = int(self._pidfile.read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return
        if os.fsencode(self._pidfile) in command:
            run_as_root(self._prefix, "kill", "-TERM", str(pid))
            end = time.monotonic() + _STOP
            while Path(f"/proc/{pid}").exists() and time.monotonic() < end:
                time.sleep(0.1)

    def _finds_client(self, host: str) -> bool:
        for name in ("/usr/bin/docker", shutil.which("docker")):
            if name and _engine_behind(name, host, self._environ):
                self.host, self.client = host, Path(name)
                return True
        return False


def _is_here(host: str) -> bool:
    """Whether 127.0.0.1 is the same machine for the engine: it has to pull from the sandbox's registry."""
    parts = urlsplit(host)
    return parts.scheme == "unix" or parts.hostname in {"localhost", "127.0.0.1", "::1"}


def _engine_behind(client: str, host: str, environ: Mapping[str, str]) -> bool:
    """Whether a Docker engine answers. Podman's socket does not count: kfp.local loses failures over it."""
    try:
        done = subprocess.run(  # noqa: S603 - a list of our own, no shell
            [client, "version", "--format", "{{range .Server.Components}}{{.Name}} {{end}}"],
            env={**os.environ, **environ, "DOCKER_HOST": host},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and "Podman" not in done.stdout and bool(done.stdout.strip())


def _answers_ping(endpoint: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        try:
            client.connect(str(endpoint))
            client.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return b" 200 " in client.recv(100)
        except OSError:
            return False


def _own_mounts() -> list[str]:
    # A mount namespace of its own: whatever the engine mounts is gone when it ends, however it ends. A containerd of
    # the machine's, which dockerd would take instead of its own and which sees no such mount, is not there in it.
    unshare, shell = find("unshare"), find("sh")
    if not unshare or not shell:
        return []
    hide = f'mkdir -p {_CONTAINERD} && mount -t tmpfs kfp-release {_CONTAINERD} && exec "$@"'
    return [str(unshare), "--mount", "--propagation", "slave", str(shell), "-c", hide, "sh"]
